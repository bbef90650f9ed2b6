"""Centred features in the coordinates of their own principal axes, by one symmetric eigendecomposition.

Ridge and logistic regression with an unpenalised intercept do not change under a shift or a rotation of the features,
and use no direction in which the features do not vary. So n items of d features become n items of
k = min(n - 1, d) uncorrelated coordinates, once, for every penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import scratch
from headstart.base.errors import DataError
from headstart.measure import arrays, threads
from headstart.measure.arrays import Floats

_RANK = 1e-13


@dataclass(frozen=True, slots=True)
class Rotation:
    """What ``rotate`` finds.

    Attributes:
        mean: (d,) weighted mean of the features.
        axes: (d, k) orthonormal; coordinates of new features are (x - mean) @ axes.
        coordinates: (n, k) of the items, not weighted.
        spectrum: (k,) weighted sums of squares along the axes (squared singular values), largest first.
    """

    mean: Floats
    axes: NDArray[Any]
    coordinates: NDArray[Any]
    spectrum: Floats

    @property
    def typical(self) -> float:
        """The mean eigenvalue, the natural unit of a ridge penalty; 1 for features that do not vary."""
        return float(self.spectrum.mean()) if len(self.spectrum) else 1.0


def rotate(features: Any, weights: Any = None) -> Rotation:
    """Rotate features (n, d) to their principal axes.

    Costs O(n d min(n, d) + min(n, d)^3). Features in float32 stay in float32 (memory), with the decomposition in
    float64; everything else is float64.

    Args:
        weights: (n,) of the items; the mean and the spectrum are weighted by them.

    Raises:
        DataError: no finite matrix, fewer than two items, or unfitting weights.
    """
    values = np.asarray(features)
    x = arrays.matrix(values, dtype=np.float32 if values.dtype == np.float32 else np.float64)
    n, d = x.shape
    if n < 2:
        raise DataError("One item is too few to fit to", expected="at least 2")
    share = arrays.item_weights(weights, n)
    mean = arrays.average(x, share)
    middle = mean.astype(x.dtype)
    if n <= d:
        return _by_items(mean, x - middle, share)
    gram = np.zeros((d, d))
    for start in range(0, n, scratch.ROWS):
        rows = slice(start, start + scratch.ROWS)
        block = (x[rows] - middle).astype(np.float64) * np.sqrt(share[rows, None])
        gram += block.T @ block
    spectrum, axes = _leading(gram, d)
    turned = axes.astype(x.dtype)
    return Rotation(mean, turned, scratch.by_rows(n, lambda rows: (x[rows] - middle) @ turned), spectrum)


def _by_items(mean: Floats, centred: NDArray[Any], share: Floats) -> Rotation:
    weighted = centred.astype(np.float64) * np.sqrt(share)[:, None]
    spectrum, across = _leading(weighted @ weighted.T, len(share) - 1)
    axes = ((weighted.T @ across) / np.sqrt(spectrum)).astype(centred.dtype)
    return Rotation(mean, axes, centred @ axes, spectrum)


def _leading(gram: Floats, most: int) -> tuple[Floats, Floats]:
    """The eigenvalues that are not rounding errors, largest first, and their eigenvectors as columns."""
    with threads.suited(float(len(gram)) ** 3):
        values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = min(most, int((values > _RANK * max(values[0], 0.0) * len(values)).sum())) if values[0] > 0 else 0
    return values[:kept].copy(), np.ascontiguousarray(vectors[:, :kept])
