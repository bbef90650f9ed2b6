"""How often a confidence is right, in bins of equally many items, each with its interval.

Equal-mass bins (Nixon et al. 2019, Measuring Calibration in Deep Learning, https://arxiv.org/abs/1904.01685) are as
sure of what they say at every confidence; bins of equal width leave most of their points to a handful of items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, intervals
from headstart.measure.arrays import Floats, Ints

MOST_BINS = 10
REPLICATES = 500
_DRAWS = 20_000_000
IN_A_BIN = 20
"""Items that a bin should have at least, where there are enough of them for two bins."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A reliability curve, from the lowest confidence to the highest; b bins.

    Attributes:
        low, high: (b,) smallest and largest confidence of a bin.
        count: (b,) items in it.
        confidence: (b,) their mean confidence.
        share: b shares of them that came true, with 95 % Wilson intervals.
        interval: the calibration error, with the 95 % interval that chance in the items leaves it.
    """

    low: Floats
    high: Floats
    count: Ints
    confidence: Floats
    share: tuple[Interval, ...]
    interval: Interval | None = None

    @property
    def error(self) -> float:
        """Calibration error over these bins: mean |share - confidence|, weighted by count."""
        shares = np.array([each.value for each in self.share])
        return float(np.average(np.abs(shares - self.confidence), weights=self.count))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        bins = zip(self.low, self.high, self.count, self.confidence, self.share, strict=True)
        rows = [
            {
                "low": float(low),
                "high": float(high),
                "count": int(count),
                "confidence": float(mean),
                "share": share.as_dict(),
            }
            for low, high, count, mean, share in bins
        ]
        interval = None if self.interval is None else self.interval.as_dict()
        return {"bins": rows, "error": self.error, "interval": interval}


def curve(confidence: Any, true: Any, bins: int | None = None, *, seed: int = 0) -> Curve:
    """The reliability curve of confidences (n,) in [0, 1] in what turned out ``true`` (n,).

    Items of one confidence are never taken apart, so there may be fewer bins than asked for.

    Args:
        confidence: probabilities that were stated.
        true: whether it was so.
        bins: at most; by default one for every ``IN_A_BIN`` items, from 1 to ``MOST_BINS``.
        seed: of the interval's resamples.

    Raises:
        DataError: none, of different lengths, or outside [0, 1].
    """
    stated, so = arrays.numbers(confidence), np.asarray(true).astype(bool)
    if so.shape != stated.shape or stated.min() < 0 or stated.max() > 1:
        raise DataError(
            "Confidences do not fit what came true", where=f"shape {stated.shape}", expected="(n,) from 0 to 1"
        )
    order = np.argsort(stated, kind="stable")
    values, n = stated[order], len(stated)
    wanted = min(bins or int(np.clip(n // IN_A_BIN, 1, MOST_BINS)), n)
    # A bin begins where its share of the items does, or at the end of the confidence that lies across that place.
    places = (np.arange(1, wanted) * n) // wanted
    starts = np.unique(np.r_[0, np.searchsorted(values, values[places - 1], side="right")])
    starts = starts[starts < n]
    count = np.diff(np.r_[starts, n])
    right = np.add.reduceat(so[order].astype(np.int64), starts)
    share = tuple(intervals.wilson(int(r), int(c)) for r, c in zip(right, count, strict=True))
    mean = np.add.reduceat(values, starts) / count
    found = Curve(values[starts], values[starts + count - 1], count, mean, share)
    return replace(found, interval=_resampled(found, values, so[order], seed))


def _resampled(found: Curve, values: Floats, so: Any, seed: int) -> Interval:
    """The error with its bootstrap interval, less the error that a calibrated model would show on as few items.

    A mean of absolute distances is above 0 by chance alone: resampled answers that come true as often as they say give
    the size of that, which is taken off both ends (they stay at 0 or above). The value itself is the plain error.
    """
    rng, place = seeds.generator(seed, "reliability"), np.repeat(np.arange(len(found.count)), found.count)
    gap, n = so.astype(np.float64) - values, len(values)
    turns = int(np.clip(_DRAWS // n, 50, REPLICATES))
    drawn, chance = np.empty(turns), np.empty(turns)
    for turn in range(turns):
        rows = rng.integers(n, size=n)
        drawn[turn] = _error_of(gap[rows], place[rows], n)
        chance[turn] = _error_of((rng.random(n) < values).astype(np.float64) - values, place, n)
    # Resampling adds as much chance once more, so the resamples are moved to lie around the error less its own.
    shift = float(drawn.mean() - (found.error - chance.mean()))
    low, high = (max(0.0, float(each) - shift) for each in np.quantile(drawn, (0.025, 0.975)))
    return Interval(found.error, min(low, found.error), max(high, found.error))


def _error_of(gap: Floats, place: Any, n: int) -> float:
    return float(np.abs(np.bincount(place, weights=gap)).sum() / n)
