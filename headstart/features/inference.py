"""Outputs of a network for a list of items: decoded ahead, run in batches, memory flat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from headstart.backbones import units
from headstart.base import discovery
from headstart.base.errors import Undecodable
from headstart.base.machine import here
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import Reading
from headstart.features import units as units_of
from headstart.features.familiarity import Watched
from headstart.features.network import Features, Network
from headstart.features.reading import load_each
from headstart.features.store import joined

Whole = Network | Features | Watched
"""What takes inputs and puts out rows of a known ``width``."""
SPARE = {"cpu": 32}
"""Places (tokens) that a pass may fill up for nothing, by device: those that take about as long as one more pass, as
measured with an encoder of six layers. A graphics card fills itself up."""
SPARE_ELSEWHERE = 2048
POOL = 16
"""Batches of texts whose items are sorted by length before they are cut apart."""


class Ready:
    """A network made ready once, for many batches: in eval mode, on its device, channels last.

    Args:
        network: changed in place.
        precision: "float32", "bf16" or "auto".
    """

    def __init__(self, network: Whole, precision: str = "float32") -> None:
        self.machine = here(precision)
        self.network = network.eval().to(self.machine.device).to(memory_format=torch.channels_last)

    def __call__(self, arrays: Sequence[np.ndarray], most: int | None = None) -> np.ndarray:
        """Outputs (n, C) float32 of n inputs, (3, s, s) uint8 or tokens (w, t, 2); of tokens (w, t, 3) one row a unit.

        Those of one size are one forward pass, of at most ``most``; of different sizes, those that little has to be
        filled up for.
        """
        counts = [units.number(array) for array in arrays]
        starts = np.cumsum([0, *counts])
        result = np.empty((starts[-1], self.network.width), dtype=np.float32)
        spare = SPARE.get(self.machine.device, SPARE_ELSEWHERE)
        for rows in alike(arrays, spare, most or len(arrays)):
            batch = joined([torch.from_numpy(arrays[row])[None] for row in rows]).to(self.machine.device)
            places = np.concatenate([np.arange(starts[row], starts[row] + counts[row]) for row in rows])
            with torch.inference_mode(), self.machine.autocast():
                result[places] = self.network(batch).float().cpu().numpy()
        return result


def alike(arrays: Sequence[np.ndarray], spare: int, most: int) -> list[list[int]]:
    """Rows in groups of similar sizes.

    Args:
        arrays: inputs; the last axis is what stands in one place.
        spare: places that are filled up in a group, at most.
        most: rows of a group, at most.
    """
    shapes = [array.shape[:-1] for array in arrays]
    groups: list[list[int]] = []
    reach: tuple[int, ...] = ()
    own = 0
    for row in sorted(range(len(arrays)), key=lambda row: (math.prod(shapes[row]), shapes[row])):
        size = math.prod(shapes[row])
        wider = tuple(map(max, zip(reach, shapes[row], strict=True))) if groups else ()
        full = not groups or len(groups[-1]) == most
        if full or (len(groups[-1]) + 1) * math.prod(wider) - own - size > spare:
            groups.append([])
            wider, own = shapes[row], 0
        groups[-1].append(row)
        reach, own = wider, own + size
    return groups


def batch(items: Sequence[Any], preprocessing: Reading | None, *, modality: str) -> torch.Tensor:
    """Items as a network's inputs, one below the other.

    Raises:
        Undecodable: for an item that cannot be read.
    """
    arrays = []
    for array in load_each(items, preprocessing, modality=modality):
        if isinstance(array, Undecodable):
            raise array
        arrays.append(torch.from_numpy(array)[None])
    return joined(arrays)


def outputs(
    network: Whole,
    items: Sequence[Any],
    *,
    preprocessing: Reading,
    modality: str = "images",
    batch_size: int = 32,
    precision: str = "float32",
    failed: dict[int, str] | None = None,
    report: Reporter | None = None,
) -> np.ndarray:
    """Outputs (n, C), float32.

    Args:
        network: put into eval mode; ``Features`` puts out what a head would read, ``Watched`` how strange items are.
        items: what the modality decodes.
        preprocessing: the backbone's.
        modality: a plug-in of the data room.
        batch_size: items in one forward pass.
        precision: "float32", "bf16" or "auto".
        failed: filled with position -> reason for items that cannot be read; their rows are NaN.
        report: told of progress.

    Raises:
        Undecodable: for an item that cannot be read, when ``failed`` is None.
    """
    ready, report = Ready(network, precision), report or Silent()
    result = np.full((len(items), network.width), np.nan, dtype=np.float32)
    waiting: list[tuple[list[int], np.ndarray]] = []
    room = discovery.load("data", modality)
    # Texts of about one length go together, for a pass costs what its longest costs.
    pool = batch_size * (POOL if getattr(room, "RAGGED", False) else 1)
    # Neighbours that are parts of one whole share its pass.
    runs = list(units_of.runs(items, room))

    def run() -> None:
        rows = [position for positions, _ in waiting for position in positions]
        result[rows] = ready([array for _, array in waiting], batch_size)
        report.advance(len(rows))
        waiting.clear()

    report.begin("predict", len(items))
    loaded = load_each([one for one, _ in runs], preprocessing, modality=modality)
    for (_, positions), array in zip(runs, loaded, strict=True):
        if isinstance(array, Undecodable):
            if failed is None:
                raise array
            failed.update(dict.fromkeys(positions, array.what))
            continue
        waiting.append((positions, array))
        if len(waiting) == pool:
            run()
    if waiting:
        run()
    report.end()
    return result
