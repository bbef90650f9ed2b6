"""The source head beside a backbone says what the published network says, and is no part of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm as library
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from headstart.backbones import catalogue, heads
from headstart.backbones import torchvision as provider
from headstart.backbones.chain import Backbone
from headstart.base.vocabulary import BackboneInfo, Preprocessing
from tests.backbones import published
from tests.backbones.networks import randomise

LIST = ("test_resnet.r160_in1k", "test_vit.r160_in1k", "test_efficientnet.r160_in1k", "mobilenetv3_small_050")


def said(backbone: Backbone, pictures: torch.Tensor) -> torch.Tensor:
    assert backbone.source_head is not None
    weight, bias = map(torch.from_numpy, backbone.source_head)
    with torch.inference_mode():
        return backbone(pictures) @ weight.T + bias


def pictures(size: int) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", LIST)
def test_a_folder_of_timms_keeps_its_head(tmp_path: Path, name: str) -> None:
    model = published.timm_network(tmp_path, name, config=True)
    found = catalogue.load(f"local:{tmp_path}")
    given = pictures(found.info.preprocessing.size)
    with torch.inference_mode():
        expected = model(found.input(given))
    torch.testing.assert_close(said(found, given), expected, rtol=1e-4, atol=1e-4)


def test_a_folder_of_transformers_keeps_its_head(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    model = published.vit(tmp_path)
    found = catalogue.load(f"local:{tmp_path}")
    given = pictures(found.info.preprocessing.size)
    with torch.inference_mode():
        expected = model(pixel_values=found.input(given)).logits
    torch.testing.assert_close(said(found, given), expected, rtol=1e-4, atol=1e-4)
    assert catalogue.load(f"local:{tmp_path}", weights=False).source_head is None


def test_a_bare_state_dict_keeps_its_head(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = randomise(torchvision.models.resnet18(num_classes=1000)).eval()
    save_file(model.state_dict(), tmp_path / "net.safetensors")
    found = catalogue.load(f"local:{tmp_path / 'net.safetensors'}", architecture="torchvision/resnet18")
    given = pictures(64)
    with torch.inference_mode():
        expected = model(found.input(given))
    torch.testing.assert_close(said(found, given), expected, rtol=1e-4, atol=1e-4)


def test_torchvisions_own_weights_keep_it_and_random_ones_have_none() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = torchvision.models.mobilenet_v3_small(num_classes=1000).state_dict()
    name = "mobilenet_v3_small.IMAGENET1K_V1"
    module = provider._new(name, state)
    head = heads.take(module, 1024)
    assert head is not None
    assert torch.equal(torch.from_numpy(head[0]), state["classifier.3.weight"])
    assert torch.equal(torch.from_numpy(head[1]), state["classifier.3.bias"])
    assert heads.take(provider._new(name), 1024) is None
    assert catalogue.load(f"torchvision/{name}", weights=False).source_head is None
    assert catalogue.load("embedded/resnet10-procedural").source_head is None


def test_timms_constructor_leaves_it_only_with_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from headstart.backbones import timm

    create = library.create_model
    monkeypatch.setattr(library, "create_model", lambda name, pretrained=False, **given: create(name, **given))
    module: Any = timm._new("resnet10t", pretrained=True)
    head = heads.take(module, 512)
    assert head is not None and head[0].shape == (1000, 512)
    assert heads.take(module, 512) is None
    assert heads.take(timm._new("resnet10t", pretrained=False), 512) is None


def test_it_is_no_part_of_what_the_network_is(tmp_path: Path) -> None:
    published.timm_network(tmp_path, config=True)
    found, before = catalogue.load(f"local:{tmp_path}"), catalogue.load(f"local:{tmp_path}")
    before.source_head = None
    assert found.source_head is not None
    assert found.digest() == before.digest()
    assert found.state_dict().keys() == before.state_dict().keys()
    assert found.fresh(0).source_head is None


def test_what_is_no_single_linear_layer_is_no_head() -> None:
    assert heads.of_layer(nn.Conv2d(4, 10, 1)) is None
    assert heads.of_layer((nn.Linear(4, 10), nn.Linear(4, 10))) is None
    assert heads.of_layer(nn.Linear(4, 1)) is None
    layer = heads.of_layer(nn.Linear(4, 10, bias=False))
    assert layer is not None and not layer[1].any()


def test_a_head_in_a_file_must_fit_and_be_finite() -> None:
    state = {"fc.weight": torch.ones(10, 4), "fc.bias": torch.zeros(10), "layer.weight": torch.ones(4, 4)}
    assert heads.of_state(state, None, 4) is not None
    assert heads.of_state(state, "fc", 4) is not None
    assert heads.of_state(state, None, 5) is None
    assert heads.of_state(state, "classifier", 4) is None
    assert heads.of_state(state | {"head.weight": torch.ones(10, 4)}, None, 4) is None
    assert heads.of_state(state | {"fc.bias": torch.zeros(3)}, None, 4) is None
    assert heads.of_state(state | {"fc.weight": torch.full((10, 4), float("nan"))}, None, 4) is None


def test_a_head_of_another_width_is_not_taken() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    heads.leave(module, heads.of_layer(nn.Linear(7, 10)))
    info = BackboneInfo("test/a", "test/a", 0, (), 0, Preprocessing(size=16))
    assert Backbone(module, info).source_head is None
