"""The invariant of the cut at the published widths of 17 families: every depth, in eval and in train mode.

The reference is the library's own network with the same tensors. In train mode batch statistics are used and collected,
and both must be the same behind every cut as without one. Inputs are the smallest that a family takes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import timm
import torch
import torchvision
from torch import nn

from headstart.backbones import timm as timm_provider
from headstart.backbones.chain import Backbone
from headstart.backbones.revival import revive
from headstart.backbones.torchvision import headless
from tests.backbones.networks import TOLERANCE, gap, info, noise, normalised, randomise

SMALL = {"img_size": 64}
FAMILIES: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "alexnet": (63, lambda: headless(torchvision.models.alexnet())),
    "vgg16": (32, lambda: headless(torchvision.models.vgg16(init_weights=False))),
    "inception_v3": (75, lambda: headless(torchvision.models.inception_v3(transform_input=True, init_weights=False))),
    "googlenet": (64, lambda: headless(torchvision.models.googlenet(transform_input=True, init_weights=False))),
    "resnet50": (64, lambda: timm.create_model("resnet50", num_classes=0)),
    "mobilenetv3_large_100": (64, lambda: timm.create_model("mobilenetv3_large_100", num_classes=0)),
    "efficientnet_b0": (64, lambda: timm.create_model("efficientnet_b0", num_classes=0)),
    "densenet121": (64, lambda: timm.create_model("densenet121", num_classes=0)),
    "convnext_tiny": (64, lambda: timm.create_model("convnext_tiny", num_classes=0)),
    "vit_base_patch16_224": (64, lambda: timm.create_model("vit_base_patch16_224", num_classes=0, **SMALL)),
    "deit_small_patch16_224": (64, lambda: timm.create_model("deit_small_patch16_224", num_classes=0, **SMALL)),
    "deit_small_distilled": (64, lambda: timm.create_model("deit_small_distilled_patch16_224", num_classes=0, **SMALL)),
    "mixer_b16_224": (64, lambda: timm.create_model("mixer_b16_224", num_classes=0, **SMALL)),
    "swin_tiny": (224, lambda: timm.create_model("swin_tiny_patch4_window7_224", num_classes=0)),
    "regnety_016": (64, lambda: timm.create_model("regnety_016", num_classes=0)),
    "mobilevit_s": (64, lambda: timm.create_model("mobilevit_s", num_classes=0)),
    "xception41": (96, lambda: timm.create_model("xception41", num_classes=0)),
}


def still(module: nn.Module) -> nn.Module:
    """Nothing is drawn at random in train mode either, and no block does (nearly) nothing: a wrong cut would pass."""
    for part in randomise(revive(module)).modules():
        if isinstance(part, timm.layers.DropPath):
            part.drop_prob = 0.0
    return module


def built(family: str) -> tuple[Backbone, nn.Module, torch.Tensor]:
    size, make = FAMILIES[family]
    original = still(make())
    module = still(make())
    module.load_state_dict(original.state_dict())
    return Backbone(module, info(size, family), wrapped=timm_provider._kept_whole()), original, noise(size, n=2)


def buffers(backbone: Backbone) -> dict[str, torch.Tensor]:
    return {name: buffer.clone() for name, buffer in backbone.module.named_buffers()}


def gaps(
    backbone: Backbone, images: torch.Tensor, expected: torch.Tensor, after: dict[str, torch.Tensor]
) -> list[float]:
    """The gap at every depth, each from the same statistics; what was collected must be ``after``."""
    before, found = buffers(backbone), []
    for k in range(backbone.depth + 1):
        hidden = backbone.prefix(k)(images)
        kept = hidden.clone()
        found.append(gap(backbone.suffix(k)(hidden), expected))
        assert torch.equal(hidden, kept), f"the suffix behind {k} writes to what the store keeps"
        now = dict(backbone.module.named_buffers())
        for name, buffer in after.items():
            torch.testing.assert_close(now[name], buffer, rtol=1e-4, atol=1e-5)
        for name, buffer in before.items():
            now[name].copy_(buffer)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_every_cut_at_published_width_in_both_modes(family: str) -> None:
    backbone, original, images = built(family)
    x = normalised(images, backbone.info.preprocessing)
    assert 4 <= backbone.depth <= 16
    expected = original.eval()(x)
    assert max(gaps(backbone.eval(), images, expected, dict(original.named_buffers()))) <= TOLERANCE
    for k in range(1, backbone.depth):
        assert wrong(backbone, images, k, expected) > 100 * TOLERANCE
    trained = original.train()(x)
    assert max(gaps(backbone.train(), images, trained, dict(original.named_buffers()))) <= TOLERANCE
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in original.modules()):
        assert gap(trained, expected) > 100 * TOLERANCE, "statistics so random that a wrong mode shows"


def wrong(backbone: Backbone, images: torch.Tensor, k: int, expected: torch.Tensor) -> float:
    """What comes of a cut that leaves one stage out: another shape, or other numbers."""
    try:
        found = backbone.suffix(k + 1)(backbone.prefix(k)(images))
    except RuntimeError:
        return float("inf")
    return gap(found, expected) if found.shape == expected.shape else float("inf")
