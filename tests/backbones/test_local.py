"""local:PATH: a backbone's folder, a sealed model, a bare state_dict; and everything else, refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import timm as library
import torch

from headstart.backbones import catalogue, embedded, local
from headstart.backbones.folder import write_folder
from headstart.base import hashes, manifest
from headstart.base.errors import BadOption, ModelFolderError, UnknownName, WeightsError
from tests.backbones.networks import gap, noise, randomise

ARCHITECTURE = "embedded/resnet10-4-8"


def network(seed: int = 1) -> torch.nn.Module:
    return randomise(embedded.load("resnet10-4-8", weights=False, seed=seed).module)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save({f"module.{name}": tensor for name, tensor in network().state_dict().items()}, tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_paths_are_no_names() -> None:
    assert local.names() == ()


def test_a_bare_state_dict_with_its_architecture(file: Path) -> None:
    backbone = catalogue.load(f"local:{file}", architecture=ARCHITECTURE)
    assert torch.equal(backbone.module.stem[0].weight, network().stem[0].weight)
    info = backbone.info
    assert (info.name, info.architecture, info.source) == (f"local:{file}", ARCHITECTURE, "the file net.pt")
    assert info.licence == "unknown"
    assert backbone.fresh(2).info.source == "random initialisation"


def test_timm_and_torchvision_architectures_and_the_head_that_is_left_out(tmp_path: Path) -> None:
    source = library.create_model("resnet10t").eval()
    safetensors.torch.save_file(source.state_dict(), tmp_path / "net.safetensors")
    backbone = catalogue.load(f"local:{tmp_path / 'net.safetensors'}", architecture="timm/resnet10t")
    assert "its source head was left out (fc.bias, fc.weight)" in backbone.info.source
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(source.fc(backbone.module(x)), source(x))


def test_without_its_architecture_the_next_move_is_said(file: Path) -> None:
    with pytest.raises(BadOption, match="--architecture"):
        local.load(str(file))
    with pytest.raises(WeightsError, match="--architecture"):
        local.describe(str(file))


def test_a_wrong_architecture_names_what_does_not_fit(file: Path) -> None:
    with pytest.raises(WeightsError, match=r"stem\.0\.weight is 4x3x3x3, not 5x3x3x3"):
        local.load(str(file), architecture="embedded/resnet10-5-8")
    with pytest.raises(UnknownName, match="did you mean"):
        local.load(str(file), architecture="timm/resnet81")
    with pytest.raises(BadOption, match="not a path"):
        local.load(str(file), architecture="local:/tmp")


@pytest.mark.parametrize("name", ["nowhere", "", "nowhere/model.pt"])
def test_a_path_that_is_not_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for function in (local.load, local.describe):
        with pytest.raises(WeightsError, match=r"no such file or folder|needs a path"):
            function(name)


def test_a_folder_without_a_backbone(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no backbone"):
        local.load(str(tmp_path))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"\.onnx file"):
        local.load(str(tmp_path / "net.onnx"), architecture=ARCHITECTURE)


def test_a_backbones_folder(tmp_path: Path) -> None:
    made = embedded.load("resnet10-4-8", weights=False, seed=1)
    write_folder(made, tmp_path / "net", {})
    backbone = catalogue.load(f"local:{tmp_path / 'net'}")
    assert backbone.digest() == made.digest()
    assert catalogue.describe(f"local:{tmp_path / 'net'}") == backbone.info
    with pytest.raises(BadOption, match="says its architecture itself"):
        local.load(str(tmp_path / "net"), architecture=ARCHITECTURE)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A sealed model, as the ship room writes it."""
    folder = tmp_path / "model"
    folder.mkdir()
    state = {f"backbone.{name}": tensor for name, tensor in network().state_dict().items()}
    state |= {"head.weight": torch.zeros(2, 8), "head.bias": torch.zeros(2)}
    safetensors.torch.save_file(state, folder / manifest.WEIGHTS)
    safetensors.torch.save_file({"inputs": torch.zeros(1)}, folder / manifest.GOLDEN)
    files = {
        name: {"sha256": hashes.of_file(folder / name), "size": (folder / name).stat().st_size}
        for name in (manifest.WEIGHTS, manifest.GOLDEN)
    }
    described = {
        "schema_version": 1,
        "headstart": "0.1.0",
        "created": "2025-01-01T00:00:00+00:00",
        "task": "classification",
        "kind": "network",
        "modality": "images",
        "classes": ["a", "b"],
        "preprocessing": {
            "size": 40,
            "mean": [0.1, 0.2, 0.3],
            "std": [0.4, 0.5, 0.6],
            "interpolation": "bilinear",
            "crop": 0.9,
        },
        "backbone": {
            "name": "embedded/tiny",
            "architecture": ARCHITECTURE,
            "stages": ["stem", "stages.0", "stages.1"],
            "taps": [3],
            "depth": 1,
            "licence": "Apache-2.0",
            "source": "generated patterns",
            "digest": "0" * 64,
        },
        "head": {"width": 8, "classes": 2},
        "baseline": None,
        "temperature": 1.0,
        "libraries": {},
        "data": {},
        "training": {},
        "evidence": [],
        "verdict": {},
        "metrics": {},
        "golden": {"origin": "generated", "count": 8, "tolerance": 0.001},
        "files": files,
    }
    (folder / manifest.NAME).write_text(json.dumps(manifest.sealed(described)))
    return folder


