"""k nearest neighbours, each item left out of its own vote: by cosine for classes, by distance for values.

No hyper-parameter to tune and nothing that breaks for n < d; in the comparison of 23 scores over 16 data sets by
Sorkhei et al., 2025, plain k-NN was the best. Weaker than ridge where most directions of wide features are noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from headstart.measure.arrays import Floats
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes", "values")

_ROWS_AT_ONCE = 1024


def score(features: Any, labels: Any, *, k: int = 5) -> float:
    """Leave-one-out accuracy in [0, 1]; for values R^2, at most 1 (0 is the mean, below 0 worse than it).

    A tie between classes goes to the nearest neighbours. Invariant under scaling and rotating all features.

    Args:
        features: (n, d).
        labels: (n,) classes; or an array of floats, predicted by their neighbours' mean.
        k: neighbours that vote, at most n - 1.

    Raises:
        DataError: arrays that do not fit each other.
    """
    if inputs.are_values(labels):
        x, values = inputs.values(features, labels)
        predicted = values[_nearest(x, k)].mean(axis=1)
        return float(1 - ((values - predicted) ** 2).sum() / ((values - values.mean()) ** 2).sum())
    x, y, count = inputs.classes(features, labels)
    nearest, likeness = _neighbours(x, k)
    votes = np.zeros((len(y), count))
    # Whole votes decide; the likeness, scaled to less than one vote in all, only breaks ties.
    np.add.at(votes, (np.arange(len(y))[:, None], y[nearest]), 1 + (likeness + 1) / (4 * nearest.shape[1]))
    return float((votes.argmax(axis=1) == y).mean())


def _nearest(x: np.ndarray, k: int) -> np.ndarray:
    """Positions (n, k) of the items at the least Euclidean distance; a cosine would not see how long a feature is."""
    found = NearestNeighbors(n_neighbors=min(k, len(x) - 1), algorithm="brute").fit(x)
    return np.asarray(found.kneighbors(return_distance=False))


def _neighbours(x: np.ndarray, k: int) -> tuple[np.ndarray, Floats]:
    """Positions (n, k) of the most similar other items, and their cosine similarities."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    unit = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    k = min(k, len(x) - 1)
    index, likeness = [], []
    for start in range(0, len(x), _ROWS_AT_ONCE):
        similar = unit[start : start + _ROWS_AT_ONCE] @ unit.T
        own = np.arange(len(similar))
        similar[own, start + own] = -np.inf
        best = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        index.append(best)
        likeness.append(np.take_along_axis(similar, best, axis=1))
    return np.concatenate(index), np.concatenate(likeness).astype(np.float64)
