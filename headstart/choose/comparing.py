"""What diagnoses compare after a run: gains between candidates, item by item, and the sealed network on what it learnt.

The predictions of every candidate are gone once a run has ended, so what can only be said with them is said here. None
of it chooses anything: it is measured when the models are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from headstart.base import seeds
from headstart.base.manifest import plain
from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb
from headstart.choose.trial import Trial
from headstart.features.frozen import BATCH
from headstart.features.inference import Ready
from headstart.features.network import Network
from headstart.measure import intervals
from headstart.measure.metric import Metric

SAMPLE = 256
"""Items of those it was fitted to that the sealed network is asked about: +-2.5 points at 95 %, in eight batches."""
_DRAWS = 4_000_000


def in_points(ground: Ground) -> Metric:
    """The score that the verdict is stated in, or, where that has no points, the one whose hundredth is a point."""
    stated = ground.task.metric(ground.task.stated(ground.metric))
    return stated if stated.percent else ground.task.metric(ground.task.points)


def compared(ground: Ground, found: Climb, ended: Finished) -> dict[str, Any]:
    """How much better the sealed candidate and the best transferred one are than each other, as plain data."""
    metric = in_points(ground)
    measured = [one for one in found.trials if one.row.status == "measured"]
    best = found.best(ground.task, ground.metric, ["transfer"])
    references = [ended.trial] if best is None or best is ended.trial else [ended.trial, best]
    pairs = [
        {"of": one.row.name, "over": other.row.name, "gain": _gain(ground, metric, one, other)}
        for one in references
        for other in measured
        if other is not one
    ]
    return {"metric": metric.name, "items": len(ground.held), "pairs": plain(pairs)}


def fitted(ground: Ground, ended: Finished) -> dict[str, Any]:
    """How the sealed network does on items that it was fitted to, as plain data; empty if it is none."""
    if ended.network is None:
        return {}
    rows = _spread(ground)
    predictions = ground.task.predictions(_outputs(ground, ended.network, rows), ended.trial.temperature)
    scores = ground.task.intervals(predictions, ground.targets[rows], seed=ground.seed)
    return {"candidate": ended.trial.row.name, "items": len(rows), "of": len(ground.items), "scores": plain(scores)}


def _outputs(ground: Ground, network: Network, rows: np.ndarray) -> np.ndarray:
    """What a network puts out for items (n,), (n, C): by its head alone, where their features are stored."""
    frozen = ground.frozen
    if network.backbone.digest() == frozen.backbone.digest():
        features = np.concatenate([frozen.pooled(tap)[rows] for tap in network.taps], axis=1)
        frozen.forget()
        with torch.inference_mode():
            return network.head(torch.from_numpy(features).to(network.head.weight.device)).cpu().numpy()
    ready = Ready(network, frozen.machine.precision)
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    return np.concatenate([ready(list(frozen.pixels[batch].numpy())) for batch in batches])


def _spread(ground: Ground) -> np.ndarray:
    """Items evenly over the data; of those that are read together all or none."""
    owners = ground.frozen.pixels.owners
    if owners is None:
        rows = np.unique(np.linspace(0, len(ground.items) - 1, min(SAMPLE, len(ground.items))).astype(np.int64))
        return rows[ground.frozen.pixels.by_length(rows)]
    sizes = np.bincount(owners)
    wholes = np.linspace(0, len(sizes) - 1, max(1, min(len(sizes), int(SAMPLE / sizes.mean())))).astype(np.int64)
    return np.flatnonzero(np.isin(owners, wholes))


def _gain(ground: Ground, metric: Metric, one: Trial, other: Trial) -> dict[str, float]:
    targets = ground.targets[ground.held]
    draws = int(np.clip(_DRAWS / len(targets), 200, intervals.REPLICATES))
    seed = seeds.derive(ground.seed, "compared") % 2**31
    found = intervals.gain(metric, one.predictions, other.predictions, targets, seed=seed, replicates=draws)
    return found.as_dict()
