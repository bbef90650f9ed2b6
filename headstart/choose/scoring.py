"""What is measured of one network on some items: a closed-form probe, the votes, and how good every stage is.

Everything here reads pooled features, which one forward pass yields; nothing is trained by steps. A score that is
defined for classes is the mean over the labels where an item may have several, each label a pair of classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.measure import calibration
from headstart.measure.arrays import Floats
from headstart.tasks.task import Task

VOTES = ("knn", "shrinkage_h", "logme")
"""Scores that have a say where the probe cannot tell two networks apart."""
SHOWN = ("knn", "shrinkage_h", "logme", "nleep", "leep", "nce")
FEW = 500
"""Items that the dearer scores and the curve over the stages read, at most."""
LABELS = 16
"""Labels that a score of classes is averaged over, at most: those nearest to half of the items."""
_DEAR = ("nleep", "linear_probe", "sfda", "transrate", "gbc")
NO_HEAD = "no source head"
_CANNOT = "not defined for {}"


@dataclass(frozen=True, slots=True)
class Probe:
    """A closed-form probe, judged on items that it was not fitted to.

    Attributes:
        losses: (n,) of the items.
        loss: in the unit of the task's own score.
        score: the score that people read: accuracy, mean average precision, R^2.
    """

    losses: Floats
    loss: float
    score: float


@dataclass(frozen=True, slots=True)
class Stages:
    """The probe's leave-one-out loss after every stage.

    Attributes:
        losses: input first.
        items: they were measured on.
    """

    losses: Sequence[float]
    items: int

    @property
    def best(self) -> int:
        """The stage with the lowest loss, from 1."""
        return int(np.argmin(self.losses)) + 1


@dataclass(frozen=True, slots=True)
class Scores:
    """Transferability scores.

    Attributes:
        values: score -> value, higher is better.
        missing: score -> why there is none.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


def probe(task: Task, features: np.ndarray, targets: np.ndarray) -> Probe:
    """A ridge probe on features (n, d), every item predicted by the fit without it."""
    predictions = task.each_left_out(features, targets)
    settles = task.metric(task.settles)
    if settles.values is not None:
        losses = settles.values(predictions, targets)
    else:
        truths = np.asarray(targets, dtype=np.float64).reshape(len(targets), -1)
        losses = np.square(np.asarray(predictions, dtype=np.float64) - truths).mean(axis=1)
    score = task.metric(task.points).score(predictions, targets)
    return Probe(np.asarray(losses, dtype=np.float64), settles.score(predictions, targets), score)


def score(
    names: Sequence[str], features: np.ndarray, targets: np.ndarray, *, head: tuple[np.ndarray, np.ndarray] | None
) -> Scores:
    """Scores by name, plug-ins of the rank room.

    Args:
        names: of the scores.
        features: (n, d) after the last stage.
        targets: (n,) classes or values, or (n, L) truths.
        head: weight (Z, d) and bias (Z,) of the classifier that the network was published with; None without one.
    """
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name in names:
        room = discovery.load("rank", name, kind="transferability score")
        few = slice(FEW if name in _DEAR else None)
        if room.READS == "outputs" and head is None:
            missing[name] = NO_HEAD
            continue
        given = features[few] if head is None or room.READS != "outputs" else _asked(features[few], head)
        labels, what = _labels(targets[few], room.TARGETS)
        if not labels:
            missing[name] = what
            continue
        values[name] = float(np.mean([room.score(given, each) for each in labels]))
    return Scores(values, missing)


def stages(task: Task, features: Sequence[np.ndarray], targets: np.ndarray) -> Stages:
    """The probe's loss after every stage, of features (n, d_k) each; the first ``FEW`` items are enough for that."""
    return Stages([task.left_out(each[:FEW], targets[:FEW])[0] for each in features], min(FEW, len(targets)))


def _asked(features: np.ndarray, head: tuple[np.ndarray, np.ndarray]) -> Floats:
    """What the source head says of features (n, d): probabilities (n, Z) of the source's classes."""
    weight, bias = head
    return calibration.softmax(features.astype(np.float64) @ weight.T.astype(np.float64) + bias)


def _labels(targets: np.ndarray, defined: Any) -> tuple[list[np.ndarray], str]:
    """What a score reads: the labels, or a column of them each; and why there are none."""
    if targets.ndim == 2:
        share = targets.mean(axis=0)
        varied = [column for column in np.argsort(np.abs(share - 0.5), kind="stable") if 0 < share[column] < 1]
        columns = [targets[:, column].astype(np.int64) for column in varied[:LABELS]]
        return (columns, "no label varies") if "classes" in defined else ([], _CANNOT.format("several labels"))
    if np.issubdtype(targets.dtype, np.floating):
        varies = np.ptp(targets) > 0
        return (
            ([targets] if varies else [], "all numbers are equal")
            if "values" in defined
            else (
                [],
                _CANNOT.format("numbers"),
            )
        )
    if "classes" not in defined:
        return [], _CANNOT.format("classes")
    return ([targets], "") if len(np.unique(targets)) > 1 else ([], "one class only")
