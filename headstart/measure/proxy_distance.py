"""The proxy A-distance: how easily a linear classifier tells two sets of features apart.

2 (1 - 2 error) of a classifier that was trained to name the set of an item (Ben-David et al. 2007, Analysis of
Representations for Domain Adaptation): 0 where it can but guess, 2 where it is always right. Any shift that can be seen
at all brings it near 2, so that it tells same from different, and hardly ever different from very different.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, folds, intervals, ridge
from headstart.measure.arrays import Floats

SATURATED = 1.9
"""From here on (fewer than one item in forty is taken for the other set's) a larger value means nothing."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy A-distance.

    Attributes:
        distance: with its 95 % interval, from 0 to 2.
        error: of the classifier on items that it was not fitted to, both sets counted equally.
    """

    distance: Interval
    error: float

    @property
    def saturated(self) -> bool:
        """True if the classifier is hardly ever wrong: the two are told apart, and how different they are is open."""
        return self.distance.value >= SATURATED


def measure(first: Any, second: Any, *, seed: int = 0) -> Proxy:
    """The proxy A-distance of features (n, d) and (m, d), by a ridge classifier in five-fold cross-validation.

    Both sets weigh the same, however many items they have. A classifier that does worse than guessing is chance, and
    counts as 0.

    Raises:
        DataError: no finite matrices, of different widths, or too few rows.
    """
    a, b = arrays.matrix(first, dtype=None), arrays.matrix(second, dtype=None)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 5:
        where = f"shapes {a.shape} and {b.shape}"
        raise DataError("The two sets of features do not fit", where=where, expected="(n, d) and (m, d), 5 rows each")
    features = np.concatenate([a, b])
    of_second = np.repeat([0, 1], [len(a), len(b)])
    wrong = np.zeros(len(features))
    for train, held in folds.stratified(of_second, seed=seed):
        weights = (len(train) / 2 / np.bincount(of_second[train]))[of_second[train]]
        wrong[held] = _wrong(features, of_second, train, held, weights)
    return _as_distance([wrong[of_second == side] for side in (0, 1)])


def _wrong(features: Any, sides: Any, train: Any, held: Any, weights: Floats) -> Floats:
    middle, scale = features[train].mean(axis=0), features[train].std(axis=0)
    scale = np.maximum(scale, max(0.1 * float(np.sqrt(np.square(scale).mean())), 1e-12))
    ready = (features - middle) / scale
    found = ridge.fit(ready[train], (2.0 * sides[train] - 1)[:, None], weights=weights)
    return np.asarray((found.linear.outputs(ready[held])[:, 0] > 0) != (sides[held] == 1), dtype=np.float64)


def _as_distance(wrong: list[Floats]) -> Proxy:
    error = float(np.mean([each.mean() for each in wrong]))
    # As many items as would make a plain share of mistakes as certain as this mean of two shares.
    effective = 4 / sum(1 / len(each) for each in wrong)
    around = intervals.wilson(error * effective, effective)
    value, low, high = (min(2.0, max(0.0, 2 * (1 - 2 * each))) for each in (error, around.high, around.low))
    return Proxy(Interval(value, low, high), error)
