"""Where the sealed network looked, for a few tested items: its most confident mistakes, and some right answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from headstart.base import discovery
from headstart.choose import pictures
from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.choose.parts import Part
from headstart.features import attribution, token_attribution
from headstart.features.network import Network
from headstart.features.store import joined
from headstart.tasks.task import Task, text

ITEMS = 12
"""Items that are shown."""
SPARE = 6
"""Further ones, for answers that no place spoke for: they rest on what a network assumes of every item."""
MISTAKES = 6


def rows(tested: Part, task: Task) -> list[int]:
    """Rows of the tested part to look at: mistakes first, then answers of every kind that were better than most."""
    wrong = pictures.mistakes(tested, task)[:MISTAKES].tolist()
    far = task.mistaken(tested.predictions, tested.targets)
    usual = float(np.median(far)) if len(far) else 0.0
    right = [int(row) for row in pictures.of_every_kind(tested, task) if far[row] <= usual and row not in wrong]
    return wrong + right[: ITEMS + SPARE - len(wrong)]


def of(ground: Ground, ended: Finished, tested: Part, shown: Mapping[int, str]) -> list[dict[str, Any]]:
    """Overlays of the rows to look at, written into the run directory; what they are, for ``exhibits.json``.

    Args:
        ground, ended: the run.
        tested: the part that the rows are of.
        shown: position in the data set -> the file that stands for it; what has none is left out.

    Raises:
        MissingExtra: without captum.
        BadOption: when the network has neither a map of places nor tokens.
        Undecodable: for an item that cannot be read any more.
    """
    network, task, data = ended.network, ground.task, ground.dataset
    chosen = [row for row in rows(tested, task) if int(tested.rows[row]) in shown]
    if network is None or not chosen:
        return []
    preprocessing = network.backbone.info.preprocessing
    room = discovery.load("data", data.modality)
    items = [data.items[int(tested.rows[row])] for row in chosen]
    inputs = joined([torch.from_numpy(room.load(item, preprocessing))[None] for item in items])
    network.eval().to(ground.machine.device)
    with torch.inference_mode():
        outputs = network(inputs.to(ground.machine.device)).float().cpu().numpy()
    said = task.predictions(outputs, ended.trial.temperature)
    direction = task.direction(said)
    about = np.ones_like(outputs) if direction is None else direction
    found = _relevance(network, inputs, about, signed=direction is not None)
    result: list[dict[str, Any]] = []
    for row, item, answer, towards, heat in zip(chosen, items, said, about, found.maps, strict=True):
        if not heat.any() or len(result) == ITEMS:
            continue
        position = int(tested.rows[row])
        overlay = room.overlay(item, heat, preprocessing)
        result.append(
            {
                "part": "tested",
                "row": row,
                # Marked words are the item; a picture is looked at beside what was laid over it.
                "picture": shown[position] if isinstance(overlay, bytes) else "",
                "overlay": pictures.write(ground.journal.path, f"heat-{data.digests[position][:20]}", overlay),
                "predicted": text(next(iter(task.answer(answer).values()))),
                "truth": task.meant(tested.targets[row]),
                "about": task.names[int(towards.argmax())],
                "method": found.method,
            }
        )
    return result


def _relevance(network: Network, inputs: torch.Tensor, about: np.ndarray, *, signed: bool) -> attribution.Relevance:
    """How much the places of a map counted, or the tokens where that is what crosses the network's cuts."""
    how = token_attribution.relevance if network.backbone.of_tokens else attribution.relevance
    return how(network, inputs, about, signed=signed)
