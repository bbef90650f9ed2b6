"""Whether mirroring changes what the label says: measured, not assumed.

A probe fitted on plain pictures is shown the mirrored held-out ones. If it loses more than two points, a mirrored
picture is another thing (a digit, a letter, a road sign), and flips are off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.base.vocabulary import Interval
from headstart.choose.ground import Ground
from headstart.features.frozen import MIRROR
from headstart.measure.metric import Metric
from headstart.measure.scores import METRICS
from headstart.tune.probe import solve

TOLERANCE = 2.0
"""Points of the task's score: of accuracy, of mean average precision, hundredths of an R²."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Score of the probe on plain and on mirrored held-out pictures.

    Attributes:
        plain, mirrored: hundredths of the metric: percent.
        metric: the score.
    """

    plain: float
    mirrored: float
    metric: Metric = METRICS["accuracy"]

    @property
    def harmless(self) -> bool:
        """True if flips may be used."""
        return self.plain - self.mirrored <= TOLERANCE

    @property
    def sentence(self) -> str:
        """What the run says."""
        word = "on" if self.harmless else "off"
        plain, mirrored = (self._text(value) for value in (self.plain, self.mirrored))
        return (
            f"Flips are {word}: a probe scores {plain} on the held-out pictures and {mirrored} on their mirror images"
        )

    def _text(self, hundredths: float) -> str:
        value = hundredths / 100
        number = self.metric.numbers(Interval(value, value, value))[0] + self.metric.unit
        return number if self.metric.name == "accuracy" else self.metric.phrase.format(number)


def measure(ground: Ground) -> Mirrored:
    """Fit the probe on each fold and compare."""
    stage, task = ground.frozen.backbone.depth, ground.task
    views = ground.frozen.pooled(stage), ground.frozen.pooled(stage, MIRROR)
    predictions: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for fold, (train, held) in enumerate(ground.folds):
        setting = ground.setting(f"flips/fold{fold}/", train, held)
        linear, _ = solve(setting, views[0], None)
        for features, found in zip(views, predictions, strict=True):
            found.append(task.predictions(linear.outputs(features[held])))
    metric, targets = task.metric(task.points), ground.targets[ground.held]
    plain, mirrored = (100 * metric.score(np.concatenate(found), targets) for found in predictions)
    return Mirrored(plain, mirrored, metric)
