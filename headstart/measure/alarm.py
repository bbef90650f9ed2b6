"""A line that few familiar items cross: conformal quantiles of held-out values, and how sure their rates are.

If held-out and fresh values are exchangeable, a fresh one exceeds the j-th smallest of m held-out ones with probability
1 - j / (m + 1) (Vovk et al. 2005; Papadopoulos et al. 2002 for intervals around estimated numbers). Given the held-out
items, the rate itself has the distribution Beta(m + 1 - j, j), whose width says how sure it is (Vovk 2012,
https://arxiv.org/abs/1209.2673).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays

_ROUNDING = 1e-9
"""Rates such as 0.1 have no exact float, and must not ask for one more item than they say."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line over held-out values.

    Attributes:
        at: the line; what lies above it has crossed it.
        rate: the share of fresh items that is expected to cross it, with the 95 % interval of what it may be.
        items: held-out values it was drawn from, m.
    """

    at: float
    rate: Interval
    items: int


def line(values: Any, rate: float, *, loosest: float) -> Line | None:
    """The lowest of the held-out values that at most a share ``rate`` of fresh items is expected to exceed.

    Where there are too few values for that rate, it is the largest of them, whose rate is 1 / (m + 1); None where that
    is more than ``loosest``, or where there are no values.

    Args:
        values: (m,) of items that nothing was fitted to.
        rate: share in (0, 1).
        loosest: the largest rate that is worth having.

    Raises:
        DataError: values that are not finite, or a rate outside (0, 1).
    """
    if not 0 < rate < 1:
        raise DataError(f"A rate cannot be {rate}", expected="between 0 and 1")
    if not len(values):
        return None
    found = np.sort(arrays.numbers(values))
    m = len(found)
    place = min(m, math.ceil((m + 1) * (1 - rate) - _ROUNDING))
    expected = 1 - place / (m + 1)
    if expected > max(rate, loosest) + _ROUNDING:
        return None
    spread = stats.beta(m + 1 - place, place)
    return Line(float(found[place - 1]), Interval(expected, float(spread.ppf(0.025)), float(spread.ppf(0.975))), m)


def separation(familiar: Any, strange: Any) -> float:
    """AUROC: the probability that a strange item has the higher value of the two; ties count half.

    Raises:
        DataError: none of either, or not finite.
    """
    both = np.concatenate([arrays.numbers(familiar), arrays.numbers(strange)])
    ranks = stats.rankdata(both)[len(familiar) :]
    n = len(strange)
    return float((ranks.sum() - n * (n + 1) / 2) / (n * len(familiar)))


def false_alarms(familiar: Any, strange: Any, *, caught: float = 0.95) -> float:
    """The share of familiar items above the line that catches a share ``caught`` of the strange ones (FPR at 95 %).

    Raises:
        DataError: none of either, or not finite.
    """
    kept, found = arrays.numbers(familiar), np.sort(arrays.numbers(strange))
    place = math.floor((1 - caught) * len(found) + _ROUNDING)
    return float((kept >= found[place]).mean())
