"""Has a representation collapsed? Three numbers of features that need no labels and train nothing.

A self-supervised network can lower its loss by saying the same of every picture, or by using few of its dimensions
(Jing et al., Understanding Dimensional Collapse in Contrastive Self-supervised Learning, ICLR 2022, arXiv:2110.09348).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.base.errors import DataError
from headstart.measure.arrays import Floats


def effective_rank(features: Any) -> float:
    """How many dimensions features (n, d) really use: the exponential of the entropy of their singular values.

    From 1 (everything on one line) to min(n - 1, d). Roy and Vetterli, The Effective Rank, 2007; as a measure of
    self-supervised features, Garrido et al., RankMe, ICML 2023, arXiv:2210.02885. Features are centred first, so that
    a constant offset does not count as a dimension; without any spread the rank is 0.

    Raises:
        DataError: not a finite matrix of at least two rows.
    """
    centred = _centred(features)
    values = np.linalg.svd(centred, compute_uv=False)
    total = values.sum()
    if total <= 1e-12:
        return 0.0
    share = values[values > 0] / total
    return float(np.exp(-(share * np.log(share)).sum()))


def spread(features: Any) -> float:
    """Mean standard deviation of a coordinate of the unit-length features (n, d), times sqrt(d).

    About 1 when they are spread evenly over the sphere, 0 when all point the same way: the check of Chen and He,
    Exploring Simple Siamese Representation Learning, CVPR 2021, arXiv:2011.10566.

    Raises:
        DataError: not a finite matrix of at least two rows.
    """
    x = _matrix(features)
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    return float(unit.std(axis=0).mean() * np.sqrt(x.shape[1]))


def recognition(first: Any, second: Any) -> float:
    """Share of pictures whose second view (n, d) is the nearest, by angle, of all second views to their first one.

    1 / n is guessing. Ties count for the first of them, so collapsed features do no better.

    Raises:
        DataError: not two finite matrices of one shape with at least two rows.
    """
    a, b = _matrix(first), _matrix(second)
    if a.shape != b.shape:
        raise DataError("The two views do not fit each other", where=f"{a.shape} and {b.shape}", expected="one shape")
    a = a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12)
    b = b / np.maximum(np.linalg.norm(b, axis=1, keepdims=True), 1e-12)
    return float(((a @ b.T).argmax(axis=1) == np.arange(len(a))).mean())


def _centred(features: Any) -> Floats:
    x = _matrix(features)
    return x - x.mean(axis=0)


def _matrix(features: Any) -> Floats:
    x = np.asarray(features, dtype=np.float64)
    if x.ndim != 2 or len(x) < 2 or not np.isfinite(x).all():
        raise DataError("Features must be a finite matrix", where=f"shape {x.shape}", expected="(n, d) with n >= 2")
    return x
