"""Text networks by name: what a folder gives is what its library gives; what does not fit is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.backbones import catalogue, language
from headstart.base.errors import BadOption, WeightsError
from headstart.data import texts
from tests.backbones import textual

transformers = pytest.importorskip("transformers")


def features(backbone: Any, items: list[Any]) -> np.ndarray:
    """Features (n, d), each text by itself."""
    with torch.no_grad():
        found = [backbone(torch.from_numpy(texts.load(item, backbone.info.preprocessing))[None]) for item in items]
    return torch.cat(found).numpy()


def plainly(folder: Path, items: list[str]) -> np.ndarray:
    """The mean over last hidden states (n, d), by the library alone."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    reader = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    with torch.no_grad():
        found = []
        for item in items:
            ids = torch.tensor([reader(item, truncation=False, padding=False)["input_ids"]])
            found.append(model(input_ids=ids).last_hidden_state.mean(1))
    return torch.cat(found).numpy()


@pytest.mark.parametrize("family", textual.FAMILIES)
def test_features_are_what_the_library_gives(family: str, tmp_path: Path) -> None:
    folder = textual.save(tmp_path / family, family)
    described = catalogue.describe(f"local:{folder}")
    backbone = catalogue.load(f"local:{folder}")
    found = features(backbone, list(textual.SENTENCES))
    assert np.abs(found - plainly(folder, list(textual.SENTENCES))).max() < 1e-5 * np.abs(found).max()
    assert np.ptp(found, axis=0).max() > 0.01, "different texts have different features"
    for info in (described, backbone.info):
        assert (info.modality, info.architecture, info.local) == ("texts", f"hf/{family}", True)
        assert info.preprocessing.content == (folder / "tokenizer.json").read_bytes()
        assert info.preprocessing.length == 48
    assert backbone.info.stages == ("embeddings", "layer 1", "layer 2", "layer 3")


def test_it_is_rebuilt_without_its_folder_and_from_random_initialisation(tmp_path: Path) -> None:
    backbone = catalogue.load(f"local:{textual.save(tmp_path / 'net')}")
    config = json.loads(json.dumps(backbone.info.config))
    again = catalogue.build(backbone.info.architecture, config)
    again.module.load_state_dict(backbone.module.state_dict())
    again = again.known_as(backbone.info)
    assert again.digest() == backbone.digest()
    assert np.array_equal(features(again, ["the cat sat"]), features(backbone, ["the cat sat"]))
    one, same, other = backbone.fresh(1), backbone.fresh(1), catalogue.load(backbone.info.name, weights=False, seed=2)
    assert one.digest() == same.digest() != other.digest()
    for random in (one, other):
        assert random.info.source == "random initialisation"
        assert random.info.preprocessing == backbone.info.preprocessing
        assert not np.allclose(features(random, ["the cat sat"]), features(backbone, ["the cat sat"]))


def test_a_language_model_with_its_head_gives_the_same_features(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "mlm", "roberta", head="AutoModelForMaskedLM")
    backbone = catalogue.load(f"local:{folder}")
    model = transformers.AutoModel.from_pretrained(folder).eval()
    ids = torch.from_numpy(texts.load("birds sang", backbone.info.preprocessing))[..., 0].long() - 1
    with torch.no_grad():
        wanted = model(input_ids=ids).last_hidden_state.mean(1)
    assert np.abs(features(backbone, ["birds sang"]) - wanted.numpy()).max() < 1e-5


