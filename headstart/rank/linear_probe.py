"""Linear probe: the held-out log loss of a logistic regression, its penalty chosen on the same folds.

The reference that cheaper scores stand in for (Renggli et al., 2022, https://arxiv.org/abs/2010.06866).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure import folds as measure_folds
from headstart.measure import logistic, ridge
from headstart.measure.linear import standardisation
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes", "values")


def score(features: Any, labels: Any, *, folds: int = 5, seed: int = 0) -> float:
    """Minus the cross-validated log loss, nats; for values the cross-validated R^2 of a ridge regression, at most 1.

    Args:
        features: (n, d).
        labels: (n,) classes; or an array of floats.
        folds: that items are held out in.
        seed: of the folds.

    Raises:
        DataError: arrays that do not fit each other.
    """
    if inputs.are_values(labels):
        x, values = inputs.values(features, labels)
        predicted = np.empty_like(values)
        for train, held in measure_folds.stratified(np.zeros(len(values), dtype=np.int64), folds=folds, seed=seed):
            scaling = standardisation(x[train])
            linear = ridge.fit(scaling.apply(x[train]), values[train][:, None]).linear
            predicted[held] = linear.outputs(scaling.apply(x[held]))[:, 0]
        return float(1 - np.square(values - predicted).sum() / np.square(values - values.mean()).sum())
    x, y, count = inputs.classes(features, labels)
    split = measure_folds.stratified(y, folds=folds, seed=seed)
    return -float(logistic.search(x, y, split, classes=count).log_losses.min())
