"""What transferability scores read: checked features, outputs of a source head, and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base.errors import DataError
from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints


def classes(features: Any, labels: Any) -> tuple[NDArray[Any], Ints, int]:
    """Features (n, d), class indices (n,) from 0 on without gaps, and the number of classes.

    Raises:
        DataError: no finite matrix, not one label an item, or fewer than two classes.
    """
    x = arrays.matrix(features, dtype=None if np.asarray(features).dtype == np.float32 else np.float64)
    y = np.asarray(labels)
    if y.shape != (len(x),):
        raise DataError("Features and labels differ in number", where=f"{len(x)} and shape {y.shape}")
    names, index = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise DataError("A score needs at least two classes", where=f"{len(names)} found")
    return x, index.astype(np.int64), len(names)


def values(features: Any, labels: Any) -> tuple[NDArray[Any], Floats]:
    """Features (n, d) and real targets (n,).

    Raises:
        DataError: no finite matrices, not one value an item, or values that do not vary.
    """
    x = arrays.matrix(features, dtype=None if np.asarray(features).dtype == np.float32 else np.float64)
    y = np.asarray(labels, dtype=np.float64)
    if y.shape != (len(x),) or not np.isfinite(y).all():
        raise DataError("Targets do not fit the features", where=f"shape {y.shape}", expected=f"({len(x)},), finite")
    if np.ptp(y) == 0:
        raise DataError("A score needs values that vary", where=f"all are {y[0]:g}")
    return x, y


def are_values(labels: Any) -> bool:
    """True for real-valued labels (an array of floats), False for classes."""
    return bool(np.issubdtype(np.asarray(labels).dtype, np.floating))


def outputs(probabilities: Any, labels: Any) -> tuple[Floats, Ints, int]:
    """Probabilities (n, Z) over source classes, class indices (n,) of the target, and the number of target classes.

    Raises:
        DataError: as ``classes``; or rows that are no probabilities.
    """
    theta, y, count = classes(probabilities, labels)
    if (theta < 0).any() or not np.allclose(theta.sum(axis=1), 1, atol=1e-3):
        raise DataError("Rows are no probabilities", expected="numbers from 0 on that sum to 1, of the source's head")
    return theta.astype(np.float64), y, count


def one_hot(y: Ints, count: int) -> Floats:
    """Indicators (n, count) of class indices (n,)."""
    return np.eye(count)[y]


def class_means(x: NDArray[Any], y: Ints, count: int) -> tuple[Floats, Floats]:
    """Mean (count, d) and number of items (count,) of each class."""
    hot = one_hot(y, count)
    size = hot.sum(axis=0)
    return (hot.T @ x) / size[:, None], size