def test_a_sealed_models_backbone(model: Path) -> None:
    backbone = catalogue.load(f"local:{model}")
    assert torch.equal(backbone.module.stem[0].weight, network().stem[0].weight)
    assert backbone.info.preprocessing.mean == (0.1, 0.2, 0.3)
    assert backbone.info.source == "generated patterns, then the data of model"
    assert backbone.info.licence == "Apache-2.0"
    described = catalogue.describe(f"local:{model}")
    assert (described.name, described.preprocessing.size) == (f"local:{model}", 40)
    images = noise(40)
    with torch.no_grad():
        mean, std = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.4, 0.5, 0.6])
        x = (images / 255 - mean[:, None, None]) / std[:, None, None]
        assert gap(backbone(images), network().eval()(x)) < 1e-5
    untrained = local.load(str(model), weights=False, seed=9)
    assert untrained.info.preprocessing == backbone.info.preprocessing
    assert untrained.digest() != backbone.digest()


def test_an_edited_or_truncated_model_is_refused(model: Path) -> None:
    path = model / manifest.WEIGHTS
    data = path.read_bytes()
    for changed in (data[:-1] + bytes([data[-1] ^ 1]), data[:-10]):
        path.write_bytes(changed)
        with pytest.raises(ModelFolderError):
            local.load(str(model))


@pytest.mark.parametrize("name", ["../../secret.safetensors", "/etc/passwd", "a/b"])
def test_a_model_that_names_files_elsewhere_is_refused(model: Path, name: str) -> None:
    path = model / manifest.NAME
    described = json.loads(path.read_text())
    described["files"][name] = described["files"][manifest.WEIGHTS]
    path.write_text(json.dumps(manifest.sealed(described)))
    with pytest.raises(ModelFolderError):
        local.load(str(model))


def test_a_link_out_of_the_model_is_refused(model: Path) -> None:
    outside = model.parent / "outside.safetensors"
    (model / manifest.WEIGHTS).rename(outside)
    (model / manifest.WEIGHTS).symlink_to(outside)
    with pytest.raises(ModelFolderError, match="out of the folder"):
        local.load(str(model))


def test_a_baseline_has_no_backbone(model: Path) -> None:
    path = model / manifest.NAME
    described = json.loads(path.read_text())
    described |= {"kind": "baseline", "backbone": None, "head": None, "baseline": {"name": "majority", "state": {}}}
    path.write_text(json.dumps(manifest.sealed(described)))
    with pytest.raises(WeightsError, match="no network in it"):
        local.load(str(model))
