"""Checks of the arrays that every measure takes, so that a wrong shape is named where it enters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import scratch
from headstart.base.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def labels(y: Any, *, classes: int, n: int | None = None) -> Ints:
    """Class indices (n,) as int64.

    Raises:
        DataError: not one-dimensional, not whole numbers, outside [0, classes), or not n of them.
    """
    found = np.asarray(y)
    if found.ndim != 1 or (n is not None and len(found) != n):
        expected = "(n,)" if n is None else f"({n},)"
        raise DataError("Targets have the wrong shape", where=f"shape {found.shape}", expected=expected)
    whole = found.astype(np.int64)
    if not np.array_equal(whole, found) or (len(whole) and not 0 <= whole.min() <= whole.max() < classes):
        raise DataError("Targets are not class indices", expected=f"whole numbers from 0 to {classes - 1}")
    return whole


def matrix(x: Any, *, name: str = "features", dtype: Any = np.float64) -> NDArray[Any]:
    """A finite, non-empty (n, d) matrix.

    Raises:
        DataError: not two-dimensional, empty, or not finite.
    """
    found = np.asarray(x)
    if dtype is not None and found.dtype != dtype:
        given, few = found, found.ndim != 2 or not len(found)
        found = np.asarray(x, dtype) if few else scratch.by_rows(len(given), lambda rows: given[rows].astype(dtype))
    if found.ndim != 2 or not found.size:
        raise DataError(f"The {name} are no matrix", where=f"shape {found.shape}", expected="(n, d), neither of them 0")
    if not all(np.isfinite(found[start : start + scratch.ROWS]).all() for start in range(0, len(found), scratch.ROWS)):
        row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
        raise DataError(f"The {name} are not finite", where=f"row {row}", expected="no NaN and no infinity")
    return found


def average(values: NDArray[Any], weights: Floats, of: Callable[[Floats], Floats] | None = None) -> Floats:
    """Weighted mean (d,) of the rows (n, d), or of what ``of`` makes of them, in float64; a block at a time."""
    total = np.zeros(values.shape[1])
    for start in range(0, len(values), scratch.ROWS):
        rows = slice(start, start + scratch.ROWS)
        block = values[rows].astype(np.float64)
        total += weights[rows] @ (block if of is None else of(block))
    return np.asarray(total / weights.sum())


def predictions(p: Any, y: Any) -> tuple[Floats, Ints]:
    """Probabilities (n, C) with their targets (n,), both checked.

    Raises:
        DataError: as ``matrix`` and ``labels`` do.
    """
    probabilities = matrix(p, name="probabilities")
    return probabilities, labels(y, classes=probabilities.shape[1], n=len(probabilities))


def item_weights(weights: Any, n: int) -> Floats:
    """Item weights (n,), all 1 when None.

    Raises:
        DataError: wrong shape, negative, not finite, or all zero.
    """
    if weights is None:
        return np.ones(n)
    found = np.asarray(weights, dtype=np.float64)
    if found.shape != (n,) or not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise DataError("Weights do not fit the items", where=f"shape {found.shape}", expected=f"({n},), not negative")
    return found


def answers(p: Any, y: Any) -> tuple[Floats, NDArray[np.bool_]]:
    """Probabilities (n, L) with the truths (n, L) of as many yes-or-no questions, both checked.

    Raises:
        DataError: as ``matrix`` does, or for truths that are not 0 or 1, or of another shape.
    """
    probabilities = matrix(p, name="probabilities")
    return probabilities, truths(y, shape=probabilities.shape)


def truths(y: Any, *, shape: tuple[int, ...] | None = None) -> NDArray[np.bool_]:
    """Truths (n, L) as True and False.

    Raises:
        DataError: not two-dimensional, of another shape than wanted, or not 0 and 1.
    """
    found = np.asarray(y)
    if found.ndim != 2 or (shape is not None and found.shape != shape):
        expected = "(n, labels)" if shape is None else str(shape)
        raise DataError("Targets have the wrong shape", where=f"shape {found.shape}", expected=expected)
    yes = found.astype(np.bool_)
    if not np.array_equal(yes, found):
        raise DataError("Targets are not yes or no", expected="0 and 1, one column a label")
    return yes


def estimates(p: Any, y: Any) -> tuple[Floats, Floats]:
    """Predicted numbers (n,) or (n, 1) with the true ones (n,), both checked and flat.

    Raises:
        DataError: of different lengths, none, or not finite.
    """
    found, wanted = np.asarray(p, dtype=np.float64), numbers(y)
    if found.shape not in ((len(wanted),), (len(wanted), 1)) or not np.isfinite(found).all():
        raise DataError(
            "Predictions do not fit the targets", where=f"shape {found.shape}", expected=f"({len(wanted)}, 1), finite"
        )
    return found.reshape(len(wanted)), wanted


def numbers(y: Any) -> Floats:
    """Targets (n,) as finite numbers.

    Raises:
        DataError: not one-dimensional, none, or not finite.
    """
    found = np.asarray(y, dtype=np.float64)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise DataError("Targets are not numbers", where=f"shape {found.shape}", expected="(n,), finite")
    return found
