"""The scores a classifier is judged by, each written as sums over items.

A score is a function of a few totals over the items (right answers, right answers per class, losses, ...). One
definition therefore serves a single evaluation and thousands of bootstrap replicates, in which the totals are a
product of the replicates' counts with the items' terms. The definitions agree with scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from headstart.base.errors import BadOption, UnknownName
from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints

SMALLEST = 1e-7
"""Probabilities below this count as this in the log loss, so that one sure mistake costs 16.1 nats, not infinity."""

BINS = 15
"""Equal-width confidence bins of the calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""


def score(name: str, probabilities: Any, targets: Any) -> float:
    """One score of probabilities (n, C) against class indices (n,).

    ``accuracy``; ``balanced_accuracy``: mean recall of the classes that occur; ``f1_macro``: mean F1 of the classes
    that occur or are predicted; ``log_loss`` in nats, probabilities clipped at 1e-7; ``calibration_error`` of the top
    label over 15 equal-width bins. The predicted class is the first of the most probable ones.

    Raises:
        UnknownName: no such score.
        DataError: arrays that do not fit each other.
    """
    totals = np.asarray(terms(name, probabilities, targets).sum(axis=0), dtype=np.float64)
    return float(from_totals(name, totals[None])[0])


def higher_is_better(name: str) -> bool:
    """True for accuracy and its kin, False for losses.

    Raises:
        UnknownName: no such score.
    """
    return _metric(name).higher


def losses(name: str, probabilities: Any, targets: Any) -> Floats:
    """The loss of every item, (n,): nats for ``log_loss``, 0 or 1 (a mistake) for ``accuracy``.

    Raises:
        BadOption: the score is not a mean over items.
        UnknownName: no such score.
    """
    _metric(name)
    p, y = arrays.predictions(probabilities, targets)
    if name == "log_loss":
        return _nats(p, y)
    if name == "accuracy":
        return (p.argmax(axis=1) != y).astype(np.float64)
    raise BadOption(f"{name} has no loss per item", expected="log_loss or accuracy")


def confusion(probabilities: Any, targets: Any) -> Ints:
    """Counts (C, C): row the true class, column the predicted one."""
    p, y = arrays.predictions(probabilities, targets)
    classes = p.shape[1]
    cells = np.bincount(y * classes + p.argmax(axis=1), minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def terms(name: str, probabilities: Any, targets: Any) -> sparse.csr_array:
    """What each item adds to the totals of a score: sparse (n, m)."""
    p, y = arrays.predictions(probabilities, targets)
    return _metric(name).terms(p, y)


def from_totals(name: str, totals: Floats) -> Floats:
    """The score (r,) of totals (r, m), one row a weighting of the items."""
    return _metric(name).combine(totals)


def bin_of(confidence: Floats, bins: int = BINS) -> Ints:
    """The equal-width bin (n,) of each confidence: bin b covers (b / bins, (b + 1) / bins]."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


@dataclass(frozen=True, slots=True)
class _Metric:
    higher: bool
    terms: Callable[[Floats, Ints], sparse.csr_array]
    combine: Callable[[Floats], Floats]


def _metric(name: str) -> _Metric:
    if name not in _METRICS:
        raise UnknownName("metric", name, NAMES)
    return _METRICS[name]


def _rows(width: int, *entries: tuple[Any, Any]) -> sparse.csr_array:
    """A sparse (n, width) matrix whose every row holds the given (column, value) entries."""
    n = max(np.size(column) for column, _ in entries)
    columns = np.stack([np.broadcast_to(column, n) for column, _ in entries], axis=1)
    values = np.stack([np.broadcast_to(np.asarray(value, dtype=np.float64), n) for _, value in entries], axis=1)
    starts = np.arange(0, columns.size + 1, len(entries))
    return sparse.csr_array((values.ravel(), columns.ravel(), starts), shape=(n, width))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _mean_terms(values: Floats) -> sparse.csr_array:
    return _rows(2, (np.zeros(len(values), dtype=np.int64), values), (1, 1.0))


def _mean(totals: Floats) -> Floats:
    return _ratio(totals[:, 0], totals[:, 1])


def _right(p: Floats, y: Ints) -> Floats:
    return (p.argmax(axis=1) == y).astype(np.float64)


def _nats(p: Floats, y: Ints) -> Floats:
    return -np.log(np.clip(p[np.arange(len(y)), y], SMALLEST, 1.0))


def _recall_terms(p: Floats, y: Ints) -> sparse.csr_array:
    return _rows(2 * p.shape[1], (y, _right(p, y)), (p.shape[1] + y, 1.0))


def _mean_recall(totals: Floats) -> Floats:
    right, there = np.split(totals, 2, axis=1)
    return _ratio(_ratio(right, there).sum(axis=1), (there > 0).sum(axis=1).astype(np.float64))


def _f1_terms(p: Floats, y: Ints) -> sparse.csr_array:
    classes, predicted = p.shape[1], p.argmax(axis=1)
    return _rows(2 * classes, (y, _right(p, y)), (classes + y, 1.0), (classes + predicted, 1.0))


def _mean_f1(totals: Floats) -> Floats:
    right, there_or_predicted = np.split(totals, 2, axis=1)
    f1 = _ratio(2 * right, there_or_predicted)
    return _ratio(f1.sum(axis=1), (there_or_predicted > 0).sum(axis=1).astype(np.float64))


def _calibration_terms(p: Floats, y: Ints) -> sparse.csr_array:
    confidence = p.max(axis=1)
    return _rows(BINS + 1, (bin_of(confidence), _right(p, y) - confidence), (BINS, 1.0))


def _mean_gap(totals: Floats) -> Floats:
    return _ratio(np.abs(totals[:, :BINS]).sum(axis=1), totals[:, BINS])


_METRICS = {
    "accuracy": _Metric(True, lambda p, y: _mean_terms(_right(p, y)), _mean),
    "balanced_accuracy": _Metric(True, _recall_terms, _mean_recall),
    "f1_macro": _Metric(True, _f1_terms, _mean_f1),
    "log_loss": _Metric(False, lambda p, y: _mean_terms(_nats(p, y)), _mean),
    "calibration_error": _Metric(False, _calibration_terms, _mean_gap),
}

NAMES: tuple[str, ...] = tuple(_METRICS)
"""Every score, as ``--metric`` takes it."""
