"""A chain with a head on it: ``Network`` is what is sealed and served, ``Tail`` is what is trained.

The tail is everything behind the cut; the frozen prefix is not part of it, so nothing in training can touch it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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

    def __init__(self, backbone: Backbone, taps: Sequence[int] | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.taps = tuple(taps or (backbone.depth,))

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of an item from each tap, d_k."""
        return tuple(self.backbone.pooled_width(tap) for tap in self.taps)

    @property
    def width(self) -> int:
        """Features of an item, d."""
        return sum(self.widths)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs (b, 3, s, s), uint8 or in [0, 1], to what a head would read, (b, d)."""
        return _tapped(self.backbone, self.taps, inputs)

    def apart(self, features: np.ndarray) -> list[np.ndarray]:
        """Features (n, d) tap by tap."""
        return np.split(features, np.cumsum(self.widths)[:-1], axis=1)


def pooled(
    backbone: Backbone, stages: Sequence[int], hidden: torch.Tensor, *, behind: int = 0
) -> dict[int, torch.Tensor]:
    """Stage -> its pooled features (b, d_k), in ascending order; what lies behind the last of them is not run.

    Args:
        backbone: the chain.
        stages: which are wanted, from 1.
        hidden: inputs, or what crossed the cut ``behind`` so many stages.
        behind: stages that ran before; of these there are no features.
    """
    found = {}
    for stage in range(behind + 1, max(stages) + 1):
        hidden = backbone.stages[stage - 1](hidden)
        if stage in stages:
            found[stage] = backbone.pool(hidden, stage)
    return found


def _tapped(backbone: Backbone, taps: Sequence[int], inputs: torch.Tensor) -> torch.Tensor:
    """The pooled features of some stages side by side, (b, d)."""
    return torch.cat(list(pooled(backbone, taps, inputs).values()), dim=1)


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
