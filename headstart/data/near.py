"""Near duplicates: the same picture compressed, resized or relit, found by fingerprint and kept on one side of a split.

Twins on both sides of a split make a score too good: 3.3 % and 10 % of the test pictures of CIFAR-10 and CIFAR-100 have
near duplicates in train (Barz and Denzler 2020, "Do we train on test data?"). Clusters are of complete linkage: any two
members are near duplicates of each other, so a chain of small steps never ties what is different. Where a whole crowd
looks alike (blank pictures, one background), likeness says nothing about the items; it is reported and ties nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.measure import threads

SHARE = 0.05
"""Share of a class beyond which a cluster is a crowd."""
FEW = 5
"""A cluster of no more items is never a crowd, however small its class."""
CROWD = 50
"""Near duplicates of one item beyond which it stands in a crowd."""
_AXES = 32
_SAMPLE = 5_000
_TILE = 1_024
_SLACK = 1e-3

Cluster = tuple[int, ...]
Pairs = Callable[[np.ndarray, float, int], tuple[np.ndarray, ...]]
"""Fingerprints, a distance, neighbours of a crowd -> what ``pairs`` gives."""


@dataclass(frozen=True, slots=True)
class Near:
    """What was found; positions are those of the data set's items.

    Attributes:
        threshold: largest distance of near duplicates.
        clusters: near duplicates that stay on one side, each with its exact copies.
        untied: items that look alike and may go anywhere: crowds, and what a split could not keep together.
        across: clusters that lie in several given parts all the same.
        torn: clusters with more than one label.
        listed: all of this with names instead of positions, as plain data.
    """

    threshold: float = 0.0
    clusters: tuple[Cluster, ...] = ()
    untied: tuple[Cluster, ...] = ()
    across: tuple[Cluster, ...] = ()
    torn: tuple[Cluster, ...] = ()
    listed: dict[str, Any] = field(default_factory=dict)


def find(
    prints: np.ndarray,
    digests: Sequence[str],
    labels: Sequence[Hashable],
    *,
    threshold: float,
    compare: Pairs | None = None,
) -> tuple[list[Cluster], list[Cluster]]:
    """Clusters of near duplicates, and crowds.

    Neither the order of the items nor their number decides anything but crowds: pairs are merged by distance, and ties
    go by digest.

    Args:
        prints: (n, d) fingerprints.
        digests: n content digests.
        labels: n classes, whose sizes decide what is a crowd.
        threshold: largest distance of near duplicates.
        compare: finds the pairs, where fingerprints are not compared by their Euclidean distance.

    Returns:
        Clusters of at least two different items, each with its exact copies, in ascending order; and crowds likewise.
    """
    if not len(digests):
        return [], []
    _, first, place = np.unique(np.asarray(digests), return_index=True, return_inverse=True)
    with threads.suited(2 * _TILE * 4 * _TILE * _AXES):
        left, right, apart, crowded = (compare or pairs)(np.asarray(prints)[first], threshold, CROWD)
    copies: dict[int, list[int]] = defaultdict(list)
    for position, own in enumerate(place.tolist()):
        copies[own].append(position)
    sizes = Counter(labels)
    clusters: list[Cluster] = []
    crowds: list[Cluster] = []
    for members in linked(left, right, apart):
        cluster = tuple(sorted(position for member in members for position in copies[member]))
        (crowds if _is_crowd(cluster, members, labels, sizes) else clusters).append(cluster)
    by_class: dict[Hashable, list[int]] = defaultdict(list)
    for member in np.flatnonzero(crowded).tolist():
        for position in copies[member]:
            by_class[labels[position]].append(position)
    crowds += [tuple(sorted(found)) for found in by_class.values()]
    return sorted(clusters), sorted(crowds)


def _is_crowd(cluster: Cluster, members: Sequence[int], labels: Sequence[Hashable], sizes: Counter[Hashable]) -> bool:
    if len(members) <= FEW:
        return False
    own = Counter(labels[position] for position in cluster)
    return any(number > SHARE * sizes[label] for label, number in own.items())


def pairs(
    prints: np.ndarray, threshold: float, crowd: int = CROWD
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All pairs within the threshold, except those of items that have more than ``crowd`` such neighbours.

    A rotation onto the main axes of the prints never lengthens a distance when axes are left out, so nothing is missed
    by comparing few axes first, and only items that are close on the first axis; the rest is confirmed on all of them.

    Args:
        prints: (n, d) fingerprints.
        threshold: largest distance.
        crowd: neighbours beyond which an item stands in a crowd.

    Returns:
        Two arrays of positions, the distances, and (n,) True for items in a crowd.
    """
    points = np.ascontiguousarray(prints, dtype=np.float32)
    axes = _axes(points)
    order = np.argsort(axes[:, 0], kind="stable")
    tiles = _Tiles(axes[order], threshold + _SLACK)
    neighbours, waiting = np.zeros(len(points), dtype=np.int64), []
    for tile in tiles.places():
        rows, columns = tiles.close(*tile)
        neighbours += np.bincount(rows, minlength=len(points)) + np.bincount(columns, minlength=len(points))
        if len(rows):
            # Where a crowd is, the pairs are too many to be kept, and few of them are wanted.
            waiting.append((tile, (rows, columns) if len(rows) <= 8 * _TILE else None))
    crowded = neighbours > crowd
    found = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))]
    for tile, kept in waiting:
        rows, columns = kept or tiles.close(*tile)
        wanted = ~(crowded[rows] | crowded[columns])
        a, b = order[rows[wanted]], order[columns[wanted]]
        apart = np.linalg.norm(points[a] - points[b], axis=1)
        within = apart <= threshold
        found.append((np.minimum(a, b)[within], np.maximum(a, b)[within], apart[within]))
    left, right, apart = (np.concatenate(each) for each in zip(*found, strict=True))
    return left, right, apart, crowded[np.argsort(order)]


