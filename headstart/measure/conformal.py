"""Intervals around estimated numbers that hold a stated share of the truths: split conformal prediction.

With m residuals of items that nothing was fitted to, an interval of the estimate plus and minus the j-th smallest of
their sizes, j = ceil((m + 1) coverage), holds a fresh truth with probability at least ``coverage``, whatever the model
and the distribution, if fresh and held-out items are exchangeable (Papadopoulos et al. 2002; Lei et al. 2018,
https://arxiv.org/abs/1604.04173). Every interval has the same width; the promise is about all items, not each of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure import alarm, arrays, intervals
from headstart.measure.arrays import Floats

COVERAGE = 0.9
"""Share of the truths that an interval shall hold."""


def margin(predictions: Any, targets: Any, *, coverage: float = COVERAGE) -> float | None:
    """Half the width of the intervals; None where there are too few held-out items for such a coverage.

    Args:
        predictions: (m,) or (m, 1) of items that nothing was fitted to.
        targets: (m,) the true numbers.
        coverage: share of fresh truths that the intervals shall hold, in (0, 1).

    Raises:
        DataError: arrays that do not fit each other, or a coverage outside (0, 1).
    """
    found = alarm.line(_sizes(predictions, targets), 1 - coverage, loosest=1 - coverage)
    return None if found is None else found.at


def covered(predictions: Any, targets: Any, half: float) -> dict[str, float]:
    """The share of the truths that lie within ``half`` of the predictions, with its 95 % interval, as plain data.

    Raises:
        DataError: arrays that do not fit each other.
    """
    inside = _sizes(predictions, targets) <= half
    return intervals.wilson(int(inside.sum()), len(inside)).as_dict()


def _sizes(predictions: Any, targets: Any) -> Floats:
    found, wanted = arrays.estimates(predictions, targets)
    return np.abs(found - wanted)
