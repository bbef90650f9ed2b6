"""What chance alone explains: of a calibration error, and of a score on other items than another score's.

A perfectly calibrated model has a calibration error above 0 too, the larger the fewer items there are: each bin's share
of right answers scatters around its confidence. Only what goes beyond that is the model's (Broecker and Smith,
Increasing the Reliability of Reliability Diagrams, 2007, compare with the same simulated consistency).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, scores
from headstart.measure.arrays import Floats

DRAWS = 1000
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration error beside what chance makes of it.

    Attributes:
        error: mean |share - confidence| over 15 equal-width bins, weighted by their answers.
        chance: the error that a perfectly calibrated model of the same confidences exceeds in 2.5 % of draws.
        confidence: mean of what was stated.
        share: mean of what came true.
    """

    error: float
    chance: float
    confidence: float
    share: float


def calibration(confidence: Any, true: Any, *, seed: int = 0, draws: int = DRAWS) -> Calibration:
    """The calibration error of confidences (n, m), m answers an item, in what turned out ``true`` (n, m).

    Answers about one item are right together and wrong together, so chance among them is wider than among as many
    items: by the square root of the design effect, the variance of the items' sums of residuals over the variance that
    independent answers would have (Kish, Survey Sampling, 1965). With one answer an item there is none.

    Raises:
        DataError: arrays that do not fit each other, or outside [0, 1].
    """
    stated = arrays.matrix(confidence, name="confidences")
    so = np.asarray(true, dtype=bool)
    if so.shape != stated.shape or stated.min() < 0 or stated.max() > 1:
        raise DataError("Confidences do not fit what came true", expected="two (n, m), confidences from 0 to 1")
    flat, residual = stated.ravel(), (so - stated).ravel()
    place, n = scores.bin_of(flat), flat.size

    def errors(gaps: Floats) -> Floats:
        sums = np.stack([np.bincount(place, weights=row, minlength=scores.BINS) for row in gaps])
        return np.abs(sums).sum(axis=1) / n

    draw, found = seeds.generator(seed, "calibration"), []
    left = draws
    while left:
        now = min(left, max(1, _AT_ONCE // n))
        found.append(errors((draw.random((now, n)) < flat) - flat))
        left -= now
    chance = float(np.quantile(np.concatenate(found), 0.975))
    return Calibration(
        error=float(errors(residual[None])[0]),
        chance=chance * math.sqrt(_design_effect(stated, so)),
        confidence=float(flat.mean()),
        share=float(so.mean()),
    )


def _design_effect(stated: Floats, so: np.ndarray) -> float:
    if stated.shape[1] == 1:
        return 1.0
    alone = float((stated * (1 - stated)).sum())
    together = float(np.square((so - stated).sum(axis=1)).sum())
    return max(1.0, together / alone) if alone > 0 else 1.0


def difference(a: Interval, b: Interval) -> Interval:
    """a - b of two scores that were measured on different items, with its 95 % interval.

    Each limit takes the widths of the two intervals on the sides that move it that way (MOVER: Zou and Donner 2008,
    https://doi.org/10.1002/sim.3095; of two proportions with Wilson's intervals, Newcombe's method 10).
    """
    value = a.value - b.value
    below = math.hypot(a.value - a.low, b.high - b.value)
    above = math.hypot(a.high - a.value, b.value - b.low)
    return Interval(value, value - below, value + above)
