"""After revival every residual branch adds something."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from headstart.backbones.revival import SMALL, revive
from headstart.backbones.torchvision import headless


def moved(module: nn.Module, block: str, size: int) -> float:
    """How much a block changes its input, relative to it."""
    seen: dict[str, torch.Tensor] = {}

    def watch(part: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        seen["in"], seen["out"] = inputs[0], output

    handle = module.get_submodule(block).register_forward_hook(watch)
    with torch.no_grad():
        module.eval()(torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0)))
    handle.remove()
    return float((seen["out"] - seen["in"]).norm() / seen["in"].norm())


@pytest.mark.parametrize(
    ("name", "block", "size"), [("resnet18", "layer1.1", 64), ("convnext_atto", "stages.2.blocks.1", 64)]
)
def test_a_block_that_did_nothing_does_something(name: str, block: str, size: int) -> None:
    module = timm.create_model(name, num_classes=0)
    assert moved(module, block, size) < 1e-3
    assert moved(revive(module), block, size) > 1e-2


def test_torchvisions_layer_scale_is_raised() -> None:
    import torchvision

    module = headless(torchvision.models.convnext_tiny(weights=None))
    revive(module)
    scales = [part for name, part in module.named_parameters() if name.endswith("layer_scale")]
    assert scales
    assert all(bool((scale == SMALL).all()) for scale in scales)


def test_living_gains_are_left_alone() -> None:
    norm = nn.BatchNorm2d(3)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.0, 0.3, -1.0]))
    assert revive(norm).weight.tolist() == pytest.approx([0.0, 0.3, -1.0])
    assert not nn.init.zeros_(nn.Linear(2, 2).weight).any()
    linear = nn.Linear(2, 2)
    nn.init.zeros_(linear.weight)
    assert not revive(linear).weight.any()
