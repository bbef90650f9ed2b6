"""How strange items are to a model, by their features: distances and densities; higher is stranger.

k-NN distance: Sun et al. 2022, Out-of-Distribution Detection with Deep Nearest Neighbors
(https://arxiv.org/abs/2204.06507); Mahalanobis distance: Lee et al. 2018 (https://arxiv.org/abs/1807.03888), its
relative form: Ren et al. 2021 (https://arxiv.org/abs/2106.09022); the residual outside the principal subspace: Wang et
al. 2022, ViM (https://arxiv.org/abs/2203.10807); energy: Liu et al. 2020 (https://arxiv.org/abs/2010.03759); the
largest probability, which all of them have to beat: Hendrycks and Gimpel 2017 (https://arxiv.org/abs/1610.02136).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.covariance import ledoit_wolf

from headstart.base.errors import DataError
from headstart.measure import arrays, calibration
from headstart.measure.arrays import Floats

KEPT = 0.9
"""Share of the variance that the principal subspace holds, outside of which ``residual`` looks."""
_AT_ONCE = 1024
_LEAST_VARIANCE = 1e-12


def side_by_side(parts: Sequence[Any]) -> Floats:
    """Features of several stages, (n, d_1), (n, d_2), ..., each item's scaled to length 1, side by side.

    Every stage then has the same say, however wide it is and whatever its scale. A row of zeros stays one.

    Raises:
        DataError: no part, of different lengths, or not finite.
    """
    scaled = []
    for part in parts:
        values = arrays.matrix(part)
        length = np.linalg.norm(values, axis=1, keepdims=True)
        scaled.append(values / np.where(length > 0, length, 1.0))
    if len({len(part) for part in scaled}) != 1:
        raise DataError("Stages have features of different numbers of items", expected="the same items in each")
    return np.concatenate(scaled, axis=1)


def nearest(reference: Any, features: Any, *, k: int = 1) -> Floats:
    """Euclidean distance (n,) of features (n, d) to their k-th nearest of the reference (m, d), m at least k.

    Raises:
        DataError: arrays that do not fit each other, or fewer than k in the reference.
    """
    known, asked = _both(reference, features)
    if not 1 <= k <= len(known):
        raise DataError(f"{len(known)} known items have no {k}th nearest", expected=f"k from 1 to {len(known)}")
    own = (known**2).sum(axis=1)
    found = np.empty(len(asked))
    for start in range(0, len(asked), _AT_ONCE):
        block = asked[start : start + _AT_ONCE]
        squared = own + (block**2).sum(axis=1, keepdims=True) - 2 * block @ known.T
        found[start : start + _AT_ONCE] = np.partition(squared, k - 1, axis=1)[:, k - 1]
    return np.sqrt(np.maximum(found, 0.0))


def mahalanobis(reference: Any, features: Any, labels: Any = None) -> Floats:
    """Mahalanobis distance (n,) to the mean of the reference (m, d), or to the nearest of its classes' means.

    The covariance, which the classes share, is shrunk towards a multiple of the identity (Ledoit and Wolf 2004) after
    every feature was brought to one scale, so it also exists for m < d.

    Args:
        reference: features of known items.
        features: of the items that are asked about.
        labels: (m,) classes of the known items; None takes them for one.

    Raises:
        DataError: arrays that do not fit each other.
    """
    known, asked = _scaled(*_both(reference, features))
    groups = np.zeros(len(known), np.int64) if labels is None else np.unique(labels, return_inverse=True)[1]
    if len(groups) != len(known):
        raise DataError("Labels and features differ in number", where=f"{len(groups)} and {len(known)}")
    means = np.stack([known[groups == each].mean(axis=0) for each in range(groups.max() + 1)])
    root = _whitening(known - means[groups])
    return nearest(means @ root, asked @ root)


def relative_mahalanobis(reference: Any, features: Any, labels: Any) -> Floats:
    """Squared distance (n,) to the nearest class, less that to the mean of all items.

    Raises:
        DataError: arrays that do not fit each other.
    """
    return mahalanobis(reference, features, labels) ** 2 - mahalanobis(reference, features) ** 2


def residual(reference: Any, features: Any, *, kept: float = KEPT) -> Floats:
    """Length (n,) of what lies outside the subspace that holds a share ``kept`` of the reference's variance.

    Raises:
        DataError: arrays that do not fit each other.
    """
    known, asked = _scaled(*_both(reference, features))
    centre = known.mean(axis=0)
    _, spread, axes = np.linalg.svd(known - centre, full_matrices=False)
    share = np.cumsum(spread**2) / max(float((spread**2).sum()), np.finfo(float).tiny)
    axes = axes[: int(np.searchsorted(share, kept)) + 1]
    away = asked - centre
    return np.linalg.norm(away - (away @ axes.T) @ axes, axis=1)


def energy(logits: Any) -> Floats:
    """Minus the log of the summed exponentials (n,) of logits (n, C)."""
    return -logsumexp(arrays.matrix(logits, name="logits"), axis=1)


def unsureness(logits: Any) -> Floats:
    """One minus the largest probability (n,) of logits (n, C): the reference that the others have to beat."""
    return 1 - calibration.softmax(arrays.matrix(logits, name="logits")).max(axis=1)


def _both(reference: Any, features: Any) -> tuple[Floats, Floats]:
    known, asked = arrays.matrix(reference, name="reference"), arrays.matrix(features)
    if known.shape[1] != asked.shape[1]:
        raise DataError(
            f"Items have {asked.shape[1]} features and the known ones {known.shape[1]}", expected="as many of both"
        )
    return known, asked


def _scaled(known: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Both in standard deviations of the known items; a feature that never varied keeps a small unit of its own."""
    spread = known.std(axis=0)
    unit = np.maximum(spread, 1e-6 * float(spread.max())) if spread.any() else np.ones_like(spread)
    return known / unit, asked / unit


def _whitening(centred: Floats) -> Floats:
    """A matrix (d, d) that takes the shrunk covariance of centred rows (m, d) to the identity."""
    if len(centred) < 2:
        return np.eye(centred.shape[1])  # a single item has no spread; every direction counts alike
    covariance, _ = ledoit_wolf(centred, assume_centered=True)
    values, axes = np.linalg.eigh(covariance)
    floor = max(float(values.max()) * 1e-10, _LEAST_VARIANCE)
    return np.asarray(axes / np.sqrt(np.maximum(values, floor)))
