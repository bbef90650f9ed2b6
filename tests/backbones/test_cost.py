"""Multiply-adds against closed forms and published numbers, and facts that are counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm as library
import torch
from torch import nn

from headstart.api import backbones as api
from headstart.backbones import catalogue, cost
from headstart.backbones.chain import Backbone
from tests.backbones.networks import info, randomise


def test_convolutions_linear_layers_and_attention_by_their_closed_forms() -> None:
    convolution = nn.Conv2d(3, 8, 3, padding=1)
    grouped = nn.Conv2d(8, 8, 3, padding=1, groups=8)
    tokens, width = 16, 8
    attention = nn.MultiheadAttention(width, 2, batch_first=True)

    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = attention

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.flatten(2).transpose(1, 2)
            return self.inner(x, x, x, need_weights=False)[0].mean(1)

    found = cost.counted([convolution, grouped, Attends(), nn.Linear(8, 5)], torch.zeros(1, 3, 4, 4))
    assert found[0] == 16 * 8 * 3 * 9
    assert found[1] == 16 * 8 * 9
    assert found[2] == 4 * tokens * width * width + 2 * tokens * tokens * width
    assert found[3] == 8 * 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"),
    [("resnet50", 4.1e9), ("mobilenetv3_large_100", 0.22e9), ("deit_small_patch16_224", 4.6e9), ("vgg16", 15.4e9)],
)
def test_the_published_numbers_of_whole_networks(name: str, published: float) -> None:
    """As in the papers and torchvision's tables, which count the head too: at most a percent of these."""
    backbone = Backbone(library.create_model(name, num_classes=0), info(224))
    assert sum(cost.multiply_adds(backbone)) == pytest.approx(published, rel=0.03)


def test_a_network_is_built_once_to_be_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    first = api.describe_backbone("timm/test_resnet.r160_in1k")
    assert first.flops == sum(first.stage_flops) > 0
    assert len(first.stage_flops) == len(first.stages)
    monkeypatch.setattr(catalogue, "build", None)
    assert api.describe_backbone("timm/test_resnet.r160_in1k") == first
    assert [one.flops for one in api.list_backbones("timm/test_resnet.")] == [first.flops]
    (tmp_path / "backbones.json").write_text("{}")
    with pytest.raises(TypeError):
        api.describe_backbone("timm/test_resnet.r160_in1k")


def test_counting_leaves_the_network_as_it_was() -> None:
    net = randomise(library.create_model("test_resnet", num_classes=0))
    backbone = Backbone(net, info(64))
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    cost.multiply_adds(backbone)
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.state_dict().items())
