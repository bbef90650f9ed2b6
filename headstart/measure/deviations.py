"""The scores of predicted numbers: how far off they are, how much of the spread they explain, how well they rank.

The definitions agree with scikit-learn's and, for the rank correlation, with SciPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints
from headstart.measure.metric import Metric, Replicates, entries, of_mean, of_totals, ratio


def _errors(predictions: Any, targets: Any) -> Floats:
    found, y = arrays.estimates(predictions, targets)
    return found - y


def _sizes(predictions: Any, targets: Any) -> Floats:
    return np.abs(_errors(predictions, targets))


def _square_terms(predictions: Any, targets: Any) -> sparse.csr_array:
    return entries(2, (0, np.square(_errors(predictions, targets))), (1, 1.0))


def _root(totals: Floats) -> Floats:
    return np.sqrt(ratio(totals[:, 0], totals[:, 1]))


def _explained_terms(predictions: Any, targets: Any) -> sparse.csr_array:
    _, y = arrays.estimates(predictions, targets)
    # Centred beforehand: the spread of a resample is then no difference of two large numbers.
    away = y - y.mean()
    return entries(4, (0, np.square(_errors(predictions, targets))), (1, away), (2, np.square(away)), (3, 1.0))


def _explained(totals: Floats) -> Floats:
    wrong, away, squares, items = totals.T
    spread = squares - ratio(away**2, items)
    varies = spread > 1e-12 * squares
    return np.where(varies, 1 - ratio(wrong, np.where(varies, spread, 0.0)), 0.0)


def _rank_correlation(predictions: Any, targets: Any) -> Replicates:
    found, y = arrays.estimates(predictions, targets)
    first, second = _ranking(found), _ranking(y)

    def score(counts: Floats) -> Floats:
        items = counts.sum(axis=1, keepdims=True)
        a, b = (_ranks(counts, ranking) - (items + 1) / 2 for ranking in (first, second))
        spread = np.sqrt((counts * a**2).sum(axis=1) * (counts * b**2).sum(axis=1))
        return ratio((counts * a * b).sum(axis=1), spread)

    return score


def _ranking(values: Floats) -> Ints:
    """(n,) place of each value among the distinct ones, from 0."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _ranks(counts: Floats, place: Ints) -> Floats:
    """(r, n) mean rank, from 1, of every item in each resample."""
    groups = sparse.csr_array((np.ones(len(place)), (np.arange(len(place)), place)))
    size = counts @ groups
    return (np.cumsum(size, axis=1) - (size - 1) / 2)[:, place]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("rmse", "RMSE", False, of_totals(_square_terms, _root), phrase="an RMSE of {}", digits=None),
        Metric("mae", "Mean error", False, of_mean(_sizes), _sizes, phrase="a mean absolute error of {}", digits=None),
        Metric("r2", "R²", True, of_totals(_explained_terms, _explained), phrase="an R² of {}"),
        Metric(
            "spearman",
            "Rank correlation",
            True,
            _rank_correlation,
            phrase="a rank correlation of {}",
            decides=False,
            effort=lambda predictions: 10.0,
        ),
    )
}
"""Root mean squared error, mean absolute error, coefficient of determination, Spearman's rank correlation."""
