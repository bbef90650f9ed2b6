"""GBC: how little the classes overlap, each taken as a Gaussian, by the Bhattacharyya coefficient.

Pandy et al., 2022, https://arxiv.org/abs/2111.12780: minus the sum over pairs of classes of exp(-D_B), after principal
components (64 of them) and with diagonal covariances. A class with few items gets a variance that is too small and so
looks separate; each variance is therefore shrunk towards the one of all classes by as much as one item in n_c + 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes",)

_LEAST = 1e-6


def score(features: Any, labels: Any, *, components: int = 64) -> float:
    """Minus the summed overlap of all ordered pairs of classes, in [-C (C - 1), 0].

    Invariant under shifts and rotations of the features, and under scaling all of them together.

    Args:
        features: (n, d).
        labels: (n,) classes.
        components: principal components that are kept, at most.

    Raises:
        DataError: arrays that do not fit each other.
    """
    x, y, count = inputs.classes(features, labels)
    points = rotate(x).coordinates[:, :components].astype(np.float64)
    means, size = inputs.class_means(points, y, count)
    within = (points - means[y]) ** 2
    pooled = within.mean(axis=0)
    pooled = np.maximum(pooled, _LEAST * max(float(points.var(axis=0).max(initial=0.0)), np.finfo(np.float64).tiny))
    summed = inputs.one_hot(y, count).T @ within
    variances = (summed + pooled) / (size + 1)[:, None]
    return -2 * sum(_overlap(means, variances, a, b) for a in range(count) for b in range(a))


def _overlap(means: np.ndarray, variances: np.ndarray, a: int, b: int) -> float:
    """exp(-D_B) of two Gaussians with diagonal covariances, in (0, 1]."""
    middle = (variances[a] + variances[b]) / 2
    apart = ((means[a] - means[b]) ** 2 / middle).sum() / 8
    unlike = 0.5 * np.log(middle / np.sqrt(variances[a] * variances[b])).sum()
    return float(np.exp(-apart - unlike))
