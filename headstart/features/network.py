"""A chain with a head on it: ``Network`` is what is sealed and served, ``Tail`` is what is trained.

The tail is everything behind the cut; the frozen prefix is not part of it, so nothing in training can touch it.
"""

from __future__ import annotations

import torch
from torch import nn

from headstart.backbones.chain import Backbone


class Network(nn.Module):
    """A whole classifier.

    Args:
        backbone: the chain.
        head: linear layer over the concatenated pooled features of ``taps``.
        taps: stages (from 1) whose pooled features the head reads; the last stage by default. Stages behind the
            last tap are not run.
    """

    def __init__(self, backbone: Backbone, head: nn.Linear, taps: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.taps = taps or (backbone.depth,)

    @property
    def width(self) -> int:
        """Outputs of an item, C."""
        return self.head.out_features

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs (b, 3, s, s), uint8 or in [0, 1], to outputs (b, C)."""
        return self.head(_tapped(self.backbone, self.taps, inputs))


class Features(nn.Module):
    """A network without its head.

    Args:
        backbone, taps: as ``Network`` takes them.
    """

    def __init__(self, backbone: Backbone, taps: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.taps = taps or (backbone.depth,)

    @property
    def width(self) -> int:
        """Features of an item, d."""
        return sum(self.backbone.pooled_width(tap) for tap in self.taps)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs (b, 3, s, s), uint8 or in [0, 1], to what a head would read, (b, d)."""
        return _tapped(self.backbone, self.taps, inputs)


def _tapped(backbone: Backbone, taps: tuple[int, ...], inputs: torch.Tensor) -> torch.Tensor:
    """The pooled features of some stages side by side, (b, d)."""
    hidden, features = inputs, []
    for stage in range(1, max(taps) + 1):
        hidden = backbone.stages[stage - 1](hidden)
        if stage in taps:
            features.append(backbone.pool(hidden, stage))
    return torch.cat(features, dim=1)


class Tail(nn.Module):
    """Everything behind the cut: the suffix and the head.

    Args:
        suffix: ``backbone.suffix(depth)``.
        head: linear layer over the last stage's features.
    """

    def __init__(self, suffix: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.suffix, self.head = suffix, head

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Activations at the cut (b, ...) to outputs (b, C)."""
        return self.head(self.suffix(hidden))
