"""What a network makes of its own source, once it is made: the statistics that travel with its weights.

They are of the source's items as they are, without augmentation, as a target's items will be when they are compared.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from headstart.backbones.chain import Backbone
from headstart.backbones.statistics import KEPT, LEAST, Statistics, split
from headstart.base.machine import Machine
from headstart.base.progress import Reporter, Silent
from headstart.base.seeds import derive, generator

MOST = 4096 + KEPT
"""Items of the source that are looked at, those whose features are kept among them."""
BATCH = 64


class Inputs(Protocol):
    """A source's items as the network reads them."""

    def __len__(self) -> int: ...

    def __getitem__(self, positions: np.ndarray) -> torch.Tensor:
        """Inputs (b, 3, s, s) uint8 of the items at these positions."""


class Part:
    """The first ``number`` items of some inputs."""

    def __init__(self, inputs: Inputs, number: int) -> None:
        self.inputs, self.number = inputs, number

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, positions: np.ndarray) -> torch.Tensor:
        return self.inputs[positions]


def statistics(
    backbone: Backbone,
    inputs: Inputs,
    machine: Machine,
    *,
    dtype: torch.dtype | None = None,
    seed: int = 0,
    report: Reporter | None = None,
) -> Statistics | None:
    """The statistics of a network's pooled last-stage features over its source; None for a source of too few items.

    Args:
        backbone: left as it is.
        inputs: the source's items.
        machine: where, and in which precision.
        dtype: what the weights will be stored in, as ``folder.write_folder`` takes it: what is loaded is compared.
        seed: of the choice among many items.
        report: told of progress.
    """
    if len(inputs) < LEAST:
        return None
    report, network = report or Silent(), stored(backbone, dtype).to(machine.device)
    rows = np.sort(generator(seed, "source").permutation(len(inputs))[:MOST])
    report.begin("features of the source", len(rows))
    found = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        with torch.inference_mode(), machine.autocast():
            found.append(network.pooled(inputs[batch].to(machine.device))[-1].float().cpu().numpy())
        report.advance(len(batch))
    report.end()
    return split(np.concatenate(found), rows, precision=machine.precision, seed=derive(seed, "kept"))


def stored(backbone: Backbone, dtype: torch.dtype | None) -> Backbone:
    """A copy with the weights that a folder of this type gives back."""
    copy = backbone.copy().eval()
    if dtype is not None:
        for tensor in copy.module.state_dict().values():
            if tensor.is_floating_point() and tensor.dim() > 1:
                tensor.copy_(tensor.to(dtype))
    return copy
