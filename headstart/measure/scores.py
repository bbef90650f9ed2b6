"""The scores a classifier is judged by, each written as sums over items.

A score is a function of a few totals over the items (right answers, right answers per class, losses, ...). One
definition therefore serves a single evaluation and thousands of bootstrap replicates, in which the totals are a
product of the replicates' counts with the items' terms. The definitions agree with scikit-learn's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from headstart.base.errors import BadOption, UnknownName
from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints
from headstart.measure.metric import Metric, entries, of_mean, of_totals, ratio

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
    return named(name).score(probabilities, targets)


def higher_is_better(name: str) -> bool:
    """True for accuracy and its kin, False for losses.

    Raises:
        UnknownName: no such score.
    """
    return named(name).higher


def losses(name: str, probabilities: Any, targets: Any) -> Floats:
    """The loss of every item, (n,): nats for ``log_loss``, 0 or 1 (a mistake) for ``accuracy``.

    Raises:
        BadOption: the score is not a mean over items.
        UnknownName: no such score.
    """
    metric = named(name)
    if metric.values is not None:
        found = metric.values(probabilities, targets)
        return 1 - found if metric.higher else found
    raise BadOption(f"{name} has no loss per item", expected="log_loss or accuracy")


def confusion(probabilities: Any, targets: Any) -> Ints:
    """Counts (C, C): row the true class, column the predicted one."""
    p, y = arrays.predictions(probabilities, targets)
    classes = p.shape[1]
    cells = np.bincount(y * classes + p.argmax(axis=1), minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def bin_of(confidence: Floats, bins: int = BINS) -> Ints:
    """The equal-width bin (n,) of each confidence: bin b covers (b / bins, (b + 1) / bins]."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def named(metric: str | Metric) -> Metric:
    """A classifier's score by its name; what is a score already stays as it is.

    Raises:
        UnknownName: no such score.
    """
    if isinstance(metric, Metric):
        return metric
    if metric not in METRICS:
        raise UnknownName("metric", metric, NAMES)
    return METRICS[metric]


def effective_items(targets: Any) -> float:
    """The number of items whose plain accuracy is as certain as this mean of per-class recalls: C^2 / sum(1 / n_c)."""
    counts = np.unique(np.asarray(targets), return_counts=True)[1]
    return float(len(counts) ** 2 / (1.0 / counts).sum())


def _right(probabilities: Any, targets: Any) -> Floats:
    p, y = arrays.predictions(probabilities, targets)
    return (p.argmax(axis=1) == y).astype(np.float64)


def _nats(probabilities: Any, targets: Any) -> Floats:
    p, y = arrays.predictions(probabilities, targets)
    return -np.log(np.clip(p[np.arange(len(y)), y], SMALLEST, 1.0))


def _recall_terms(probabilities: Any, targets: Any) -> sparse.csr_array:
    p, y = arrays.predictions(probabilities, targets)
    return entries(2 * p.shape[1], (y, _right(p, y)), (p.shape[1] + y, 1.0))


def _mean_recall(totals: Floats) -> Floats:
    right, there = np.split(totals, 2, axis=1)
    return ratio(ratio(right, there).sum(axis=1), (there > 0).sum(axis=1).astype(np.float64))


def _f1_terms(probabilities: Any, targets: Any) -> sparse.csr_array:
    p, y = arrays.predictions(probabilities, targets)
    classes, predicted = p.shape[1], p.argmax(axis=1)
    return entries(2 * classes, (y, _right(p, y)), (classes + y, 1.0), (classes + predicted, 1.0))


def _mean_f1(totals: Floats) -> Floats:
    right, there_or_predicted = np.split(totals, 2, axis=1)
    f1 = ratio(2 * right, there_or_predicted)
    return ratio(f1.sum(axis=1), (there_or_predicted > 0).sum(axis=1).astype(np.float64))


def _calibration_terms(probabilities: Any, targets: Any) -> sparse.csr_array:
    p, y = arrays.predictions(probabilities, targets)
    confidence = p.max(axis=1)
    return entries(BINS + 1, (bin_of(confidence), _right(p, y) - confidence), (BINS, 1.0))


def _mean_gap(totals: Floats) -> Floats:
    return ratio(np.abs(totals[:, :BINS]).sum(axis=1), totals[:, BINS])


_SHARE: dict[str, Any] = {"bounded": True, "percent": True}
_BY_CLASS: dict[str, Any] = {**_SHARE, "effective": effective_items}

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "Accuracy", True, of_mean(_right), _right, proportion=True, phrase="{} accuracy", **_SHARE),
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            True,
            of_totals(_recall_terms, _mean_recall),
            phrase="{} balanced accuracy",
            **_BY_CLASS,
        ),
        Metric("f1_macro", "Macro F1", True, of_totals(_f1_terms, _mean_f1), phrase="{} macro F1", **_BY_CLASS),
        Metric("log_loss", "Log loss", False, of_mean(_nats), _nats, phrase="a log loss of {}"),
        Metric(
            "calibration_error",
            "Calibration error",
            False,
            of_totals(_calibration_terms, _mean_gap),
            bounded=True,
            phrase="a calibration error of {}",
            decides=False,
        ),
    )
}
"""Every score by its name, as ``--metric`` takes it."""

NAMES: tuple[str, ...] = tuple(METRICS)
