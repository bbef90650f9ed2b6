"""How unequal classes are, and the weights that make them count equally."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure import arrays, scores
from headstart.measure.arrays import Floats

IMBALANCED = 3.0
"""From this ratio of the largest to the smallest class on, classes count equally instead of items."""


def imbalance(targets: Any, classes: int, weights: Any = None) -> float:
    """Items of the largest class over items of the smallest one; infinite if a class has none.

    Args:
        targets: (n,) class indices.
        classes: number of classes, C.
        weights: (n,) of the items; all 1 by default.

    Raises:
        DataError: arrays that do not fit each other.
    """
    counts = _counts(targets, classes, weights)
    return float(counts.max() / counts.min()) if counts.min() else float("inf")


def class_weights(targets: Any, classes: int, metric: str | None = None, weights: Any = None) -> Floats | None:
    """Weights (C,) that make every class count equally, n / (C n_c); None where items should count equally.

    They apply once the largest class has three times the smallest, unless the deciding ``metric`` rewards
    probabilities or plain accuracy, which weights would spoil. A class without items keeps weight 1.

    Args:
        targets: (n,) class indices.
        classes: number of classes, C.
        metric: the score that decides; None where none was named.
        weights: (n,) of the items; all 1 by default.

    Raises:
        UnknownName: no such metric.
        DataError: arrays that do not fit each other.
    """
    if metric is not None:
        scores.higher_is_better(metric)
    balanced = metric not in ("accuracy", "log_loss", "calibration_error")
    if imbalance(targets, classes, weights) < IMBALANCED or not balanced:
        return None
    counts = _counts(targets, classes, weights)
    there = counts > 0
    return np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1)), 1.0)


def _counts(targets: Any, classes: int, weights: Any) -> Floats:
    found = arrays.labels(targets, classes=classes)
    share = arrays.item_weights(weights, len(found))
    return np.bincount(found, weights=share, minlength=classes).astype(np.float64)
