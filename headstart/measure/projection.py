"""Features in two dimensions: t-SNE from principal components, the same every time, and two maps that can be compared.

t-SNE: van der Maaten and Hinton 2008, Visualizing Data using t-SNE; begun at the principal components, which keeps far
groups where they belong (Kobak and Berens 2019, https://doi.org/10.1038/s41467-019-13056-x). Neighbours in the map are
neighbours in the features; distances between groups, and their sizes, mean little.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.base.errors import DataError
from headstart.measure import arrays
from headstart.measure.arrays import Floats

COMPONENTS = 50
"""Principal components that stand for the features."""
LEAST = 12
"""Items below which there are too few neighbours for t-SNE, and the first two principal components are the map."""
PERPLEXITY = 30.0
"""Neighbours that each item is placed by; fewer where there are under 90 items."""
_STEPS = 400
_TINY = 1e-4


def method(n: int) -> str:
    """What ``project`` makes the map of n items by, in words."""
    return "t-SNE" if n >= LEAST else "the first two principal components"


def project(features: Any, *, seed: int = 0, start: Any = None) -> Floats:
    """A map (n, 2) of features (n, d), its middle at 0 and its root mean square distance from there 1.

    Computed in one thread, so that it is the same on every number of them.

    Args:
        seed: of the little that is left to chance.
        start: another map (n, 2) of the same items to begin at, so that what stays alike stays in place.

    Raises:
        DataError: no finite matrix, or a start of another shape.
    """
    matrix = arrays.matrix(features)
    with threadpool_limits(1):
        main = _components(matrix)
        if len(matrix) < LEAST or not np.ptp(main, axis=0).any():
            return _scaled(main[:, :2])
        return _scaled(_neighbours(main, main[:, :2] if start is None else _fitting(start, len(matrix)), seed))


def aligned(points: Any, onto: Any) -> Floats:
    """A map (n, 2) turned, and mirrored where that is closer, to lie as another (n, 2) does (orthogonal Procrustes).

    Raises:
        DataError: maps of different items.
    """
    moved = np.asarray(points, dtype=np.float64)
    left, _, right = np.linalg.svd(moved.T @ _fitting(onto, len(moved)))
    return np.asarray(moved @ (left @ right))


def _components(matrix: Floats) -> Floats:
    """(n, c) principal components, at least two of them; each points to where its largest weight is positive."""
    centred = matrix - matrix.mean(axis=0)
    left, strengths, right = np.linalg.svd(centred, full_matrices=False)
    sign = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    found = (left * strengths * np.where(sign == 0, 1.0, sign))[:, :COMPONENTS]
    return np.pad(found, ((0, 0), (0, max(0, 2 - found.shape[1]))))


def _neighbours(main: Floats, start: Floats, seed: int) -> Floats:
    from sklearn.manifold import TSNE

    spread = float(start[:, 0].std())
    made = TSNE(
        perplexity=min(PERPLEXITY, (len(main) - 1) / 3),
        init=(start * (_TINY / spread if spread > 0 else 1.0)).astype(np.float32),
        max_iter=_STEPS,
        random_state=seed % 2**32,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equal items, whose place in the map is the same
        return np.asarray(made.fit_transform(main.astype(np.float32)), dtype=np.float64)


def _scaled(points: Floats) -> Floats:
    centred = points - points.mean(axis=0)
    size = float(np.sqrt((centred**2).sum(axis=1).mean()))
    return centred / size if size > 0 else centred


def _fitting(other: Any, n: int) -> Floats:
    found = np.asarray(other, dtype=np.float64)
    if found.shape != (n, 2) or not np.isfinite(found).all():
        raise DataError("The other map does not fit", where=f"shape {found.shape}", expected=f"({n}, 2), finite")
    return found
