"""PARC: do items that are alike in the features have the same label?

Bolya, Mittapalli and Hoffman, 2021, https://arxiv.org/abs/2111.06977: Spearman's correlation, times 100, of the
pairwise distances of z-scored features (32 principal components) with those of the one-hot labels. Two departures: the
distance is 1 - cosine, for Pearson's across components changes with the arbitrary signs of the axes; and the published
bonus for deeper networks is left out, for that is a prior.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from headstart.base import seeds
from headstart.measure.arrays import Floats
from headstart.measure.linear import standardisation
from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes", "values")


def score(features: Any, labels: Any, *, components: int = 32, most: int = 1500, seed: int = 0) -> float:
    """100 times the rank correlation of distances, in [-100, 100].

    Args:
        features: (n, d).
        labels: (n,) classes; or an array of floats, whose distances are absolute differences.
        components: principal components that are kept, at most; 0 keeps the features as they are.
        most: items that are compared with each other, at most; a random choice of more.
        seed: of that choice.

    Raises:
        DataError: arrays that do not fit each other.
    """
    wanted: Floats
    if inputs.are_values(labels):
        x, values = inputs.values(features, labels)
        rows = _some(len(x), most, seed)
        wanted = np.abs(values[rows, None] - values[rows])
    else:
        x, y, _ = inputs.classes(features, labels)
        rows = _some(len(x), most, seed)
        wanted = (y[rows, None] != y[rows]).astype(np.float64)
    scaled = standardisation(x, floor=1e-9).apply(x.astype(np.float64))
    points = rotate(scaled).coordinates[:, :components] if components else scaled
    below = np.tril_indices(len(rows), -1)
    pairs = _distances(points[rows])[below], wanted[below]
    if any(np.ptp(each) == 0 for each in pairs):
        return 0.0
    return 100 * float(spearmanr(*pairs).statistic)


def _some(n: int, most: int, seed: int) -> np.ndarray:
    return np.arange(n) if n <= most else np.sort(seeds.generator(seed, "parc").permutation(n)[:most])


def _distances(points: Floats) -> Floats:
    """1 - cosine of every pair of rows; a row of zeros is at 1 from all."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    unit = np.divide(points, length, out=np.zeros_like(points), where=length > 0)
    return np.asarray(1 - unit @ unit.T)
