"""How far an item lies from anything a network was fitted to: a distance that costs no second pass.

The distance to the nearest training item, over pooled features of several stages, each scaled to length 1 (k-NN
distance: Sun et al. 2022, https://arxiv.org/abs/2204.06507). Earlier stages see what a tuned last stage has learnt to
ignore. ``measure.strangeness`` says the same of plain arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headstart.features.network import Network, pooled
from headstart.measure import strangeness
from headstart.measure.arrays import Floats

STAGES = 4
"""Stages that are looked at, at most: the last that is run, and others evenly before it."""
MOST = 1000
"""Training items that an item is compared with, at most."""
LARGEST = 1_500_000
"""Bytes that they may take in a sealed model."""
_STEPS = 127


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Features of items that a network was fitted to, in as few bytes as will do.

    Attributes:
        stages: whose features they are, from 1.
        reference: (r, d) int8, the stages side by side.
        scale: (d,) float32, what one step of each column stands for.
    """

    stages: tuple[int, ...]
    reference: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, stages: Sequence[int], parts: Sequence[np.ndarray]) -> Known:
        """Of the features (r, d_k) of each stage.

        Raises:
            DataError: features that are not finite, or none.
        """
        beside = strangeness.side_by_side(parts)
        ends = np.cumsum([0, *(part.shape[1] for part in parts)])
        scale = np.ones(beside.shape[1], np.float32)
        for start, end in pairwise(ends):
            scale[start:end] = max(float(np.abs(beside[:, start:end]).max()), 1e-6) / _STEPS
        return cls(tuple(stages), np.rint(beside / scale).astype(np.int8), scale)

    @property
    def values(self) -> np.ndarray:
        """The features (r, d) themselves, float32."""
        return self.reference.astype(np.float32) * self.scale

    def distances(self, parts: Sequence[np.ndarray]) -> Floats:
        """Distance (n,) to the nearest known item, of features (n, d_k) of each stage."""
        return strangeness.nearest(self.values, strangeness.side_by_side(parts))


def stages_of(network: Network) -> tuple[int, ...]:
    """The stages that are looked at, no later than the last that the network runs."""
    last = max(network.taps)
    return tuple(int(each) for each in np.unique(np.linspace(1, last, min(STAGES, last)).round()))


def room(widths: int) -> int:
    """How many items can be known whose features are so many."""
    return max(1, min(MOST, LARGEST // max(1, widths)))


class Watched(nn.Module):
    """A network that also says how strange its input is, in the same pass.

    Args:
        network: whole, head included.
        known: the training items' features.
        line: the distance that counts as 1, above which an item is unfamiliar.
    """

    reference: torch.Tensor

    def __init__(self, network: Network, known: Known, line: float) -> None:
        super().__init__()
        self.network, self.stages, self.line = network, known.stages, line
        self.register_buffer("reference", torch.from_numpy(known.values), persistent=False)

    @property
    def width(self) -> int:
        """Outputs of an item and its strangeness, C + 1."""
        return self.network.width + 1

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs (b, 3, s, s), uint8 or in [0, 1], to outputs and strangeness (b, C + 1)."""
        network = self.network
        parts = pooled(network.backbone, sorted({*self.stages, *network.taps}), inputs)
        outputs = network.head(torch.cat([parts[tap] for tap in sorted(network.taps)], dim=1))
        return torch.cat([outputs.float(), self.strange(parts)[:, None]], dim=1)

    def strange(self, parts: Mapping[int, torch.Tensor]) -> torch.Tensor:
        """Strangeness (b,) from pooled features: the distance to the nearest known item, in lines."""
        # In half precision the difference of two large products would be noise.
        with torch.autocast(self.reference.device.type, enabled=False):
            asked = torch.cat([functional.normalize(parts[stage].float(), dim=1) for stage in self.stages], dim=1)
            own = self.reference.square().sum(dim=1)
            squared = own + asked.square().sum(dim=1, keepdim=True) - 2 * asked @ self.reference.T
            return squared.amin(dim=1).clamp(min=0).sqrt() / self.line
