"""ELMo computes what the published code computes, is cut at every layer, and comes back from a folder."""

import json

import numpy as np
import pytest
import torch

pytest.importorskip("h5py")

import h5py

from headstart.backbones import catalogue, elmofile, folder
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.data import texts
from headstart.data.readers import characters
from headstart.features.store import Store, joined
from tests import bags as labelled
from tests.backbones import publishedelmo
from tests.small import CPU, moved, tune

SENTENCES = ("the cat sat", "a much longer sentence about caf\u00e9s and dogs", "x" * 60)
KINDS = {
    "published": {},
    "tanh, no skips, no highway": {
        "char_cnn": {"activation": "tanh", "n_highway": None},
        "lstm": {"use_skip_connections": False},
    },
    "no clips, three layers": {"lstm": {"cell_clip": None, "proj_clip": None, "n_layers": 3}},
    "narrow clips": {"lstm": {"cell_clip": 0.3, "proj_clip": 0.2}},
    "no projections": {
        "char_cnn": {"filters": [[1, 8], [2, 8]]},
        "lstm": {"dim": 16, "projection_dim": 16, "proj_clip": 0.1},
    },
}


@pytest.fixture
def model(tmp_path):
    return publishedelmo.write(tmp_path / "elmo")


def inputs(backbone, items=SENTENCES):
    return joined([torch.from_numpy(texts.load(item, backbone.info.preprocessing))[None] for item in items])


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_is_the_published_codes(tmp_path, kind):
    told = publishedelmo.options(**KINDS[kind])
    found = publishedelmo.arrays(told)
    backbone = catalogue.load(f"elmo/{publishedelmo.write(tmp_path, told, found)}")
    width, count = told["lstm"]["projection_dim"], told["lstm"].get("n_layers", 1)
    with torch.no_grad():
        hidden = backbone.prefix(count + 1)(inputs(backbone)).numpy()
        mixed = backbone(inputs(backbone)).numpy()
    for number, sentence in enumerate(SENTENCES):
        words = sentence.split()
        expected = publishedelmo.layers(told, found, words)
        mine = hidden[number, 0, 1 : len(words) + 1]
        np.testing.assert_allclose(np.tile(mine[:, :width], 2), expected[0], atol=1e-5)
        for layer in range(count):
            start = width + 2 * width * layer
            np.testing.assert_allclose(mine[:, start : start + 2 * width], expected[layer + 1], atol=1e-5)
        np.testing.assert_allclose(mixed[number], np.mean(expected, axis=(0, 1)), atol=1e-5)


def test_the_mix_is_the_papers(model):
    backbone = catalogue.load(f"elmo/{model}")
    with torch.no_grad():
        backbone.module.mix.scores.copy_(torch.tensor([0.5, -1.0, 2.0]))
        backbone.module.mix.scale.fill_(1.7)
        mixed = backbone(inputs(backbone, ["the cat sat"])).numpy()[0]
    layers = publishedelmo.layers(
        publishedelmo.OPTIONS, publishedelmo.arrays(publishedelmo.OPTIONS), ["the", "cat", "sat"]
    )
    shares = np.exp([0.5, -1.0, 2.0]) / np.exp([0.5, -1.0, 2.0]).sum()
    expected = 1.7 * sum(share * layer.mean(axis=0) for share, layer in zip(shares, layers, strict=True))
    np.testing.assert_allclose(mixed, expected, atol=1e-5)


def test_the_marks_of_a_frame_are_those_that_the_reader_writes():
    from headstart.backbones import bilm

    begins, ends = characters.spelled([characters.TEXT_BEGINS])[1], characters.spelled([characters.TEXT_ENDS])[1]
    assert (begins, ends) == bilm.FRAMES
    assert characters.FILLING + 1 == bilm.CHARACTER_IDS


