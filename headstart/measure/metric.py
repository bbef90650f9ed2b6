"""What a score is: its words, its direction, and its value when each item counts as often as it was drawn.

One definition serves a single evaluation and thousands of bootstrap replicates. Most scores are functions of a few
totals over the items (``of_totals``); what depends on an order of the items, such as the average precision, is given
the counts themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from headstart.base.vocabulary import Interval
from headstart.measure.arrays import Floats

Replicates = Callable[[Floats], Floats]
"""Counts (r, n), one row a weighting of the items -> the score (r,) of each."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of predictions (n, K) against targets, one row an item.

    Attributes:
        name: as ``--metric`` takes it.
        title: as a table heads it.
        higher: True if more of it is better.
        prepare: (predictions, targets), checked -> the score of any weighting of these items.
        values: (predictions, targets) -> (n,) whose mean is the score; None if it is no mean over items.
        bounded: it lies in [0, 1], and so do the values.
        proportion: a mean of zeros and ones, which has an interval in closed form.
        effective: targets -> the number of items whose plain accuracy would be as certain; None for all of them.
        percent: shown as a percentage, and its differences as points.
        phrase: how a sentence says it, with {} for the number.
        digits: behind the point, for what is no percentage; None for three significant ones.
        decides: candidates may be chosen by it.
        effort: work of one weighting of one item, where a mean over items is 1.
        clusters: targets -> (n,) numbers of what items come in, such as the sentence of a word; it is those that a new
            sample would vary, so that intervals draw them whole. None where items come by themselves.
    """

    name: str
    title: str
    higher: bool
    prepare: Callable[[Any, Any], Replicates]
    values: Callable[[Any, Any], Floats] | None = None
    bounded: bool = False
    proportion: bool = False
    effective: Callable[[Any], float] | None = None
    percent: bool = False
    phrase: str = "{}"
    digits: int | None = 3
    decides: bool = True
    effort: Callable[[Any], float] = lambda predictions: 1.0
    clusters: Callable[[Any], Any] | None = None

    def score(self, predictions: Any, targets: Any) -> float:
        """The score of all items, each counted once.

        Raises:
            DataError: arrays that do not fit each other.
        """
        return float(self.prepare(predictions, targets)(np.ones((1, len(np.asarray(targets)))))[0])

    def loss(self, value: float) -> float:
        """The score with its sign such that less is better."""
        return -value if self.higher else value

    def numbers(self, found: Interval) -> tuple[str, str, str]:
        """Value and both limits as text, without the unit."""
        if self.percent:
            return tuple(f"{100 * each:.1f}" for each in (found.value, found.low, found.high))  # type: ignore[return-value]
        digits = self.digits
        if digits is None:
            size = max(abs(found.value), 1e-9)
            digits = min(9, max(0, 2 - math.floor(math.log10(size))))
        return tuple(f"{each:,.{digits}f}" for each in (found.value, found.low, found.high))  # type: ignore[return-value]

    @property
    def unit(self) -> str:
        """What stands behind the number."""
        return " %" if self.percent else ""

    @property
    def words(self) -> str:
        """Its title inside a sentence."""
        return self.title[0].lower() + self.title[1:]

    def number(self, value: float) -> str:
        """A score alone: ``0.466``, ``92.1 %``."""
        return self.numbers(Interval(value, value, value))[0] + self.unit

    def text(self, found: Interval) -> str:
        """A score with its interval, as people write it: ``92.1 % (88.0 to 95.3)``."""
        value, low, high = self.numbers(found)
        return f"{value}{self.unit} ({low} to {high})"

    def stated(self, found: Interval) -> str:
        """A score inside a sentence: ``92.1 % accuracy (95 % interval 88.0 to 95.3)``."""
        value, low, high = self.numbers(found)
        return f"{self.phrase.format(value + self.unit)} (95 % interval {low} to {high})"

    def lead(self, gain: Interval) -> str:
        """A gain (above 0 is better) inside a sentence: ``1.3 points above (0.2 to 2.4)``, ``0.4 lower (...) than``."""
        better = gain.value >= 0
        size = gain if better else Interval(-gain.value, -gain.high, -gain.low)
        value, low, high = self.numbers(size)
        if self.percent:
            return f"{value} points {'above' if better else 'below'} ({low} to {high})"
        return f"{value} {'higher' if better == self.higher else 'lower'} ({low} to {high}) than"


def of_totals(terms: Callable[[Any, Any], sparse.csr_array], combine: Callable[[Floats], Floats]) -> Any:
    """``Metric.prepare`` of a score that depends on totals over the items alone.

    Args:
        terms: (predictions, targets) -> what each item adds to the totals, sparse (n, m).
        combine: totals (r, m) -> scores (r,).
    """

    def prepare(predictions: Any, targets: Any) -> Replicates:
        across = sparse.csr_array(terms(predictions, targets).T)
        return lambda counts: combine((across @ np.ascontiguousarray(counts.T, dtype=np.float64)).T)

    return prepare


def of_mean(values: Callable[[Any, Any], Floats]) -> Any:
    """``Metric.prepare`` of a score that is the mean of a value per item."""

    def prepare(predictions: Any, targets: Any) -> Replicates:
        each = values(predictions, targets)
        return lambda counts: ratio(counts @ each, counts.sum(axis=1))

    return prepare


def entries(width: int, *pairs: tuple[Any, Any]) -> sparse.csr_array:
    """A sparse (n, width) matrix whose every row holds the given (column, value) entries."""
    n = max(max(np.size(column), np.size(value)) for column, value in pairs)
    columns = np.stack([np.broadcast_to(column, n) for column, _ in pairs], axis=1)
    values = np.stack([np.broadcast_to(np.asarray(value, dtype=np.float64), n) for _, value in pairs], axis=1)
    starts = np.arange(0, columns.size + 1, len(pairs))
    return sparse.csr_array((values.ravel(), columns.ravel(), starts), shape=(n, width))


def ratio(above: Floats, below: Floats) -> Floats:
    """above / below, 0 where there is nothing below."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
