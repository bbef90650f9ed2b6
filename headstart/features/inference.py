"""Outputs of a network for a list of items: decoded ahead, run in batches, memory flat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from headstart.base.errors import Undecodable
from headstart.base.machine import here
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import Preprocessing
from headstart.features.network import Network
from headstart.features.reading import load_each


def outputs(
    network: Network,
    items: Sequence[Any],
    *,
    preprocessing: Preprocessing,
    modality: str = "images",
    batch_size: int = 32,
    precision: str = "float32",
    failed: dict[int, str] | None = None,
    report: Reporter | None = None,
) -> np.ndarray:
    """Outputs (n, C), float32.

    Args:
        network: put into eval mode.
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
    machine, report = here(precision), report or Silent()
    network.eval().to(machine.device).to(memory_format=torch.channels_last)
    result = np.full((len(items), network.head.out_features), np.nan, dtype=np.float32)
    waiting: list[tuple[int, np.ndarray]] = []

    def run() -> None:
        batch = torch.from_numpy(np.stack([array for _, array in waiting])).to(machine.device)
        with torch.inference_mode(), machine.autocast():
            values = network(batch).float().cpu().numpy()
        result[[position for position, _ in waiting]] = values
        report.advance(len(waiting))
        waiting.clear()

    report.begin("predict", len(items))
    for position, array in enumerate(load_each(items, preprocessing, modality=modality)):
        if isinstance(array, Undecodable):
            if failed is None:
                raise array
            failed[position] = array.what
            continue
        waiting.append((position, array))
        if len(waiting) == batch_size:
            run()
    if waiting:
        run()
    report.end()
    return result
