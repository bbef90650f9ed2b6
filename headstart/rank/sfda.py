"""SFDA: the likelihood of the labels after two Fisher discriminants, the second on features made harder.

Shao et al., 2022, https://arxiv.org/abs/2207.03036: a Fisher discriminant whose within-class scatter is shrunk by
exp(-5 lambda_max), class probabilities from it, each item pulled towards the other classes by its own doubt (ConfMix),
a second discriminant. The published score is taken in sample and overfits for n < d; here discriminants and class means
come from the other folds by default. The published shrinkage depends on the features' scale; here lambda_max is the
largest share of the within-class variance, and the scatter shrinks towards its own mean variance instead of towards 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg
from scipy.special import log_softmax

from headstart.base import seeds
from headstart.measure import folds as measure_folds
from headstart.measure.arrays import Floats, Ints
from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes",)

_LEAST = 1e-6


def score(features: Any, labels: Any, *, folds: int = 5, seed: int = 0) -> float:
    """Mean log probability of the right class, nats, at most 0; about -log C for features that know nothing.

    Invariant under shifts, rotations and scaling of all features together.

    Args:
        features: (n, d).
        labels: (n,) classes.
        folds: that items are held out in; 0 fits and asks the same items, as published.
        seed: of the folds.

    Raises:
        DataError: arrays that do not fit each other.
    """
    x, y, count = inputs.classes(features, labels)
    rotation = rotate(x)
    if not len(rotation.spectrum):
        return float(-np.log(count))
    z = rotation.coordinates.astype(np.float64) / np.sqrt(rotation.spectrum.sum() / len(x))
    everything = np.arange(len(y))
    split = measure_folds.stratified(y, folds=folds, seed=seeds.derive(seed, "sfda")) if folds else None
    pairs = split or ((everything, everything),)
    found = np.concatenate([_challenged(z, y, count, fit, ask) for fit, ask in pairs])
    return float(found.mean())


def _challenged(z: Floats, y: Ints, count: int, fit: Ints, ask: Ints) -> Floats:
    """Log probability (a,) of the right class of the items to ask, after both discriminants."""
    first = _Fisher(z[fit], y[fit], count)
    mixed = first.mixed(z, np.exp(first.log_probabilities(z)), y, count)
    second = _Fisher(mixed[fit], y[fit], count)
    return np.asarray(second.log_probabilities(mixed[ask])[np.arange(len(ask)), y[ask]])


class _Fisher:
    """A shrunk Fisher discriminant, fitted to points (n, k) and class indices (n,)."""

    def __init__(self, z: Floats, y: Ints, count: int) -> None:
        hot = inputs.one_hot(y, count)
        size = np.maximum(hot.sum(axis=0), 1e-9)
        self.prior = np.log((hot.sum(axis=0) + 1 / count) / (len(y) + 1))
        self.means = (hot.T @ z) / size[:, None]
        self.overall = z.mean(axis=0)
        inner = z - self.means[y]
        within = inner.T @ inner / len(z)
        shift = self.means - self.overall
        between = (size / len(z) * shift.T) @ shift
        variances = np.linalg.eigvalsh(within)
        typical = max(float(variances.mean()), _LEAST * float(np.square(z).mean()))
        doubt = max(float(np.exp(-5 * variances[-1] / (typical * len(variances)))), _LEAST)
        shrunk = (1 - doubt) * within + doubt * typical * np.eye(z.shape[1])
        most = min(count - 1, z.shape[1])
        last = z.shape[1] - 1
        _, self.axes = linalg.eigh(between, shrunk, subset_by_index=(last - most + 1, last))

    def log_probabilities(self, z: Floats) -> Floats:
        """(n, C) under Gaussians with the shrunk scatter, which is the identity along the axes."""
        points, centres = (z - self.overall) @ self.axes, (self.means - self.overall) @ self.axes
        return np.asarray(log_softmax(points @ centres.T - 0.5 * (centres**2).sum(axis=1) + self.prior, axis=1))

    def mixed(self, z: Floats, p: Floats, y: Ints, count: int) -> Floats:
        """Each point pulled towards the mean of the other classes by its own doubt."""
        sure = p[np.arange(len(y)), y][:, None]
        others = (self.means.sum(axis=0) - self.means[y]) / (count - 1)
        return sure * z + (1 - sure) * others
