"""TransRate: the coding rate of all features less that of the features inside the classes.

Huang et al., 2022, https://arxiv.org/abs/2106.09362: R(Z) - R(Z | y) with R(Z) = 1/2 log det(I + Z'Z / (n eps)). The
published score grows with the features' scale and gives noise as much as signal in wide features. Here the centred
features are scaled to a total variance of 1, and what the same features score with permuted labels is taken off, so
that features which know nothing of the labels come to 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.measure.arrays import Floats, Ints
from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes",)


def score(features: Any, labels: Any, *, eps: float = 1e-4, permutations: int = 5, seed: int = 0) -> float:
    """The coding rate that the labels save, nats; about 0 for features that know nothing of them.

    Invariant under shifts, rotations and scaling of all features together.

    Args:
        features: (n, d).
        labels: (n,) classes.
        eps: squared distortion, in units of the total variance.
        permutations: of the labels, whose mean score is taken off; 0 takes nothing off (then at least 0).
        seed: of the permutations.

    Raises:
        DataError: arrays that do not fit each other.
    """
    x, y, count = inputs.classes(features, labels)
    rotation = rotate(x)
    if not len(rotation.spectrum):
        return 0.0
    z = rotation.coordinates.astype(np.float64) / np.sqrt(rotation.spectrum.sum() / len(x))
    whole = _rate(z, eps)
    found = whole - _inside(z, y, count, eps)
    draw = seeds.generator(seed, "transrate")
    null = [whole - _inside(z, draw.permutation(y), count, eps) for _ in range(permutations)]
    return float(found - np.mean(null)) if null else float(found)


def _rate(z: Floats, eps: float) -> float:
    """1/2 log det(I + Z'Z / (n eps)) by whichever Gram matrix is smaller."""
    gram = z.T @ z if len(z) > z.shape[1] else z @ z.T
    return 0.5 * float(np.linalg.slogdet(np.eye(len(gram)) + gram / (len(z) * eps))[1])


def _inside(z: Floats, y: Ints, count: int, eps: float) -> float:
    """The classes' own rates, each weighted by its share of the items."""
    return sum((y == c).mean() * _rate(z[y == c], eps) for c in range(count))
