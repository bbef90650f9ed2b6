"""Shrinkage H-score: the H-score with a covariance that is shrunk towards the identity.

Ibrahim, Ponomareva and Mazumder, 2021, https://arxiv.org/abs/2110.06893: (1 - a) tr(S^-1 cov(E[F | y])) with the
covariance S and its intensity a by Ledoit and Wolf, 2004 (https://doi.org/10.1016/S0047-259X(03)00096-4), from
scikit-learn. It stays meaningful for n < d, where the plain H-score is C - 1 whatever the features are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage

from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes",)


def score(features: Any, labels: Any) -> float:
    """The shrinkage H-score of features (n, d) and classes (n,), in [0, C - 1].

    Invariant under shifts, rotations and scaling of all features together.

    Raises:
        DataError: arrays that do not fit each other.
    """
    x, y, count = inputs.classes(features, labels)
    rotation = rotate(x)
    if not len(rotation.spectrum):
        return 0.0
    intensity = float(ledoit_wolf_shrinkage(x.astype(np.float64)))
    # Class means lie in the span of the items, where the shrunk covariance is diagonal in the rotated coordinates.
    variance = rotation.spectrum / len(x)
    shrunk = (1 - intensity) * variance + intensity * variance.sum() / x.shape[1]
    means, size = inputs.class_means(rotation.coordinates.astype(np.float64), y, count)
    between = (size / len(x) * (means**2).T).sum(axis=1)
    return float((1 - intensity) * (between / shrunk).sum())
