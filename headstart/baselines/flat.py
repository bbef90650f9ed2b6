"""Pictures as rows of eight-bit numbers: what a baseline without any network sees."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import discovery, scratch, seeds
from headstart.base.vocabulary import Preprocessing
from headstart.measure import stratification

if TYPE_CHECKING:
    import torch

Pixels = NDArray[np.uint8]


def read(items: Sequence[Any], *, modality: str, size: int) -> Pixels:
    """Items as (n, 3, size, size) pixels, decoded by the modality in as many threads as there are processors.

    Raises:
        UnknownName: no such modality.
        Undecodable: when an item cannot be read.
    """
    room, wanted = discovery.load("data", modality, kind="modality"), Preprocessing(size)
    if not len(items):
        return np.zeros((0, 3, size, size), dtype=np.uint8)
    found = scratch.empty((len(items), 3, size, size), np.uint8)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for start in range(0, len(items), scratch.ROWS):
            block = [items[i] for i in range(start, min(len(items), start + scratch.ROWS))]
            for position, array in enumerate(pool.map(lambda item: room.load(item, wanted), block), start=start):
                found[position] = array
    return found


def is_grey(pixels: Pixels) -> bool:
    """True if all pictures have three equal channels, which one channel says as well."""
    blocks = (pixels[start : start + scratch.ROWS] for start in range(0, len(pixels), scratch.ROWS))
    return all(bool((block[:, :1] == block[:, 1:]).all()) for block in blocks)


def rows(pixels: Pixels, *, grey: bool) -> NDArray[np.float32]:
    """Pixels (n, 3, s, s) as features (n, d) in [0, 1]: d = 3 s s, or s s of the mean channel if grey."""

    def features(chosen: slice) -> NDArray[np.float32]:
        block = pixels[chosen]
        kept = block.mean(axis=1, dtype=np.float32) if grey else block.astype(np.float32)
        return kept.reshape(len(block), int(np.prod(kept.shape[1:]))) / np.float32(255)

    return scratch.by_rows(len(pixels), features)


def features(pixels: torch.Tensor, *, grey: bool) -> torch.Tensor:
    """What ``rows`` gives, of tensors (n, 3, s, s) uint8."""
    values = pixels.float()
    return (values.mean(1) if grey else values).flatten(1) / 255


def at_most(count: int, targets: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Positions of ``count`` items drawn at random, in their order, or all of them if there are fewer.

    Targets are classes or bins (n,), or truths (n, L), whose labels keep their shares nearly. Every class keeps its
    share, and at least one item as long as there are no more classes than ``count``.
    """
    n = len(targets)
    if n <= count:
        return np.arange(n)
    if targets.ndim == 2:
        draw = seeds.generator(seed, "at most", count)
        part = stratification.iterative(targets, (count / n, 1 - count / n), draw=draw)
        return np.flatnonzero(part == 0)[:count]
    shuffled = seeds.generator(seed, "at most", count).permutation(n)
    by_class = shuffled[np.argsort(targets[shuffled], kind="stable")]
    first = by_class[np.unique(targets[by_class], return_index=True)[1]][:count]
    # Evenly spaced along the classes laid end to end, which keeps their shares.
    rest = np.setdiff1d(by_class, first, assume_unique=True)
    rest = by_class[np.isin(by_class, rest)]
    step = np.linspace(0, len(rest), count - len(first), endpoint=False).astype(np.int64)
    return np.sort(np.concatenate([first, rest[step]]))
