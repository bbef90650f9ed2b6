"""Labels to doubt among the development items, by predictions of models that were not fitted to them.

Where the winner was cross-validated, its own predictions of the held-out folds; otherwise a closed-form probe that
leaves each item out in turn, on the features that the run's best probe read. The test part is left alone: to correct
only the test labels that a model contradicts would flatter the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base import scratch
from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb
from headstart.tune import probe

MOST = 100
"""Suspects that are listed; the rest are counted."""


@dataclass(frozen=True)
class Doubts:
    """Suspected labels.

    Attributes:
        listed: the most suspicious first, at most ``MOST``; ``row`` is a position among the development items.
        found: how many there are.
        of: how many labels were looked at.
        by: whose predictions the labels were compared with.
    """

    listed: Sequence[Mapping[str, Any]]
    found: int
    of: int
    by: str

    def about(self) -> dict[str, Any]:
        """How many of how many, and by what, as plain data."""
        return {"found": self.found, "of": self.of, "by": self.by}


def of(ground: Ground, found: Climb, ended: Finished) -> Doubts:
    """The labels of the development items that are probably wrong."""
    if len(ground.folds) > 1:
        order = np.argsort(ground.held, kind="stable")
        predictions = ended.trial.predictions[order]
        by = f"{ended.trial.row.name}, cross-validated: each item by the model that was fitted to the other folds"
    else:
        predictions, by = _left_out(ground, found)
    suspects = ground.task.suspects(predictions, ground.targets)
    return Doubts(suspects[:MOST], len(suspects), len(ground.targets), by)


def _left_out(ground: Ground, found: Climb) -> tuple[np.ndarray, str]:
    """Predictions (n, K) of every development item by a probe on all others, and what they are."""
    best = ground.task.metric(ground.metric)
    probes = [one for one in found.trials if one.strategy == "probe" and one.row.kind == "transfer"]
    stages = "last"
    if probes:
        stages = str(min(probes, key=lambda one: best.loss(one.score(best.name))).options["stages"])
    taps = probe.read_taps(ground.frozen.backbone, stages)
    parts = [ground.frozen.pooled(stage) for stage in taps]
    features = scratch.by_rows(len(parts[0]), lambda rows: np.concatenate([part[rows] for part in parts], axis=1))
    ground.frozen.forget()
    read = {"last": "the last stage", "all": "all stages"}.get(stages, f"stage {stages}")
    by = f"a ridge probe on features of {read}: each item by the probe that was fitted to all others"
    return ground.task.each_left_out(features, ground.targets), by
