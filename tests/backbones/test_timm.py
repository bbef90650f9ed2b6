"""timm: what is known without a network or a download, weights from the cache, and clear answers without them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import timm as library
import torch
from huggingface_hub import constants

from headstart.backbones import hub, timm
from headstart.base.errors import BadOption, UnknownName, WeightsError

NAME = "resnet18.a1_in1k"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put(cache: Path, state: dict[str, torch.Tensor], name: str = "model.safetensors") -> Path:
    """Weights into the cache, as the hub's client lays them out."""
    folder = cache / f"models--timm--{NAME}"
    path = folder / "snapshots" / "abc" / name
    path.parent.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    safetensors.torch.save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


def test_every_pretrained_network_is_described_without_being_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "create_model", None)
    begun = time.monotonic()
    found = [timm.describe(name) for name in timm.names()]
    assert time.monotonic() - begun < 5
    assert len(found) > 1000
    assert all(info.name.startswith("timm/") and info.preprocessing.size > 0 for info in found)
    assert {info.preprocessing.interpolation for info in found} <= {"bilinear", "bicubic", "nearest"}
    assert not [info.name for info in found if "CC-BY-NC" in info.licence and "Apache" in info.licence]


def test_the_facts_of_a_network() -> None:
    info = timm.describe(NAME)
    assert (info.name, info.licence, info.source) == (f"timm/{NAME}", "Apache-2.0", "ImageNet-1k")
    assert info.preprocessing.mean == (0.485, 0.456, 0.406)
    assert info.preprocessing.crop == 0.95
    assert info.prior == pytest.approx(73.158)
    assert not info.local
    assert timm.describe("vit_base_patch16_224.augreg_in21k_ft_in1k").source == "ImageNet-21k, then ImageNet-1k"
    assert timm.describe("vit_base_patch16_224.augreg_in21k_ft_in1k").preprocessing.mean == (0.5, 0.5, 0.5)


def test_every_published_accuracy_belongs_to_a_network() -> None:
    assert set(timm.PRIORS) <= set(timm.names())


def test_a_bare_architecture_stands_for_its_default_weights() -> None:
    assert timm.describe("resnet18") == timm.describe(NAME)


@pytest.mark.parametrize("name", ["resnet81", "resnet18.nothing_in1k", "../etc/passwd", "hf-hub:timm/resnet18", ""])
def test_an_unknown_name_is_answered_with_known_ones(name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        timm.load(name)
    assert caught.value.exit_code == 2
    if name.startswith("resnet"):
        assert "did you mean timm/res" in str(caught.value)


def test_a_name_says_its_architecture_itself() -> None:
    with pytest.raises(BadOption):
        timm.load("resnet18", weights=False, architecture="timm/resnet50")


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_weights_in_the_cache_are_found_and_loaded(cache: Path, file: str) -> None:
    source = library.create_model("resnet18")
    put(cache, source.state_dict(), file)
    assert timm.describe(NAME).local
    backbone = timm.load(NAME)
    assert backbone.info.local
    assert backbone.info.parameters == 11_176_512
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = source.eval().forward_head(source.forward_features(x), pre_logits=True)
        torch.testing.assert_close(backbone.module(x), expected)


def test_weights_with_a_tensor_missing_are_refused(cache: Path) -> None:
    state = library.create_model("resnet18").state_dict()
    del state["layer3.0.conv1.weight"]
    put(cache, state)
    with pytest.raises(WeightsError):
        timm.load(NAME)


def test_damaged_weights_are_refused(cache: Path) -> None:
    path = put(cache, {"conv1.weight": torch.zeros(1)})
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(WeightsError, match=NAME):
        timm.load(NAME)


def test_without_a_network_the_answer_comes_at_once_and_says_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    hub.is_away.cache_clear()
    begun = time.monotonic()
    with pytest.raises(WeightsError, match=r"cannot be reached|did not answer") as caught:
        timm.load(NAME)
    assert time.monotonic() - begun < 10
    assert "local:PATH" in caught.value.next_move
    assert str(cache) in caught.value.expected


def test_offline_mode_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        timm.load(NAME)


def test_random_initialisation_comes_from_the_seed_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (timm.load("resnet10t", weights=False, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.digest() == same.digest() != other.digest()
    assert (one.info.source, one.info.prior, one.info.licence) == ("random initialisation", None, "none")


def test_both_ways_to_leave_the_head_out_give_the_same_tensors() -> None:
    for name in (
        "resnet18",
        "vit_tiny_patch16_224",
        "convnext_atto",
        "mobilenetv3_small_050",
        "deit_tiny_distilled_patch16_224",
    ):
        headless = library.create_model(name, num_classes=0)
        assert set(timm.load(name, weights=False).module.state_dict()) == set(headless.state_dict())


def test_telemetry_is_off_unless_asked_for() -> None:
    code = (
        "import os; os.environ.pop('HF_HUB_DISABLE_TELEMETRY', None)\n"
        "import headstart.backbones.timm\n"
        "from huggingface_hub import constants; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
