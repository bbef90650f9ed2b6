"""torchvision: what is known without a download, weights from the cache, and clear answers without them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
import torchvision as library
from torch import nn

from headstart.backbones import torchvision
from headstart.base.errors import BadOption, UnknownName, WeightsError
from tests.backbones import published

NAME = "resnet18.IMAGENET1K_V1"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def file_of(name: str) -> str:
    return library.models.get_weight(name).url.rsplit("/", 1)[-1]


def test_every_network_is_described_without_being_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision, "get_model", None)
    found = [torchvision.describe(name) for name in torchvision.names()]
    assert len(found) > 80
    assert "vgg16.IMAGENET1K_FEATURES" not in torchvision.names(), "its classifier has no values"
    assert all(info.prior and 40 < info.prior < 95 for info in found)
    assert all(0 < info.preprocessing.crop <= 1 for info in found)
    assert {info.licence for info in found} == {"BSD-3-Clause", "CC-BY-NC-4.0"}


def test_the_facts_of_a_network() -> None:
    info = torchvision.describe(NAME)
    assert (info.name, info.source) == (f"torchvision/{NAME}", "ImageNet-1k")
    assert info.preprocessing.size == 224
    assert info.preprocessing.crop == 224 / 256
    assert info.preprocessing.interpolation == "bilinear"
    assert info.prior == pytest.approx(69.758)
    assert torchvision.describe("resnet50").name == "torchvision/resnet50.IMAGENET1K_V2"


@pytest.mark.parametrize("name", ["resnet81", "resnet18.IMAGENET1K_V9", "fasterrcnn_resnet50_fpn", ""])
def test_an_unknown_name_is_answered_with_known_ones(name: str) -> None:
    with pytest.raises(UnknownName):
        torchvision.load(name)


def test_a_name_says_its_architecture_itself() -> None:
    with pytest.raises(BadOption):
        torchvision.load("resnet18", weights=False, architecture="torchvision/resnet50")


def test_weights_in_the_cache_are_found_and_loaded(cache: Path) -> None:
    source = library.models.resnet18(weights=None).eval()
    torch.save(source.state_dict(), cache / file_of("ResNet18_Weights.IMAGENET1K_V1"))
    assert torchvision.describe(NAME).local
    backbone = torchvision.load(NAME)
    assert backbone.info.width == 512
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(source.fc(backbone.module(x)), source(x))


@pytest.mark.slow
def test_networks_with_auxiliary_heads_load_and_lose_them(cache: Path) -> None:
    source = library.models.googlenet(weights=None, transform_input=True, init_weights=False).eval()
    torch.save(source.state_dict(), cache / file_of("GoogLeNet_Weights.IMAGENET1K_V1"))
    backbone = torchvision.load("googlenet")
    assert not [name for name in backbone.module.state_dict() if "aux" in name]
    x = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(source.fc(backbone.module(x)), source(x))


def test_weights_of_another_network_are_refused(cache: Path) -> None:
    state = library.models.resnet34(weights=None).state_dict()
    torch.save(state, cache / file_of("ResNet18_Weights.IMAGENET1K_V1"))
    with pytest.raises(WeightsError, match="cannot be read"):
        torchvision.load(NAME)


def test_damaged_weights_are_refused(cache: Path) -> None:
    (cache / file_of("ResNet18_Weights.IMAGENET1K_V1")).write_bytes(b"half a download")
    with pytest.raises(WeightsError):
        torchvision.load(NAME)


def test_without_a_network_the_answer_comes_at_once_and_names_the_file(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    begun = time.monotonic()
    with pytest.raises(WeightsError) as caught:
        torchvision.load(NAME)
    assert time.monotonic() - begun < 10
    assert str(cache / "resnet18-f37072fd.pth") in caught.value.expected


def test_offline_mode_is_honoured(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        torchvision.load(NAME)


def test_a_download_is_checked_against_its_hash(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = file_of("ResNet18_Weights.IMAGENET1K_V1")
    folder = tmp_path / "hub" / "acme" / "net"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"something else")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with published.hub(tmp_path / "hub") as server:
        monkeypatch.setattr(torchvision, "_address", lambda weights: f"{server.url}/storage/acme/net/{name}")
        with pytest.raises(WeightsError, match="f37072fd"):
            torchvision.load(NAME)
    assert not list(cache.iterdir())


def test_random_initialisation_comes_from_the_seed_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (torchvision.load("resnet18", weights=False, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.digest() == same.digest() != other.digest()
    assert one.fresh(1).digest() == one.digest()


def test_the_head_goes_with_the_dropout_in_front_of_it() -> None:
    module = torchvision.headless(library.models.mobilenet_v3_small(weights=None))
    assert not [part for part in module.modules() if isinstance(part, nn.Dropout)]
    assert module.eval()(torch.rand(1, 3, 64, 64)).shape == (1, 1024)
    assert torchvision.headless(library.models.squeezenet1_1(weights=None))(torch.rand(2, 3, 64, 64)).shape == (2, 512)
    with pytest.raises(WeightsError, match="no linear layer"):
        torchvision.headless(nn.Sequential(nn.Conv2d(3, 3, 1)))
