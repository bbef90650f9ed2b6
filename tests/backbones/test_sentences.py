"""Sentence encoders: their own pooling and their own limit; parts that are not known are refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.backbones import catalogue, pooling
from headstart.base.errors import WeightsError
from headstart.data import texts
from tests.backbones import textual

transformers = pytest.importorskip("transformers")


def states(folder: Path, text: str) -> torch.Tensor:
    """The last hidden states (t, d), by the library alone."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    reader = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    with torch.no_grad():
        ids = torch.tensor([reader(text, truncation=False, padding=False)["input_ids"]])
        return model(input_ids=ids).last_hidden_state[0]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("mean_tokens", lambda hidden: hidden.mean(0)),
        ("cls_token", lambda hidden: hidden[0]),
        ("lasttoken", lambda hidden: hidden[-1]),
    ],
)
def test_features_are_what_its_own_pooling_gives(told: str, wanted: object, tmp_path: Path) -> None:
    folder = textual.sentence_encoder(tmp_path / "net", pooling=told)
    backbone = catalogue.load(f"local:{folder}")
    assert backbone.info.preprocessing.length == 24, "its own limit, not the tokenizer's 48"
    for text in textual.SENTENCES:
        tokens = torch.from_numpy(texts.load(text, backbone.info.preprocessing))[None]
        with torch.no_grad():
            found, each = backbone(tokens)[0], backbone.pooled(tokens)
        expected = wanted(states(folder, text))  # type: ignore[operator]
        assert (found - expected).abs().max() < 1e-5
        assert torch.equal(each[-1][0], found)
    again = catalogue.build(backbone.info.architecture, backbone.info.config)
    again.module.load_state_dict(backbone.module.state_dict())
    with torch.no_grad():
        assert torch.equal(again(tokens), backbone(tokens))


def test_the_cut_is_exact_for_every_pooling_with_texts_of_several_lengths(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    tokens = torch.randint(1, 50, (3, 2, 9, 2), generator=draw).int()
    tokens[..., 1] = 0
    tokens[1, 1], tokens[1, 0, 5:], tokens[2, :, 3] = 0, 0, 0
    found = {}
    for told in ("mean_tokens", "cls_token", "lasttoken"):
        backbone = catalogue.load(f"local:{textual.sentence_encoder(tmp_path / told, pooling=told)}")
        with torch.no_grad():
            found[told] = backbone(tokens)
            for k in range(backbone.depth + 1):
                gap = (backbone.suffix(k)(backbone.prefix(k)(tokens)) - found[told]).abs().max()
                assert gap < 1e-5, (told, k)
        found[f"{told} digest"] = backbone.digest()
    assert len({found[name] for name in found if name.endswith("digest")}) == 3
    assert not torch.allclose(found["mean_tokens"], found["cls_token"], atol=0.01)


def test_a_token_stands_for_its_windows_together() -> None:
    hidden = torch.zeros(2, 2, 4, 3)
    hidden[..., :2] = torch.arange(32).reshape(2, 2, 4, 2)
    hidden[0, :, :, 2], hidden[1, 0, :2, 2] = 1, 1
    value = hidden[..., :2]
    assert torch.equal(pooling.first(hidden)[0], (value[0, 0, 0] + value[0, 1, 0]) / 2)
    assert torch.equal(pooling.last(hidden)[0], (value[0, 0, 3] + value[0, 1, 3]) / 2)
    assert torch.equal(pooling.first(hidden)[1], value[1, 0, 0]), "a window that is not there counts for nothing"
    assert torch.equal(pooling.last(hidden)[1], value[1, 0, 1])


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    plain = catalogue.load(f"local:{textual.sentence_encoder(tmp_path / 'plain')}")
    assert plain.info.notes == ()
    folder = textual.sentence_encoder(tmp_path / "dense", beyond=("Dense", "Normalize"))
    for info in (catalogue.describe(f"local:{folder}"), catalogue.load(f"local:{folder}").info):
        (note,) = info.notes
        assert "Dense layer behind it" in note


@pytest.mark.parametrize("told", ["max_tokens", "weightedmean_tokens", "mean_sqrt_len_tokens", "none"])
def test_other_poolings_are_refused_by_name(told: str, tmp_path: Path) -> None:
    folder = textual.sentence_encoder(tmp_path / "net", pooling=told)
    with pytest.raises(WeightsError, match="The pooling of .* is " + ("not said" if told == "none" else told)):
        catalogue.load(f"local:{folder}")


def test_two_poolings_side_by_side_are_refused_and_the_newer_notation_is_read(tmp_path: Path) -> None:
    folder = textual.sentence_encoder(tmp_path / "net")
    place = folder / "1_Pooling" / "config.json"
    both = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}
    place.write_text(json.dumps(both))
    with pytest.raises(WeightsError, match="cls_token and mean_tokens"):
        catalogue.load(f"local:{folder}")
    place.write_text(json.dumps({"embedding_dimension": 32, "pooling_mode": "cls"}))
    assert catalogue.load(f"local:{folder}").info.config["pooling"] == "first"


def test_a_network_in_a_folder_of_its_own(tmp_path: Path) -> None:
    flat = textual.sentence_encoder(tmp_path / "flat")
    deep = tmp_path / "deep"
    deep.mkdir()
    textual.copied(flat, deep / "0_Transformer")
    (deep / "0_Transformer" / "1_Pooling").rename(deep / "1_Pooling")
    (deep / "0_Transformer" / "modules.json").unlink()
    listed = json.loads((flat / "modules.json").read_text())
    listed[0]["path"] = "0_Transformer"
    (deep / "modules.json").write_text(json.dumps(listed))
    (deep / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    found = catalogue.load(f"local:{deep}")
    assert found.digest() == catalogue.load(f"local:{flat}").digest()
    assert (found.info.licence, found.info.preprocessing.length) == ("Apache-2.0", 24)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([{"type": "sentence_transformers.models.CLIPModel", "path": ""}], "made of CLIPModel; CLIPModel is not known"),
        ([{"type": "x.Transformer", "path": ""}], "made of Transformer"),
        (
            [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": ""}, {"type": "evil.Run"}],
            "Run is not",
        ),
        ([{"type": "x.Transformer", "path": "../.."}, {"type": "x.Pooling", "path": "1_Pooling"}], "'../..'"),
        ([{"type": "x.Transformer", "path": "/etc"}, {"type": "x.Pooling", "path": "1_Pooling"}], "'/etc'"),
        (["Transformer", 3], "made of nothing"),
        ({}, "no JSON list"),
    ],
)
def test_other_parts_are_refused(parts: object, told: str, tmp_path: Path) -> None:
    folder = textual.sentence_encoder(tmp_path / "net")
    (folder / "modules.json").write_text(json.dumps(parts))
    with pytest.raises(WeightsError) as caught:
        catalogue.load(f"local:{folder}")
    assert told in caught.value.what


def test_lower_case_is_taken_from_its_own_settings(tmp_path: Path) -> None:
    folder = textual.sentence_encoder(tmp_path / "net", "gpt2")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 24, "do_lower_case": True}))
    reading = catalogue.load(f"local:{folder}").info.preprocessing
    assert np.array_equal(texts.load("THE CAT", reading), texts.load("the cat", reading))