def _axes(points: np.ndarray) -> np.ndarray:
    """Points (n, d) on their main axes, at most 48 of them, which a sample settles."""
    step = max(1, len(points) // _SAMPLE)
    centre = points[::step].mean(axis=0)
    _, _, main = np.linalg.svd(points[::step] - centre, full_matrices=False)
    return np.ascontiguousarray((points - centre) @ main[:_AXES].T)


class _Tiles:
    """Pairs of points that are close on the axes, block by block; the points are sorted by the first axis."""

    def __init__(self, axes: np.ndarray, radius: float) -> None:
        self.reach = np.searchsorted(axes[:, 0], axes[:, 0] + radius, side="right")
        half = (axes**2).sum(axis=1, keepdims=True) / 2
        # One product gives a.b - |a|^2/2 - |b|^2/2, which is minus half the squared distance.
        self.rows = np.concatenate([axes, -half, np.ones_like(half)], axis=1)
        self.columns = np.concatenate([axes, np.ones_like(half), -half], axis=1).T
        self.least = -(radius**2) / 2

    def places(self) -> Iterator[tuple[int, int, int, int]]:
        """(top, bottom, left, right) of blocks that hold every pair that may be close."""
        for top in range(0, len(self.rows), _TILE):
            bottom = min(top + _TILE, len(self.rows))
            last = int(self.reach[bottom - 1])
            for left in range(top, last, 4 * _TILE):
                yield top, bottom, left, min(left + 4 * _TILE, last)

    def close(self, top: int, bottom: int, left: int, right: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the close pairs of a block, each pair once."""
        places = np.flatnonzero(self.rows[top:bottom] @ self.columns[:, left:right] >= self.least)
        rows, columns = top + places // (right - left), left + places % (right - left)
        return rows[rows < columns], columns[rows < columns]


def linked(left: np.ndarray, right: np.ndarray, apart: np.ndarray) -> list[list[int]]:
    """Clusters by complete linkage, cut where some two members would be no pair.

    Two clusters become one when the farthest pair between them is reached in the order of distances (Defays 1977).

    Args:
        left, right: (p,) the pairs within the threshold, each once.
        apart: (p,) their distances.

    Returns:
        The clusters of at least two members.
    """
    cluster: dict[int, list[int]] = {}
    home: dict[int, int] = {}
    between: dict[int, Counter[int]] = defaultdict(Counter)
    for index in np.lexsort((right, left, apart)).tolist():
        ends = int(left[index]), int(right[index])
        for end in ends:
            if end not in home:
                home[end], cluster[end] = end, [end]
        a, b = home[ends[0]], home[ends[1]]
        between[a][b] += 1
        between[b][a] += 1
        if between[a][b] < len(cluster[a]) * len(cluster[b]):
            continue
        cluster[a] += cluster.pop(b)
        for member in cluster[a]:
            home[member] = a
        del between[a][b]
        for other, number in between.pop(b).items():
            if other != a:
                between[a][other] += number
                between[other][a] += number
                del between[other][b]
    return [sorted(members) for members in cluster.values() if len(members) > 1]
