"""Stratified folds, for choosing a penalty inside a training part."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.measure import stratification
from headstart.measure.arrays import Ints

ENOUGH = 5_000
"""Items from which on one fold is enough to choose a penalty."""


def inner(y: Any, *, seed: int = 0) -> tuple[tuple[Ints, Ints], ...]:
    """The folds that a penalty is chosen on: five stratified ones, or the first of them from ``ENOUGH`` items on.

    Raises:
        DataError: fewer than two items.
    """
    found = stratified(y, seed=seed)
    return found if len(np.asarray(y)) < ENOUGH else found[:1]


def stratified(y: Any, *, folds: int = 5, seed: int = 0) -> tuple[tuple[Ints, Ints], ...]:
    """Pairs (training positions, held-out positions) in which every item is held out once.

    Fold sizes differ by at most one item, and so do the folds' shares of each class. A class with one item is missing
    from the training items of one fold.

    Args:
        y: (n,) class indices, or (n, L) truths, whose folds keep the labels' shares nearly.
        folds: at most n are made.

    Raises:
        DataError: fewer than two items, or fewer than two folds.
    """
    targets = np.asarray(y)
    n = len(targets)
    count = min(folds, n)
    if count < 2:
        raise DataError(f"{n} items cannot be held out in {folds} folds", expected="at least 2 of both")
    draw = seeds.generator(seed, "folds")
    if targets.ndim == 2:
        return _pairs(stratification.iterative(targets, [1 / count] * count, draw=draw), count)
    shuffled = draw.permutation(n)
    # Dealt class after class like cards: neighbours of one class go to different folds.
    order = shuffled[np.argsort(targets[shuffled], kind="stable")]
    fold = np.empty(n, dtype=np.int64)
    fold[order] = np.arange(n) % count
    return _pairs(fold, count)


def _pairs(fold: Ints, count: int) -> tuple[tuple[Ints, Ints], ...]:
    return tuple((np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count))
