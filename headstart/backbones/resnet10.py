"""The narrow ResNet-10 of the embedded backbones: small enough to ship in the package and to train on a laptop.

One basic block a stage, as in He et al., Deep Residual Learning for Image Recognition (2016), with a 3x3 stride-2 stem
and no max pooling, so that small pictures keep their detail.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def norm(channels: int, groups: int | None) -> nn.Module:
    """The layer that normalises ``channels``: in ``groups`` of them, or over the batch."""
    return nn.BatchNorm2d(channels) if groups is None else nn.GroupNorm(groups, channels)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a residual connection, which is projected where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, groups: int | None = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = norm(outputs, groups)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = norm(outputs, groups)
        self.relu = nn.ReLU()
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(projection, norm(outputs, groups))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + self.downsample(x))


class ResNet10(nn.Module):
    """Stem and one basic block a stage; pooled features, no source head.

    Args:
        widths: channels after each stage; the stem has the first stage's.
        channels: of the input.
        groups: of GroupNorm (Wu and He, 2018), which needs no batch statistics; None takes BatchNorm.

    Raises:
        ValueError: when ``widths`` is empty, or a width is no multiple of ``groups``.
    """

    def __init__(
        self, widths: Sequence[int] = (48, 96, 192, 384), channels: int = 3, groups: int | None = None
    ) -> None:
        super().__init__()
        if not widths:
            raise ValueError("ResNet10 needs at least one width")
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, stride=2, padding=1, bias=False), norm(widths[0], groups), nn.ReLU()
        )
        before = (widths[0], *widths)
        self.stages = nn.Sequential(
            *(BasicBlock(before[i], width, 1 if i == 0 else 2, groups) for i, width in enumerate(widths))
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.num_features = widths[-1]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised (n, channels, h, w) to pooled features (n, widths[-1])."""
        return torch.flatten(self.pool(self.stages(self.stem(x))), 1)
