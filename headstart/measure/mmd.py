"""The maximum mean discrepancy: whether two sets of features could be draws of one distribution, by a Gaussian kernel.

The unbiased estimate of MMD^2 and its permutation test (Gretton et al. 2012, A Kernel Two-Sample Test, JMLR 13). The
kernel is as wide as the median distance of all pairs, so that no unit and no rotation of the features matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.measure import arrays, threads
from headstart.measure.arrays import Floats

PERMUTATIONS = 500


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A discrepancy beside what chance alone makes of it.

    Attributes:
        value: MMD^2 between the two sets; about 0, and sometimes below it, for draws of one distribution; at most 2.
        noise: what a random division of the same items exceeds in only 5 % of cases.
        p: share of random divisions that are as far apart, the one that was measured counted among them.
        width: of the kernel, in the features' unit.
    """

    value: float
    noise: float
    p: float
    width: float


def median_distance(features: Any) -> float:
    """The median distance between two different rows of features (n, d); 1 where at least half of them are 0."""
    x = arrays.matrix(features)
    squares = _squares(x)
    found = float(np.sqrt(np.median(squares[np.triu_indices(len(x), 1)]))) if len(x) > 1 else 0.0
    return found or 1.0


def squared(first: Any, second: Any, *, width: float | None = None) -> float:
    """The unbiased estimate of MMD^2 between features (n, d) and (m, d). O((n + m)^2 d).

    Args:
        first, second: two rows at least of each.
        width: s of the kernel exp(-|x - y|^2 / (2 s^2)); the median distance of all rows by default.

    Raises:
        DataError: no finite matrices, of different widths, or too few rows.
    """
    kernel, n, _ = _kernel(first, second, width)
    inside = np.arange(len(kernel)) < n
    return float(_estimates(kernel, inside[None].astype(np.float64))[0])


def test(first: Any, second: Any, *, seed: int = 0, permutations: int = PERMUTATIONS) -> Discrepancy:
    """MMD^2 with its noise level and its p-value, by random divisions of all rows into two sets of the same sizes.

    Raises:
        DataError: as ``squared`` does.
    """
    kernel, n, width = _kernel(first, second, None)
    total = len(kernel)
    draws = seeds.generator(seed, "permutations")
    inside = np.zeros((permutations + 1, total))
    inside[0, :n] = 1
    for row in inside[1:]:
        row[draws.permutation(total)[:n]] = 1
    found = _estimates(kernel, inside)
    noise = float(np.quantile(found[1:], 0.95))
    # Rounding alone must not tell the measured division from an equal one.
    p = float((found >= found[0] - 1e-12).mean())
    return Discrepancy(float(found[0]), noise, p, width)


def _kernel(first: Any, second: Any, width: float | None) -> tuple[Floats, int, float]:
    """The kernel between all rows without its diagonal, how many are of the first set, and its width."""
    a, b = arrays.matrix(first), arrays.matrix(second)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        where = f"shapes {a.shape} and {b.shape}"
        raise DataError("The two sets of features do not fit", where=where, expected="(n, d) and (m, d), both over 1")
    squares = _squares(np.concatenate([a, b]))
    if width is None:
        width = float(np.sqrt(np.median(squares[np.triu_indices(len(squares), 1)]))) or 1.0
    kernel = np.exp(-squares / (2 * width**2))
    np.fill_diagonal(kernel, 0.0)
    return kernel, len(a), width


def _squares(x: Floats) -> Floats:
    """Squared distances (n, n) of the rows."""
    away = x - x.mean(axis=0)
    with threads.suited(float(len(x)) ** 2 * x.shape[1]):
        products = away @ away.T
    own = np.diag(products)
    return np.maximum(own[:, None] + own - 2 * products, 0.0)


def _estimates(kernel: Floats, inside: Floats) -> Floats:
    """MMD^2 for each division (r, n) of all items, 1 for those of the first set; the kernel's diagonal is 0."""
    n, total = inside[0].sum(), len(kernel)
    m = total - n
    with threads.suited(float(len(inside)) * total**2):
        near = inside @ kernel
    within = (near * inside).sum(axis=1)
    across = near.sum(axis=1) - within
    others = kernel.sum() - within - 2 * across
    return np.asarray(within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * across / (n * m))
