"""Parts of a data set that keep each label's share where an item may have several labels.

Iterative stratification: the rarest label first, each of its items to the part that still wants most of it. Sechidis,
Tsoumakas and Vlahavas 2011, On the Stratification of Multi-Label Data, https://doi.org/10.1007/978-3-642-23808-6_10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints


def iterative(labels: Any, shares: Sequence[float], *, draw: np.random.Generator, sizes: Any = None) -> Ints:
    """The part (n,) that each item goes to, from 0.

    Args:
        labels: (n, L) truths.
        shares: of the items that each part wants; they add up to 1.
        draw: settles the order of the items, and ties.
        sizes: (n,) how many items each row stands for; all 1 by default.

    Raises:
        DataError: labels that are no matrix of 0 and 1.
    """
    there = arrays.truths(labels)
    weight = np.ones(len(there)) if sizes is None else np.asarray(sizes, dtype=np.float64)
    wanted = np.asarray(shares, dtype=np.float64)
    room = _Room(np.outer(wanted, (weight[:, None] * there).sum(axis=0)), wanted * weight.sum(), draw)
    order = draw.permutation(len(there))
    # Of one label the largest rows go first: the small ones can then even out what they leave.
    order = order[np.argsort(-weight[order], kind="stable")]
    part = np.full(len(there), -1, dtype=np.int64)
    left = there.sum(axis=0).astype(np.float64)
    while (left > 0).any():
        label = int(np.argmin(np.where(left > 0, left, np.inf)))
        for item in order[there[order, label] & (part[order] < 0)]:
            part[item] = room.take(label, there[item], weight[item])
            left -= there[item]
    for item in order[part[order] < 0]:
        part[item] = room.take(None, there[item], weight[item])
    return part


class _Room:
    """What each part still wants: of every label (parts, L), and of all items (parts,)."""

    def __init__(self, of_label: Floats, of_all: Floats, draw: np.random.Generator) -> None:
        self.of_label, self.of_all, self.draw = of_label, of_all, draw

    def take(self, label: int | None, there: Any, weight: float) -> int:
        """The part that wants an item with these labels most, which then wants it no longer."""
        keys = [self.of_all] if label is None else [self.of_all, self.of_label[:, label]]
        chosen = int(np.lexsort((self.draw.random(len(self.of_all)), *(-key for key in keys)))[0])
        self.of_label[chosen] -= weight * there
        self.of_all[chosen] -= weight
        return chosen