def test_the_cut_is_exact_at_every_stage_and_a_wrong_one_is_noticed(model):
    backbone = catalogue.load(f"elmo/{model}")
    assert backbone.info.stages == ("characters", "layer 1", "layer 2", "mix")
    with torch.no_grad():
        x = inputs(backbone, [*SENTENCES, " ".join(["a long text"] * 100)])
        whole = backbone(x)
        for depth in range(backbone.depth + 1):
            assert float((backbone.suffix(depth)(backbone.prefix(depth)(x)) - whole).abs().max()) <= 1e-5
        hidden = backbone.prefix(2)(x)
        hidden[..., -1] = hidden[..., -1].abs()
        assert float((backbone.suffix(2)(hidden) - whole).abs().max()) > 1e-3
        pooled = backbone.pooled(x)
    assert [each.shape[1] for each in pooled] == [8, 24, 40, 16]
    assert [backbone.pooled_width(stage) for stage in range(1, 5)] == [8, 24, 40, 16]


def test_company_in_a_batch_changes_nothing(model):
    backbone = catalogue.load(f"elmo/{model}")
    with torch.no_grad():
        together = backbone(inputs(backbone))
        alone = torch.cat([backbone(inputs(backbone, [each])) for each in SENTENCES])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("strategy", "depth", "moves"),
    [("probe", None, ()), ("partial", 3, ("mix.",)), ("partial", 2, ("mix.", "layers.1.")), ("full", None, None)],
)
def test_strategies_learn_and_what_is_frozen_stays(model, tmp_path, strategy, depth, moves):
    backbone = catalogue.load(f"elmo/{model}")
    before = backbone.copy()
    options = {} if strategy == "probe" else {"epochs": 2, "rate": 1e-3} | ({"depth": depth} if depth else {})
    made = tune(strategy, labelled.setting(backbone, Store(tmp_path / "store"), CPU, count=30), **options)
    assert not moved(before, backbone)
    found = moved(before, made.network.backbone)
    assert all(name.startswith(moves) for name in found) if moves is not None else "characters.characters" in found
    assert bool(found) == (strategy != "probe")


def test_a_folder_brings_it_back_without_the_published_files(model, tmp_path):
    backbone = catalogue.load(f"elmo/{model}")
    x = inputs(backbone)
    folder.write_folder(backbone, tmp_path / "kept", {})
    for file in model.iterdir():
        file.unlink()
    again = catalogue.load(f"local:{tmp_path / 'kept'}")
    torch.testing.assert_close(again(x), backbone(x))
    assert again.info.stages == backbone.info.stages
    assert inputs(again).equal(x)


def test_it_is_described_without_its_weights_and_published_names_are_read(tmp_path):
    made = publishedelmo.write(tmp_path, prefix="elmo_2x16_8_15cnn_2xhighway_")
    (tmp_path / "elmo_2x16_8_15cnn_2xhighway_weights.hdf5").rename(tmp_path / "later")
    info = catalogue.describe(f"elmo/{made}")
    assert (info.width, info.modality, info.stages[-1]) == (16, "texts", "mix")
    with pytest.raises(WeightsError, match=r"No file ends in .hdf5"):
        catalogue.load(f"elmo/{made}")
    fresh = catalogue.load(f"elmo/{made}", weights=False, seed=1)
    assert not moved(fresh, catalogue.load(f"elmo/{made}", weights=False, seed=1))
    with pytest.raises(BadOption, match="says its architecture itself"):
        catalogue.load(f"elmo/{made}", architecture="elmo/bilm")


def changed(**arrays):
    found = publishedelmo.arrays(publishedelmo.OPTIONS)
    for name, value in arrays.items():
        found[name.replace("__", "/")] = value
    return found


