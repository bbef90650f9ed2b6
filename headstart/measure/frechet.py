"""The Fréchet distance between two sets of features, each taken for a Gaussian.

|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)): the squared 2-Wasserstein distance of two Gaussians (Dowson and Landau
1982, https://doi.org/10.1016/0047-259X(82)90077-X), used on features of a network by Heusel et al. (2017,
https://arxiv.org/abs/1706.08500). Few items make it large by themselves, so a distance means something only beside one
that as many items of the source itself have from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import DataError
from headstart.measure import arrays, threads
from headstart.measure.arrays import Floats


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and covariance of features.

    Attributes:
        mean: (d,).
        covariance: (d, d), symmetric, not negative.
    """

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, features: Any) -> Moments:
        """Of the rows of features (n, d); the covariance has n - 1 in its denominator, and is 0 for one row.

        Raises:
            DataError: no finite matrix.
        """
        x = arrays.matrix(features)
        mean = x.mean(axis=0)
        away = x - mean
        return cls(mean, away.T @ away / max(1, len(x) - 1))

    @property
    def variance(self) -> float:
        """Total variance, the sum over all features."""
        return float(np.trace(self.covariance))


def distance(first: Moments, second: Moments) -> float:
    """The squared distance of two Gaussians, 0 for equal ones; in squared units of the features. O(d^3).

    Raises:
        DataError: of different numbers of features.
    """
    _check(len(first.mean), len(second.mean))
    with threads.suited(float(len(first.mean)) ** 3):
        root = _root(first.covariance)
        overlap = _roots_of(root @ second.covariance @ root)
    return _joined(first, second.mean, second.variance, overlap)


def to_items(source: Moments, features: Any) -> float:
    """The squared distance of a Gaussian to that of the rows of features (n, d).

    The same as ``distance(source, Moments.of(features))``, in O(n d^2 + n^3) where there are fewer rows than features.

    Raises:
        DataError: no finite matrix, or of another number of features.
    """
    x = arrays.matrix(features)
    n, d = x.shape
    _check(len(source.mean), d)
    if n > d:
        return distance(source, Moments.of(x))
    mean = x.mean(axis=0)
    away = (x - mean) / np.sqrt(max(1, n - 1))
    with threads.suited(float(n) * d * d):
        # The eigenvalues of S1 S2 that are not 0 are those of this smaller matrix.
        overlap = _roots_of(away @ source.covariance @ away.T)
    return _joined(source, mean, float(np.square(away).sum()), overlap)


def _joined(first: Moments, mean: Floats, variance: float, overlap: float) -> float:
    found = float(np.square(first.mean - mean).sum()) + first.variance + variance - 2 * overlap
    return max(0.0, found)


def _check(first: int, second: int) -> None:
    if first != second:
        raise DataError("The features differ in number", where=f"{first} and {second}", expected="those of one network")


def _root(matrix: Floats) -> Floats:
    """The symmetric square root."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def _roots_of(matrix: Floats) -> float:
    """The sum of the roots of the eigenvalues of a symmetric matrix."""
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh((matrix + matrix.T) / 2), 0)).sum())
