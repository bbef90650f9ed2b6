"""The scores of several yes-or-no answers an item, from probabilities (n, L) and truths (n, L).

A label is said to be there from a probability of one half on. The definitions agree with scikit-learn's; averages over
labels leave out those that do not occur (for F1: that neither occur nor are predicted).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from headstart.measure import arrays
from headstart.measure.arrays import Floats
from headstart.measure.metric import Metric, Replicates, of_mean, of_totals, ratio
from headstart.measure.scores import SMALLEST

THRESHOLD = 0.5
"""Probability from which on a label is predicted."""


def predicted(probabilities: Any) -> Any:
    """Which labels are predicted, (n, L) of True and False."""
    return np.asarray(probabilities) >= THRESHOLD


def _nats(probabilities: Any, truths: Any) -> Floats:
    """(n,) mean over the labels of each item's log loss."""
    p, y = arrays.answers(probabilities, truths)
    return -np.log(np.clip(np.where(y, p, 1 - p), SMALLEST, 1.0)).mean(axis=1)


def _wrong(probabilities: Any, truths: Any) -> Floats:
    p, y = arrays.answers(probabilities, truths)
    return (predicted(p) != y).mean(axis=1)


def _all_right(probabilities: Any, truths: Any) -> Floats:
    p, y = arrays.answers(probabilities, truths)
    return (predicted(p) == y).all(axis=1).astype(np.float64)


def _f1_terms(probabilities: Any, truths: Any) -> sparse.csr_array:
    """True positives of each label, then what is there or predicted of each."""
    p, y = arrays.answers(probabilities, truths)
    said = predicted(p)
    return sparse.csr_array(np.hstack([said & y, said.astype(np.float64) + y]).astype(np.float64))


def _f1_micro(totals: Floats) -> Floats:
    right, there_or_predicted = np.split(totals, 2, axis=1)
    return ratio(2 * right.sum(axis=1), there_or_predicted.sum(axis=1))


def _f1_macro(totals: Floats) -> Floats:
    right, there_or_predicted = np.split(totals, 2, axis=1)
    f1 = ratio(2 * right, there_or_predicted)
    return ratio(f1.sum(axis=1), (there_or_predicted > 0).sum(axis=1).astype(np.float64))


def _mean_average_precision(probabilities: Any, truths: Any) -> Replicates:
    p, y = arrays.answers(probabilities, truths)
    rankings = [_Ranking(p[:, label], y[:, label]) for label in range(p.shape[1])]

    def score(counts: Floats) -> Floats:
        total, there = np.zeros(len(counts)), np.zeros(len(counts))
        for ranking in rankings:
            precision, occurs = ranking.average_precision(counts)
            total += precision
            there += occurs
        return ratio(total, there)

    return score


class _Ranking:
    """The items in the order of one label's probability; equal ones count together."""

    def __init__(self, probabilities: Floats, truths: Any) -> None:
        self.order = np.argsort(-probabilities, kind="stable")
        self.truths = truths[self.order].astype(np.float64)
        self.ends = np.append(np.flatnonzero(np.diff(probabilities[self.order])), len(probabilities) - 1)

    def average_precision(self, counts: Floats) -> tuple[Floats, Any]:
        """(r,) average precision of each weighting, 0 where the label does not occur; and (r,) whether it does."""
        drawn = counts[:, self.order]
        found = np.cumsum(drawn * self.truths, axis=1)[:, self.ends]
        seen = np.cumsum(drawn, axis=1)[:, self.ends]
        gained = np.diff(found, axis=1, prepend=0.0)
        there = found[:, -1]
        return ratio((gained * ratio(found, seen)).sum(axis=1), there), there > 0


def effective_items(truths: Any) -> float:
    """The number of items whose plain accuracy is as certain as a mean over the labels: L^2 / sum(1 / n_l)."""
    there = np.asarray(truths).sum(axis=0)
    there = there[there > 0]
    return float(len(there) ** 2 / (1.0 / there).sum()) if len(there) else 1.0


def _labels(probabilities: Any) -> float:
    return float(np.shape(probabilities)[1])


_SHARE: dict[str, Any] = {"bounded": True, "percent": True}

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("log_loss", "Log loss", False, of_mean(_nats), _nats, phrase="a log loss of {}"),
        Metric(
            "mean_average_precision",
            "Mean average precision",
            True,
            _mean_average_precision,
            effective=effective_items,
            phrase="{} mean average precision",
            effort=lambda probabilities: 8 * _labels(probabilities),
            **_SHARE,
        ),
        Metric("f1_micro", "Micro F1", True, of_totals(_f1_terms, _f1_micro), phrase="{} micro F1", **_SHARE),
        Metric(
            "f1_macro",
            "Macro F1",
            True,
            of_totals(_f1_terms, _f1_macro),
            effective=effective_items,
            phrase="{} macro F1",
            **_SHARE,
        ),
        Metric(
            "subset_accuracy",
            "All labels right",
            True,
            of_mean(_all_right),
            _all_right,
            proportion=True,
            phrase="{} of items with all labels right",
            **_SHARE,
        ),
        Metric("hamming_loss", "Wrong answers", False, of_mean(_wrong), _wrong, phrase="{} wrong answers", **_SHARE),
    )
}
"""Every score by its name."""
