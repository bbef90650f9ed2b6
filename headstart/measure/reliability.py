"""How often a confidence is right, in bins of equally many items, each with its interval.

Equal-mass bins (Nixon et al. 2019, Measuring Calibration in Deep Learning, https://arxiv.org/abs/1904.01685) are as
sure of what they say at every confidence; bins of equal width leave most of their points to a handful of items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, intervals
from headstart.measure.arrays import Floats, Ints

MOST_BINS = 10
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
    """

    low: Floats
    high: Floats
    count: Ints
    confidence: Floats
    share: tuple[Interval, ...]

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
        return {"bins": rows, "error": self.error}


def curve(confidence: Any, true: Any, bins: int | None = None) -> Curve:
    """The reliability curve of confidences (n,) in [0, 1] in what turned out ``true`` (n,).

    Items of one confidence are never taken apart, so there may be fewer bins than asked for.

    Args:
        confidence: probabilities that were stated.
        true: whether it was so.
        bins: at most; by default one for every ``IN_A_BIN`` items, from 1 to ``MOST_BINS``.

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
    return Curve(values[starts], values[starts + count - 1], count, np.add.reduceat(values, starts) / count, share)
