"""Networks to cut, with statistics so random that a wrong cut cannot pass, and what their library makes of an input."""

from __future__ import annotations

import copy

import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.vocabulary import BackboneInfo, Preprocessing

TOLERANCE = 1e-5


def info(size: int = 32, name: str = "toy/net") -> BackboneInfo:
    return BackboneInfo(name, name, 0, (), 0, Preprocessing(size))


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every norm gets random statistics, gains and shifts; every dropout is off."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.running_mean.copy_(0.2 * torch.randn(part.running_mean.shape, generator=random))
                part.running_var.copy_(0.5 + torch.rand(part.running_var.shape, generator=random))
            if (
                isinstance(part, nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm)
                and part.weight is not None
            ):
                part.weight.copy_(0.5 + torch.rand(part.weight.shape, generator=random))
                if part.bias is not None:
                    part.bias.copy_(0.2 * torch.randn(part.bias.shape, generator=random))
            if isinstance(part, nn.Dropout):
                part.p = 0.0
    return module


def noise(size: int, n: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, size, size), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def normalised(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    return (images / 255 - mean[:, None, None]) / std[:, None, None]


def gap(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, relative to the largest value."""
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / expected.abs().max())


def worst_cut(backbone: Backbone, images: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest gap over every depth; an input that a suffix writes to counts as infinite."""
    gaps = []
    with torch.no_grad():
        for k in range(backbone.depth + 1):
            hidden = backbone.prefix(k)(images)
            before = hidden.clone()
            gaps.append(gap(backbone.suffix(k)(hidden), expected))
            if not torch.equal(hidden, before):
                gaps.append(float("inf"))
    return max(gaps)


def worst_cut_in_training(backbone: Backbone, images: torch.Tensor) -> float:
    """As ``worst_cut`` in train mode, where batch statistics are used and collected: both must agree."""
    gaps = []
    with torch.no_grad():
        for k in range(backbone.depth + 1):
            whole, parts = copy.deepcopy(backbone).train(), copy.deepcopy(backbone).train()
            expected = whole(images)
            gaps.append(gap(parts.suffix(k)(parts.prefix(k)(images)), expected))
            buffers = dict(parts.module.named_buffers())
            for name, buffer in whole.module.named_buffers():
                torch.testing.assert_close(buffers[name], buffer)
    return max(gaps)


class Residual(nn.Module):
    """A block whose inside is no legal cut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
        self.bn = nn.BatchNorm2d(outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1, stride=stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.bn(self.conv(x)) + self.skip(x))


class Toy(nn.Module):
    """Stem and three residual blocks at falling resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.layer1 = Residual(8, 8)
        self.layer2 = Residual(8, 16, stride=2)
        self.layer3 = Residual(16, 24, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer3(self.layer2(self.layer1(self.stem(x)))).mean((2, 3))


def toy(seed: int = 0) -> Backbone:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Backbone(randomise(Toy()), info())
