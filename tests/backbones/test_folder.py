"""A backbone's folder comes back as it was written; an edited or unsafe one is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from headstart.backbones import catalogue, embedded
from headstart.backbones.chain import Backbone
from headstart.backbones.folder import DESCRIPTION, WEIGHTS, describe_folder, read_folder, write_folder
from headstart.base.errors import HeadstartError, WeightsError
from headstart.base.vocabulary import Preprocessing
from headstart.data import texts
from tests.backbones.networks import gap, noise, randomise


def made() -> Backbone:
    backbone = embedded.load("resnet10-4-8", weights=False, seed=1)
    randomise(backbone.module)
    preprocessing = Preprocessing(32, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "nearest", 0.9)
    info = replace(backbone.info, licence="Apache-2.0", source="generated patterns", preprocessing=preprocessing)
    return backbone.known_as(info)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(made(), tmp_path / "deep" / "net", {"command": "headstart pretrain", "loss": 1.5})
    return tmp_path / "deep" / "net"


def edit(folder: Path, **changes: Any) -> None:
    path = folder / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_is_written_is_read_back(folder: Path) -> None:
    before, after = made(), read_folder(folder)
    with torch.no_grad():
        assert torch.equal(before(noise(32)), after(noise(32)))
    assert after.info == replace(before.info, name=f"local:{folder}", local=True)
    assert describe_folder(folder) == after.info
    assert sorted(path.name for path in folder.iterdir()) == [DESCRIPTION, WEIGHTS]
    assert json.loads((folder / DESCRIPTION).read_text())["card"] == {"command": "headstart pretrain", "loss": 1.5}
    assert after.fresh(1).info.preprocessing == before.info.preprocessing


def test_half_precision_halves_the_file(tmp_path: Path, folder: Path) -> None:
    write_folder(made(), tmp_path / "half", {}, dtype=torch.float16)
    assert (tmp_path / "half" / WEIGHTS).stat().st_size < 0.7 * (folder / WEIGHTS).stat().st_size
    half = read_folder(tmp_path / "half")
    assert half.module.stem[0].weight.dtype == torch.float32
    with torch.no_grad():
        assert gap(half(noise(32)), made()(noise(32))) < 0.01


def test_without_weights_it_is_the_same_network_untrained(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    backbone = read_folder(folder, weights=False, seed=4)
    assert backbone.info.source == "random initialisation"
    assert backbone.info.preprocessing == made().info.preprocessing
    assert not describe_folder(folder).local


@pytest.mark.parametrize("damage", ["edited", "truncated", "empty", "missing"])
def test_damaged_weights_are_refused(folder: Path, damage: str) -> None:
    path = folder / WEIGHTS
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        changed = data[:-1] + bytes([data[-1] ^ 1])
        path.write_bytes({"edited": changed, "truncated": data[:-100], "empty": b""}[damage])
    with pytest.raises(WeightsError):
        read_folder(folder)


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    outside = folder.parent / "outside.safetensors"
    (folder / WEIGHTS).rename(outside)
    (folder / WEIGHTS).symlink_to(outside)
    with pytest.raises(WeightsError, match="leads out of the folder"):
        read_folder(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema_version": 2},
        {"architecture": "local:/etc"},
        {"architecture": "../../other"},
        {"architecture": "embedded/resnet10/../x"},
        {"architecture": 3},
        {"weights": {"sha256": "00", "bytes": 3}},
        {"weights": {"sha256": "0" * 64, "bytes": 3, "file": "../../secret"}},
        {"preprocessing": {"size": 10**9, "mean": [0, 0, 0], "std": [1, 1, 1], "interpolation": "bicubic", "crop": 1}},
        {"preprocessing": {"size": 32, "mean": [0, 0, 0], "std": [0, 1, 1], "interpolation": "bicubic", "crop": 1}},
        {"unheard": "of"},
    ],
)
def test_an_impossible_description_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    edit(folder, **changes)
    with pytest.raises(WeightsError, match="description"):
        read_folder(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": ' * 5000])
def test_a_description_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / DESCRIPTION).write_text(text)
    with pytest.raises(WeightsError, match="description"):
        read_folder(folder)


def test_an_architecture_that_nothing_builds_is_named(folder: Path) -> None:
    edit(folder, architecture="embedded/resnet11")
    with pytest.raises(WeightsError, match="resnet11"):
        read_folder(folder)


def test_tensors_of_another_network_do_not_fit(folder: Path) -> None:
    edit(folder, architecture="embedded/resnet10-4-9")
    with pytest.raises(WeightsError, match="do not fit"):
        read_folder(folder)


def test_an_unwritable_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HeadstartError, match="Cannot write"):
        write_folder(made(), tmp_path / "file" / "net", {})


def text_folder(tmp_path: Path) -> tuple[Backbone, Path]:
    textual = pytest.importorskip("tests.backbones.textual")
    backbone = catalogue.load(f"local:{textual.sentence_encoder(tmp_path / 'published', pooling='cls_token')}")
    write_folder(backbone, tmp_path / "net", {})
    return backbone, tmp_path / "net"


def test_a_text_network_brings_its_tokenizer(tmp_path: Path) -> None:
    backbone, folder = text_folder(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [DESCRIPTION, "tokenizer.json", WEIGHTS]
    found, described = read_folder(folder), describe_folder(folder)
    assert found.digest() == backbone.digest()
    for info in (found.info, described, read_folder(folder, weights=False).info):
        assert info.preprocessing == backbone.info.preprocessing
        assert info.preprocessing.content == backbone.info.preprocessing.content
        assert info.modality == "texts"
    tokens = torch.from_numpy(texts.load("the cat sat", found.info.preprocessing))[None]
    with torch.no_grad():
        assert torch.equal(found(tokens), backbone(tokens))


def test_another_tokenizer_or_none_is_refused(tmp_path: Path) -> None:
    _, folder = text_folder(tmp_path)
    place = folder / "tokenizer.json"
    place.write_bytes(place.read_bytes() + b"\n")
    for read in (read_folder, describe_folder):
        with pytest.raises(WeightsError, match=r"tokenizer\.json is not the one"):
            read(folder)
    place.unlink()
    with pytest.raises(WeightsError, match=r"tokenizer\.json cannot be read"):
        read_folder(folder)