def test_a_pair_is_read_with_its_token_types(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    backbone = catalogue.load(f"local:{folder}")
    pair = texts.load(("the cat", "a dog ran"), backbone.info.preprocessing)
    assert pair[0, :, 1].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    model = transformers.AutoModel.from_pretrained(folder).eval()
    ids = torch.from_numpy(pair).long()
    with torch.no_grad():
        wanted = model(input_ids=ids[..., 0] - 1, token_type_ids=ids[..., 1]).last_hidden_state.mean(1)
    assert np.abs(features(backbone, [("the cat", "a dog ran")]) - wanted.numpy()).max() < 1e-5


def test_a_long_text_is_read_to_its_end(tmp_path: Path) -> None:
    backbone = catalogue.load(f"local:{textual.save(tmp_path / 'net')}")
    words = list(np.random.default_rng(0).choice(textual.WORDS, 150))
    changed = [*words[:-1], "hill" if words[-1] != "hill" else "rain"]
    first, second = features(backbone, [" ".join(words), " ".join(changed)])
    assert texts.load(" ".join(words), backbone.info.preprocessing).shape[0] > 3
    assert np.abs(first - second).max() > 1e-4


@pytest.mark.parametrize("family", [*language.SHIFTED, "bert", "opt", "gpt2", "electra", "albert"])
def test_a_window_is_as_long_as_the_positions_reach_and_no_longer(family: str) -> None:
    if family not in transformers.CONFIG_MAPPING:
        pytest.skip(f"this transformers has no {family}")
    size = {**textual.ENCODER, "vocab_size": 60, "pad_token_id": 1, "embedding_size": 32}
    extra = {
        "gpt2": textual.FAMILIES["gpt2"],
        "luke": {"entity_vocab_size": 9},
        "longformer": {"attention_window": [8, 8, 8]},
        "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32},
        "esm": {"position_embedding_type": "absolute"},
        "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    }.get(family, {})
    settings = transformers.AutoConfig.for_model(family, **(size | extra))
    model = transformers.AutoModel.from_config(settings).eval()
    longest = language.length({**settings.to_dict(), "model_type": family})
    assert 60 <= longest <= 64
    with torch.no_grad():
        assert model(input_ids=torch.full((1, longest), 5)).last_hidden_state.shape[1] == longest
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            model(input_ids=torch.full((1, longest + 1), 5))


def test_the_shortest_limit_counts_and_absurd_ones_do_not() -> None:
    bert = {"model_type": "bert", "max_position_embeddings": 512}
    assert language.length(bert, 1e30, None) == 512
    assert language.length(bert, 256, 384) == 256
    assert language.length({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}) == 512
    assert language.length({"model_type": "gpt2", "n_positions": 1024}, "many", True, -3) == language.LONGEST
    assert language.length({"model_type": "llama", "max_position_embeddings": 131072}) == language.LONGEST
    assert language.length({"model_type": "t5", "classifier_dropout": 0.0}, 128) == 128


def test_a_tokenizer_of_another_network_is_refused(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net", vocabulary=60)
    with pytest.raises(WeightsError, match="tokenizer does not match the network") as caught:
        catalogue.load(f"local:{folder}")
    assert "below 60" in caught.value.expected
    with pytest.raises(WeightsError, match="does not match"):
        catalogue.load(f"local:{folder}", weights=False)


def test_positions_that_do_not_reach_are_said(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net", "bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 20}))
    with pytest.raises(WeightsError, match=r"do not fit the network.*position_embeddings"):
        catalogue.load(f"local:{folder}")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model_type": "t5", "classifier_dropout": 0.0}, "an encoder and a decoder"),
        ({"model_type": "nothing"}, "nothing"),
        ({"hidden_size": "wide"}, "cannot be built"),
        ({"num_hidden_layers": 5}, "are missing or have another shape"),
        ({"hidden_size": 40}, "are missing or have another shape"),
    ],
)
def test_what_cannot_be_built_is_said_without_a_traceback(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(WeightsError, match=told):
        catalogue.load(f"local:{folder}")


def test_a_configuration_that_names_code_is_built_from_the_library_alone(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    expected = catalogue.load(f"local:{folder}").digest()
    config = json.loads((folder / "config.json").read_text())
    evil = {"auto_map": {"AutoModel": "evil.Model", "AutoConfig": "evil.Config"}, "_attn_implementation": "evil/kernel"}
    (folder / "config.json").write_text(json.dumps(config | evil))
    (folder / "evil.py").write_text("raise SystemExit('executed')\n")
    assert catalogue.load(f"local:{folder}").digest() == expected


def test_weights_that_are_not_finite_and_a_wrong_option_are_refused(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    with pytest.raises(BadOption, match="says its architecture itself"):
        catalogue.load(f"local:{folder}", architecture="hf/bert")
    model = transformers.AutoModel.from_pretrained(folder)
    model.encoder.layer[0].output.dense.weight.data[0, 0] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(WeightsError, match="not finite"):
        catalogue.load(f"local:{folder}")


def test_a_pytorch_file_is_read_as_tensors_only(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    expected = catalogue.load(f"local:{folder}").digest()
    state = transformers.AutoModel.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    assert catalogue.load(f"local:{folder}").digest() == expected
    torch.save({**state, "evil": Path("x")}, folder / "pytorch_model.bin")
    with pytest.raises(WeightsError):
        catalogue.load(f"local:{folder}")