DAMAGED = {
    "misshapen": (changed(CNN__b_cnn_1=np.zeros(3, np.float32)), "CNN/b_cnn_1 is 3 of float32"),
    "whole numbers": (changed(CNN__b_cnn_0=np.zeros(4, np.int32)), "CNN/b_cnn_0 is 4 of int32"),
    "not finite": (changed(CNN_proj__b_proj=np.full(8, np.nan, np.float32)), "b_proj has values that are not finite"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_an_array_that_is_not_as_it_should_be_is_named(tmp_path, case):
    found, message = DAMAGED[case]
    with pytest.raises(WeightsError, match=message):
        catalogue.load(f"elmo/{publishedelmo.write(tmp_path, found=found)}")


def test_a_missing_array_a_link_and_values_elsewhere_are_refused(model, tmp_path):
    path, other = model / "weights.hdf5", tmp_path / "other.hdf5"
    with h5py.File(other, "w") as file:
        file["char_embed"] = publishedelmo.arrays(publishedelmo.OPTIONS)["char_embed"]
    with h5py.File(path, "a") as file:
        del file["char_embed"]
    with pytest.raises(WeightsError, match="char_embed is missing"):
        catalogue.load(f"elmo/{model}")
    with h5py.File(path, "a") as file:
        file["char_embed"] = h5py.ExternalLink(str(other), "char_embed")
    with pytest.raises(WeightsError, match="char_embed leads out of the file"):
        catalogue.load(f"elmo/{model}")
    raw = tmp_path / "raw"
    raw.write_bytes(np.zeros((261, 4), np.float32).tobytes())
    with h5py.File(path, "a") as file:
        del file["char_embed"]
        file.create_dataset("char_embed", (261, 4), "f4", external=[(str(raw), 0, 261 * 16)])
    with pytest.raises(WeightsError, match="lie in another file"):
        catalogue.load(f"elmo/{model}")


def test_a_truncated_file_and_something_else_are_refused(model):
    path = model / "weights.hdf5"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(WeightsError, match="cannot be read"):
        catalogue.load(f"elmo/{model}")
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="cannot be read"):
        catalogue.load(f"elmo/{model}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"char_cnn": {"activation": "swish"}}, "char_cnn.activation"),
        ({"char_cnn": {"filters": [[99, 4]]}}, "wider than a word"),
        ({"char_cnn": {"max_characters_per_token": 20}}, "max_characters_per_token"),
        ({"lstm": {"dim": 4}}, "project 4 numbers up to 8"),
        ({"lstm": {"dim": 10**9}}, "lstm.dim"),
        ({"lstm": {"projection_dim": None}}, "lstm.projection_dim"),
    ],
)
def test_options_that_describe_no_elmo_are_refused(tmp_path, given, message):
    told = publishedelmo.options(**given)
    (tmp_path / "options.json").write_text(json.dumps(told))
    with pytest.raises(WeightsError, match=message):
        catalogue.describe(f"elmo/{tmp_path}")
    with pytest.raises(WeightsError, match=message):
        catalogue.build("elmo/bilm", told)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(WeightsError, match="no such folder"):
        catalogue.describe(f"elmo/{tmp_path / 'none'}")
    with pytest.raises(WeightsError, match=r"No file ends in options\.json"):
        catalogue.describe(f"elmo/{tmp_path}")
    (tmp_path / "options.json").write_text("[" * 100_000)
    with pytest.raises(WeightsError, match="describes no ELMo"):
        catalogue.describe(f"elmo/{tmp_path}")
    with pytest.raises(UnknownName, match="elmo/bilm"):
        catalogue.build("elmo/other", publishedelmo.OPTIONS)


def test_the_published_size_is_the_published_size():
    # elmo_2x4096_512_2048cnn_2xhighway: 93.6 million parameters (Peters et al., 2018, and the table of its models).
    told = publishedelmo.options(
        char_cnn={
            "embedding": {"dim": 16},
            "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
        },
        lstm={"dim": 4096, "projection_dim": 512},
    )
    from headstart.backbones.bilm import Options

    wanted = Options.of(told)
    count = sum(int(np.prod(shape)) for _, shape, _ in elmofile.arrays(wanted))
    assert round(count / 1e6, 1) == 93.6
