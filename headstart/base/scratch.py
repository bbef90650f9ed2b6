"""Large arrays that live in a file: memory which the system may take back, so that big data need not fit in it.

The file has no name any more when the array is handed out, and is gone with the array, or with a killed process. Its
blocks are reserved at once, for a disk that fills up later could otherwise end the process; where they cannot be, the
array is in memory after all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base.machine import cache_folder

LARGE = 8 * 2**20
"""Bytes from which on an array is put into a file."""
ROWS = 512
"""Rows that are computed at once."""


def empty(shape: Sequence[int], dtype: Any = np.float64) -> NDArray[Any]:
    """An array of any contents."""
    kind, size = np.dtype(dtype), int(np.prod(shape, dtype=np.int64))
    if size * kind.itemsize < LARGE or not hasattr(os, "posix_fallocate"):
        return np.empty(shape, kind)
    try:
        folder = cache_folder() / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            os.posix_fallocate(stream.fileno(), 0, size * kind.itemsize)
            return np.asarray(np.memmap(stream, kind, "r+", shape=tuple(shape)))
    except OSError:
        return np.empty(shape, kind)


def by_rows(n: int, make: Callable[[slice], NDArray[Any]]) -> NDArray[Any]:
    """The rows that ``make`` gives for each slice of ``range(n)``, end to end; n is at least 1."""
    first = make(slice(0, min(n, ROWS)))
    if n <= ROWS:
        return first
    result = empty((n, *first.shape[1:]), first.dtype)
    result[: len(first)] = first
    for start in range(ROWS, n, ROWS):
        rows = slice(start, min(n, start + ROWS))
        result[rows] = make(rows)
    return result


def take(values: NDArray[Any], index: Any) -> NDArray[Any]:
    """``values[index]`` for an array of positions."""
    index = np.asarray(index, dtype=np.int64)
    if not len(index):
        return values[index]
    return by_rows(len(index), lambda rows: values[index[rows]])
