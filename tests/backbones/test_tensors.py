"""State_dicts that others made: prefixes, source heads, misfits, damage, and files that hold code."""

from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from headstart.backbones import tensors
from headstart.backbones.resnet10 import ResNet10
from headstart.base.errors import WeightsError


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResNet10((4, 8))


@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "backbone.", "module.model.", "_orig_mod.module.backbone."]
)
def test_wrappers_prefixes_are_stripped_and_the_head_is_left_out(prefix: str) -> None:
    source, target = network(1), network(2)
    head = {"fc.weight": torch.zeros(10, 8), "fc.bias": torch.zeros(10)}
    state = {prefix + name: tensor for name, tensor in {**source.state_dict(), **head}.items()}
    assert tensors.fill(target, state, "here") == ("fc.bias", "fc.weight")
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[name])


def test_a_head_beside_a_prefixed_backbone_is_left_out_too() -> None:
    source = network(1)
    state = {f"backbone.{name}": tensor for name, tensor in source.state_dict().items()}
    left = tensors.fill(network(2), {**state, "head.0.weight": torch.zeros(3, 8)}, "here")
    assert left == ("head.0.weight",)


def test_half_precision_is_converted() -> None:
    source, target = network(1), network(2)
    state = {name: t.half() if t.is_floating_point() else t for name, t in source.state_dict().items()}
    tensors.fill(target, state, "here")
    assert all(parameter.dtype == torch.float32 for parameter in target.parameters())
    torch.testing.assert_close(target.stem[0].weight, source.stem[0].weight, rtol=1e-2, atol=1e-3)


def test_misfits_are_listed_with_their_shapes_and_change_nothing() -> None:
    target = network(2)
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    state = dict(network(1).state_dict())
    state["stem.0.weight"] = torch.zeros(4, 1, 3, 3)
    del state["stages.0.conv1.weight"]
    state["stages.9.conv1.weight"] = torch.zeros(2, 2)
    state["stem.1.bias"] = torch.full((4,), float("nan"))
    with pytest.raises(WeightsError) as caught:
        tensors.fill(target, state, "file.pt")
    assert "stem.0.weight is 4x1x3x3, not 4x3x3x3" in caught.value.what
    assert "stages.0.conv1.weight 4x4x3x3 is missing" in caught.value.what
    assert "stages.9.conv1.weight 2x2 has no place" in caught.value.what
    assert "stem.1.bias has values that are not finite" in caught.value.what
    assert caught.value.where == "file.pt"
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_at_most_five_misfits_are_named() -> None:
    with pytest.raises(WeightsError, match=r"and \d+ more") as caught:
        tensors.fill(network(), {"nothing": torch.zeros(1)}, "here")
    assert caught.value.what.count("is missing") == 5


def test_old_files_without_a_count_of_batches_are_fine() -> None:
    state = {name: t for name, t in network(1).state_dict().items() if "num_batches" not in name}
    tensors.fill(network(2), state, "here")


@pytest.mark.parametrize("container", [None, "state_dict", "model", "model_state_dict"])
def test_files_of_pytorch_are_read_with_what_they_are_packed_in(tmp_path: Path, container: str | None) -> None:
    state = network(1).state_dict()
    path = tmp_path / "weights.pt"
    torch.save({container: state, "epoch": 3} if container else state, path)
    found = tensors.read(path)
    assert set(found) == set(state)


def test_safetensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(network(1).state_dict(), path)
    assert torch.equal(tensors.read(path)["stem.0.weight"], network(1).stem[0].weight)


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("packed", ["torch", "pickle"])
def test_a_file_that_holds_code_is_refused_and_not_executed(tmp_path: Path, packed: str) -> None:
    target, path = tmp_path / "executed", tmp_path / "weights.pt"
    state = {"stem.0.weight": torch.zeros(1), "code": Malicious(target)}
    if packed == "torch":
        torch.save(state, path)
    else:
        path.write_bytes(pickle.dumps(state))
    with pytest.raises(WeightsError, match="refused"):
        tensors.read(path)
    assert not target.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.load(path, weights_only=False) if packed == "torch" else pickle.loads(path.read_bytes())
    assert target.exists(), "the file was no threat, so the test proved nothing"


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_damaged_files_are_named(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"weights{suffix}"
    state = network(1).state_dict()
    safetensors.torch.save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    data = path.read_bytes()
    path.write_bytes({"truncated": data[: len(data) // 2], "empty": b"", "text": b"<html>not found</html>"}[damage])
    with pytest.raises(WeightsError) as caught:
        tensors.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in caught.value.what


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, torch.zeros(3)])
def test_a_file_without_named_tensors_is_no_state_dict(tmp_path: Path, content: object) -> None:
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    with pytest.raises(WeightsError, match="no state_dict"):
        tensors.read(path)


def test_layers_that_keep_a_version_load_from_either_kind_of_file(tmp_path: Path) -> None:
    import torchvision

    source, target = torchvision.models.mnasnet0_5(), torchvision.models.mnasnet0_5()
    torch.save(source.state_dict(), tmp_path / "net.pt")
    safetensors.torch.save_file(source.state_dict(), tmp_path / "net.safetensors")
    for name in ("net.pt", "net.safetensors"):
        tensors.fill(target, tensors.read(tmp_path / name), name)
    assert torch.equal(target.layers[0].weight, source.layers[0].weight)
    target.load_state_dict(tensors.read(tmp_path / "net.pt"))
