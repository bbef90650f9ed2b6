"""Which labels are probably wrong: items whose label contradicts what a model says that was not fitted to them.

Confident learning (Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels,
https://arxiv.org/abs/1911.00068): each class has its own threshold, the mean probability that it gets on the items
labelled with it, so a class that the model is rarely sure of can still be the likely one. Two things are added to the
paper. The other class must lead by a margin, for near chance a threshold alone accuses half of all items; and 0.9
reaches any threshold, for where a model is nearly certain half of the items lie below their mean.

Numbers: residuals far out of line by the modified z-score (Iglewicz and Hoaglin 1993), stricter the more there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints

MARGIN = 0.5
"""How much more probable the other answer must be than the one given."""
SURE = 0.9
"""A probability that reaches every threshold."""
LEAST_DEVIATION = 3.5
"""Robust standard deviations below which a residual is in line (Iglewicz and Hoaglin's advice)."""
ONE_IN = 0.05
"""Chance that any of n normally distributed residuals is called out of line."""
_TO_SIGMA = 1.482602218505602
"""Standard deviations in a median absolute deviation of normally distributed numbers."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """The suspected items, most suspicious first.

    Attributes:
        rows: (m,) positions of the items.
        likely: (m,) what they probably are: class indices, label columns whose answer is turned round, or numbers.
        said_probability, likely_probability: (m,) of what was given and of what is likely; NaN for numbers.
        deviations: (m,) residuals in robust standard deviations; NaN for classes and labels.
    """

    rows: Ints
    likely: Any
    said_probability: Floats
    likely_probability: Floats
    deviations: Floats

    def __len__(self) -> int:
        return len(self.rows)


def of_classes(p: Any, y: Any, *, margin: float = MARGIN) -> Suspects:
    """Suspected labels among class indices (n,), by out-of-fold probabilities (n, C).

    An item is suspected if it lies off the diagonal of the confident joint, its most probable class is not its own, and
    the class that it is counted for leads by ``margin``; the widest lead comes first.

    Raises:
        DataError: arrays that do not fit each other.
    """
    probabilities, labels = arrays.predictions(p, y)
    likely = _confident(probabilities, labels)
    rows = np.arange(len(labels))
    own, other = probabilities[rows, labels], probabilities[rows, likely]
    wrong = (likely != labels) & (probabilities.argmax(axis=1) != labels) & (other - own >= margin)
    found = np.flatnonzero(wrong)
    found = found[np.argsort(own[found] - other[found], kind="stable")]
    return Suspects(found, likely[found], own[found], other[found], np.full(len(found), np.nan))


def of_labels(p: Any, y: Any, *, margin: float = MARGIN) -> Suspects:
    """Suspected answers among truths (n, L), by out-of-fold probabilities (n, L); each label is a matter of its own.

    ``likely`` names the label whose answer should probably be turned round; an item may occur once a label.

    Raises:
        DataError: arrays that do not fit each other.
    """
    probabilities, truths = arrays.answers(p, y)
    parts = []
    for column in range(probabilities.shape[1]):
        yes = probabilities[:, column]
        each = of_classes(np.stack([1 - yes, yes], axis=1), truths[:, column].astype(np.int64), margin=margin)
        columns = np.full(len(each), column, dtype=np.int64)
        parts.append((each.rows, columns, each.said_probability, each.likely_probability))
    rows, columns, own, other = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(own - other, kind="stable")
    return Suspects(rows[order], columns[order], own[order], other[order], np.full(len(order), np.nan))


def of_numbers(predictions: Any, y: Any) -> Suspects:
    """Suspected numbers (n,), by out-of-fold predictions (n,) or (n, 1): residuals that are far out of line.

    Raises:
        DataError: arrays that do not fit each other.
    """
    found, wanted = arrays.estimates(predictions, y)
    deviations = deviating(wanted - found)
    far = np.flatnonzero(np.abs(deviations) >= out_of_line(len(wanted)))
    far = far[np.argsort(-np.abs(deviations[far]), kind="stable")]
    unknown = np.full(len(far), np.nan)
    return Suspects(far, found[far], unknown, unknown, deviations[far])


def thresholds(p: Any, y: Any) -> Floats:
    """(C,) mean probability of each class on the items labelled with it; infinite for a class without items.

    Raises:
        DataError: arrays that do not fit each other.
    """
    probabilities, labels = arrays.predictions(p, y)
    classes = probabilities.shape[1]
    sums = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=classes)
    counts = np.bincount(labels, minlength=classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def deviating(residuals: Any) -> Floats:
    """(n,) residuals in robust standard deviations from their median; all 0 where half of them are the same."""
    values = arrays.numbers(residuals)
    away = values - np.median(values)
    sigma = _TO_SIGMA * float(np.median(np.abs(away)))
    return away / sigma if sigma > 0 else np.zeros_like(away)


def out_of_line(n: int) -> float:
    """Deviation from which on one of n residuals is out of line: 3.5, or what n normal ones do not reach by chance."""
    return max(LEAST_DEVIATION, float(stats.norm.isf(ONE_IN / (2 * n))))


def _confident(probabilities: Floats, labels: Ints) -> Ints:
    """(n,) the most probable class among those that reach their threshold; an item's own where none does."""
    reached = probabilities >= np.minimum(thresholds(probabilities, labels), SURE)
    likely = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), likely, labels).astype(np.int64)
