"""Which items train, which choose, which test: stratified, seeded, and exact duplicates always on one side.

The draw is over distinct contents, sorted by digest before they are shuffled, so neither file names nor the order of
the rows can change it: the same pictures, labels and seed always split alike. Where contents are tied to units (groups,
near duplicates; ``groups.units``), units are drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.base import seeds
from headstart.base.errors import TooFewExamples
from headstart.data import groups as grouping
from headstart.measure import stratification

TEST_SHARE = 0.2
VAL_SHARE = 0.2
FOLDS = 5
SMALL = 200
"""With fewer development items than this, five stratified folds replace the validation part."""
AGAIN = 4
"""Further draws of the folds, for what one draw alone should not decide."""

Folds = tuple[tuple[np.ndarray, np.ndarray], ...]
_Members = list[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Split:
    """A finished split.

    Attributes:
        parts: (n,) "train", "val" or "test".
        folds: (train positions, validation positions) pairs: one, or five when cross-validated.
        notes: what was done beyond the plain rule.
        again: further draws of the five folds; empty where there is one.
    """

    parts: np.ndarray
    folds: Folds
    notes: tuple[str, ...] = ()
    again: tuple[Folds, ...] = ()


def groups_of(digests: Sequence[str]) -> np.ndarray:
    """(n,) group number of each item; equal digests share one, and numbers follow the order of the digests."""
    if not digests:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.asarray(digests), return_inverse=True)[1].astype(np.int64)


def owners(groups: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(groups,) the class each group counts for: its most frequent label, the first of them in a tie."""
    classes = int(targets.max(initial=0)) + 1
    pairs, votes = np.unique(groups * classes + targets, return_counts=True)
    order = np.lexsort((pairs % classes, -votes, pairs // classes))
    first = np.unique(pairs[order] // classes, return_index=True)[1]
    return pairs[order][first] % classes


def split(
    targets: np.ndarray, digests: Sequence[str], given: Sequence[str | None], *, seed: int, mixed: bool = False
) -> Split:
    """Assign every item to a part and to folds.

    A given part is kept. What has none belongs to train, from which a missing test part (a fifth) and then a missing
    validation part (a fifth of the rest) are drawn per class. With fewer than 200 development items five folds replace
    the validation part, unless one was given. With fewer than 200 items and no given test part the folds replace the
    test part too, and a given validation part joins them. Every class keeps an item to train on if it has three
    distinct ones. An empty test part thus always comes with folds.

    Args:
        targets: (n,) class indices, or what else is to be kept even: (n, L) truths, whose draw is iterative.
        digests: n content digests, or names of units. Duplicates of an item with a given part must have the same one.
        given: n parts or None.
        seed: names the draw.
        mixed: units may hold items of several classes; they are dealt so that all classes come out even.

    Raises:
        TooFewExamples: fewer than five units are left for five folds; only where units are ``mixed``.
    """
    parts = np.array([part or "train" for part in given], dtype="<U5")
    groups = groups_of(digests)
    has_val, has_test = bool((parts == "val").any()), bool((parts == "test").any())
    notes: list[str] = []
    if not has_test and len(parts) >= SMALL:
        draw = _Draw(parts == "train", groups, targets, seeds.generator(seed, "split", "test"), mixed)
        parts[draw.share(TEST_SHARE, keep=1 if has_val else 2)] = "test"
        has_test = True
        if any(given):
            notes.append("no test part was given: a fifth of train is set apart as the test part")
    if (parts != "test").sum() < SMALL and not (has_val and has_test):
        if has_val:
            notes.append(f"under {SMALL} items and no test part: val joins the {FOLDS}-fold cross-validation")
        parts[parts == "val"] = "train"
        names: list[tuple[str | int, ...]] = [("folds",), *(("folds", number) for number in range(1, AGAIN + 1))]
        draws = [
            _Draw(parts == "train", groups, targets, seeds.generator(seed, "split", *name), mixed) for name in names
        ]
        first, *others = [draw.folds() for draw in draws]
        return Split(parts, first, tuple(notes), tuple(others))
    if not has_val:
        draw = _Draw(parts == "train", groups, targets, seeds.generator(seed, "split", "val"), mixed)
        parts[draw.share(VAL_SHARE, keep=1)] = "val"
    fold = (np.flatnonzero(parts == "train"), np.flatnonzero(parts == "val"))
    return Split(parts, (fold,), tuple(notes))


@dataclass(frozen=True, eq=False)
class _Draw:
    """One draw among the chosen items."""

    chosen: np.ndarray
    groups: np.ndarray
    targets: np.ndarray
    generator: np.random.Generator
    mixed: bool

    def share(self, share: float, *, keep: int) -> np.ndarray:
        """(n,) True for the chosen items that are drawn: about that share of every class."""
        if self.mixed:
            numbers, counts = self._units()
            dealt = grouping.deal(counts, round(1 / share), self.generator)
            taken = numbers[dealt == grouping.fittest(counts, dealt, keep=keep)]
        elif self.targets.ndim == 2:
            taken = self._iterative((1 - share, share))[1]
        else:
            taken = _share(_by_class(self.chosen, self.groups, self.targets, self.generator), share, keep=keep)
        return self.chosen & np.isin(self.groups, taken)

    def folds(self) -> Folds:
        """The chosen items as five folds."""
        if not self.mixed and self.targets.ndim == 2:
            fold_of = np.full(int(self.groups.max(initial=-1)) + 1, -1)
            for fold, members in enumerate(self._iterative([1 / FOLDS] * FOLDS)):
                fold_of[members] = fold
            return _pairs(self.chosen, fold_of[self.groups])
        if not self.mixed:
            return _folds(self.chosen, self.groups, _by_class(self.chosen, self.groups, self.targets, self.generator))
        numbers, counts = self._units()
        if len(numbers) < FOLDS:
            raise TooFewExamples(
                f"{len(numbers)} groups are left for {FOLDS}-fold cross-validation",
                expected=f"at least {FOLDS} groups, where there are under {SMALL} items to learn from",
                next_move="add groups, or name a finer column with --group",
            )
        fold_of = np.full(int(self.groups.max()) + 1, -1)
        fold_of[numbers] = grouping.deal(counts, FOLDS, self.generator)
        return _pairs(self.chosen, fold_of[self.groups])

    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers (u,) of the chosen units, and how many items of each class (u, C) they hold."""
        numbers, places = np.unique(self.groups[self.chosen], return_inverse=True)
        if self.targets.ndim == 2:
            counts = np.zeros((len(numbers), self.targets.shape[1]), dtype=np.int64)
            np.add.at(counts, places, self.targets[self.chosen].astype(np.int64))
            return numbers, counts
        counts = np.zeros((len(numbers), int(self.targets.max(initial=0)) + 1), dtype=np.int64)
        np.add.at(counts, (places, self.targets[self.chosen]), 1)
        return numbers, counts

    def _iterative(self, shares: Sequence[float]) -> list[np.ndarray]:
        """Numbers of the chosen groups, part by part; a group has the labels that any of its items has."""
        numbers, counts = self._units()
        sizes = np.unique(self.groups[self.chosen], return_counts=True)[1]
        part = stratification.iterative(counts > 0, shares, draw=self.generator, sizes=sizes)
        return [numbers[part == each] for each in range(len(shares))]


def _by_class(chosen: np.ndarray, groups: np.ndarray, targets: np.ndarray, draw: np.random.Generator) -> list[_Members]:
    """For each class in turn, its groups among the chosen items as (group, size), shuffled."""
    numbers, places, sizes = np.unique(groups[chosen], return_inverse=True, return_counts=True)
    classes = owners(places, targets[chosen])
    shuffled: dict[int, _Members] = defaultdict(list)
    for position in draw.permutation(len(numbers)):
        shuffled[int(classes[position])].append((int(numbers[position]), int(sizes[position])))
    return [shuffled[label] for label in sorted(shuffled)]


def _share(classes: Sequence[_Members], share: float, *, keep: int) -> np.ndarray:
    """Groups that hold about that share of the items of every class, leaving each at least ``keep`` groups."""
    taken: list[int] = []
    for members in classes:
        wanted, room = max(1, round(share * sum(size for _, size in members))), len(members) - keep
        fitting: list[int] = []
        for group, size in members:
            if len(fitting) < room and size <= wanted:
                fitting.append(group)
                wanted -= size
        if room > 0 and not fitting:  # each group is larger than the share: the smallest overshoots least
            fitting = [min(members, key=lambda member: member[1])[0]]
        taken += fitting
    return np.array(taken, dtype=np.int64)


def _folds(chosen: np.ndarray, groups: np.ndarray, classes: Sequence[_Members]) -> Folds:
    """Deal every class's groups, large ones first, to the fold that has the fewest items of the class, then of all."""
    fold_of = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.int64)
    total = np.zeros(FOLDS, dtype=np.int64)
    for members in classes:
        own = np.zeros(FOLDS, dtype=np.int64)
        for group, size in sorted(members, key=lambda member: -member[1]):
            emptiest = int(np.lexsort((total, own))[0])
            fold_of[group] = emptiest
            own[emptiest] += size
            total[emptiest] += size
    return _pairs(chosen, fold_of[groups])


def _pairs(chosen: np.ndarray, fold_of: np.ndarray) -> Folds:
    folds = np.where(chosen, fold_of, -1)
    return tuple((np.flatnonzero(chosen & (folds != i)), np.flatnonzero(folds == i)) for i in range(FOLDS))
