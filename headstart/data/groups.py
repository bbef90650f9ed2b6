"""Items that belong together (one patient, one plant, one video) and so stay on one side of every split.

A score is too good where pictures of one patient train and test: Roberts et al. 2017, "Cross-validation strategies for
data with temporal, spatial, hierarchical, or phylogenetic structure". ``units`` joins groups, exact copies and near
duplicates to the sets that are drawn as one; ``deal`` deals units of mixed classes to folds.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from headstart.base.errors import BadOption, DataError, TooFewExamples
from headstart.data import labels
from headstart.data.printable import count, listing, printable

LEAST = 3
"""Groups a class needs: one to train on, one to choose by, one to test on."""
MOST_IN_ONE = 0.5
"""Share of the items beyond which one group leaves nothing to judge it by."""
_RULES = r"folder, or a regular expression that finds the group in a path, such as '(patient\d+)_'"
_TRIES = 20
_DIGITS = 12  # ties must not hang on how a machine rounds
_EASY = 200_000  # units times tries that are dealt in about a second


def names(values: Sequence[Any]) -> list[str | None]:
    """The group of each item as text, None where it has none; numbers as ``labels.names`` reads them.

    Raises:
        BadOption: when a value is a list or another container.
    """
    try:
        return labels.names(values)
    except DataError as error:
        raise BadOption("A group is a list or an array", expected="one value an item: text or a number") from error


def from_paths(rule: str, paths: Sequence[str], inner: Sequence[str]) -> tuple[tuple[str | None, ...], str]:
    """Groups of files by where they lie or what they are called.

    Args:
        rule: "folder" for the first folder below the class folder, else a regular expression that is searched in each
            path; its bracketed parts are the group, or the whole match where it has none.
        paths: n paths below the source, with forward slashes.
        inner: n folders between the class folder and the file, empty where there are none.

    Returns:
        n groups or None, and a sentence that says how they were found.

    Raises:
        BadOption: no regular expression, or one that finds nothing.
    """
    if rule == "folder":
        found = tuple(folders.split("/")[0] or None for folders in inner)
        if not any(found):
            raise BadOption(
                "--group folder finds no folders inside the class folders",
                expected="cats/patient7/1.jpg, or a regular expression that finds the group in cats/patient7_1.jpg",
            )
        return found, "the first folder inside a class folder is the group"
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise BadOption(f"--group {printable(rule)} is no regular expression: {error}", expected=_RULES) from error
    found = tuple(_matched(pattern.search(path)) for path in paths)
    if not any(found):
        what = f"--group {printable(rule)} matches none of {count(len(paths), 'path')}, such as {printable(paths[0])}"
        raise BadOption(what, expected=_RULES)
    example = next(i for i, group in enumerate(found) if group)
    return found, f"the group is found by {printable(rule)}: {printable(paths[example])} is in {found[example]}"


def _matched(match: re.Match[str] | None) -> str | None:
    if match is None:
        return None
    return printable(" ".join(part for part in match.groups() if part) or match[0]) or None


def notes(groups: Sequence[str | None]) -> list[str]:
    """How many groups there are, how large, and how many items have none."""
    sizes = Counter(group for group in groups if group is not None)
    if not sizes:
        return []
    spread = f"{min(sizes.values()):,} to {max(sizes.values()):,}"
    each = spread if len(set(sizes.values())) > 1 else f"{max(sizes.values()):,}"
    found = [f"{count(len(sizes), 'group')} of {each} items each: a group stays on one side of every split"]
    alone = sum(group is None for group in groups)
    if alone:
        found.append(f"{count(alone, 'item has', 'items have')} no group and may go anywhere")
    return found


def check(groups: Sequence[str | None], parts: Sequence[str | None], classes: Sequence[str], *, origin: str) -> None:
    """Refuse groups that no split can keep together.

    Args:
        groups: n groups or None.
        parts: n given parts or None.
        classes: n class names.
        origin: for messages.

    Raises:
        DataError: a group lies in two given parts, or holds over half of what is to be split.
        TooFewExamples: a class has fewer than three groups to be split.
    """
    if all(group is None for group in groups):
        raise DataError("No item has a group", where=origin, expected="a group for most items; the values are empty")
    _no_straddling(groups, parts, origin)
    free = [i for i, part in enumerate(parts) if part in (None, "train")]
    if {"val", "test"} <= set(parts):
        return  # nothing is drawn
    sizes = Counter(groups[i] for i in free if groups[i] is not None)
    largest, size = max(sizes.items(), key=lambda pair: pair[1], default=("", 0))
    if size > MOST_IN_ONE * len(free):
        raise DataError(
            f"The group {largest} holds {size:,} of {count(len(free), 'item')}",
            where=origin,
            expected=f"at most {MOST_IN_ONE:.0%} in one group, so that there is something to judge by",
            next_move="name another column with --group, or give the parts in a split column",
        )
    _enough([groups[i] for i in free], [classes[i] for i in free], origin)


def _no_straddling(groups: Sequence[str | None], parts: Sequence[str | None], origin: str) -> None:
    sides: dict[str, set[str]] = defaultdict(set)
    for group, part in zip(groups, parts, strict=True):
        if group is not None:
            sides[group].add(part or "train")
    torn = [f"{group} ({' and '.join(sorted(found))})" for group, found in sides.items() if len(found) > 1]
    if torn:
        raise DataError(
            f"{count(len(torn), 'group is', 'groups are')} on both sides of the given split: {listing(torn)}",
            where=origin,
            expected="every group in one part only",
            next_move="mend the split column or the folders, or leave them out so that the parts are drawn by group",
        )


def _enough(groups: Sequence[str | None], classes: Sequence[str], origin: str) -> None:
    found: dict[str, set[Hashable]] = defaultdict(set)
    for position, (group, name) in enumerate(zip(groups, classes, strict=True)):
        found[name].add(position if group is None else group)
    few = {name: len(members) for name, members in found.items() if len(members) < LEAST}
    if few:
        named = [f"{name} ({number})" for name, number in few.items()]
        raise TooFewExamples(
            f"{count(len(few), 'class is', 'classes are')} in fewer than {LEAST} groups: {listing(named, 10)}",
            where=origin,
            expected=f"at least {LEAST} groups in each class: one to train on, one to choose by, one to test on",
            next_move="add groups, leave these classes out, or name a finer column with --group",
        )


def units(digests: Sequence[str], *ties: Sequence[Hashable | None]) -> list[str]:
    """What is drawn as one: items that share a digest or a tie, directly or through others.

    Args:
        digests: n content digests.
        ties: each n values or None; equal values tie.

    Returns:
        n names: the smallest digest of each unit, so that where nothing is tied a unit is its digest, and nothing
        depends on the order of the items.
    """
    parent: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent.setdefault(above, above)
        return node

    for kind, values in enumerate(ties):
        for digest, value in zip(digests, values, strict=True):
            if value is not None:
                parent[root((kind, value))] = root(digest)
    smallest: dict[Hashable, str] = {}
    for digest in digests:
        top = root(digest)
        smallest[top] = min(digest, smallest.get(top, digest))
    return [smallest[root(digest)] for digest in digests]


def deal(counts: np.ndarray, folds: int, draw: np.random.Generator) -> np.ndarray:
    """Folds of units, so that every fold has about the same share of every class and of all items.

    Units of one size are dealt in random order, uneven ones first, each to the fold that least has what the unit
    brings; the best of several deals is taken. The idea of scikit-learn's StratifiedGroupKFold.

    Args:
        counts: (u, C) items of each class in each unit.
        folds: how many.
        draw: for the orders.

    Returns:
        (u,) fold numbers.
    """
    best, least = np.zeros(len(counts), dtype=np.int64), (np.inf, np.inf)
    for _ in range(max(1, min(_TRIES, _EASY // max(1, len(counts))))):
        found = _dealt(counts, folds, draw.permutation(len(counts)))
        table = np.zeros((folds, counts.shape[1]))
        np.add.at(table, found, counts)
        fault = _fault(table)
        if fault < least:
            best, least = found, fault
    return best


def fittest(counts: np.ndarray, dealt: np.ndarray, *, keep: int) -> int:
    """The fold that does best as the part that is set apart.

    It leaves every class ``keep`` units, has every class, and comes closest to its share of the items, in this order.

    Args:
        counts: (u, C) items of each class in each unit.
        dealt: (u,) fold numbers.
        keep: units that every class should keep outside.
    """
    has, faults = counts > 0, []
    whole = np.maximum(counts.sum(axis=0), 1)
    folds = int(dealt.max(initial=0)) + 1
    for fold in range(folds):
        own = dealt == fold
        short = (np.maximum(keep - has[~own].sum(axis=0), 0) * has.any(axis=0)).sum()
        absent = (has.any(axis=0) & ~has[own].any(axis=0)).sum()
        faults.append((short, absent, ((counts[own].sum(axis=0) / whole - 1 / folds) ** 2).sum(), fold))
    return int(min(faults)[-1])


def _dealt(counts: np.ndarray, folds: int, order: np.ndarray) -> np.ndarray:
    brought = np.concatenate([counts, counts.sum(axis=1, keepdims=True)], axis=1).astype(np.float64)
    brought /= np.maximum(brought.sum(axis=0), 1)  # a rare class weighs as much as a frequent one
    found, table = np.zeros(len(counts), dtype=np.int64), np.zeros((folds, brought.shape[1]))
    weight = np.round(brought.std(axis=1) + brought.mean(axis=1), _DIGITS)
    for unit in order[np.argsort(-weight[order], kind="stable")]:
        # The fold where the sum of squares, and so the spread over the folds, grows least.
        found[unit] = fold = int(np.argmin(np.round(table @ brought[unit], _DIGITS)))
        table[fold] += brought[unit]
    return found


def _fault(table: np.ndarray) -> tuple[float, float]:
    """(classes that training without a fold would lack, unevenness) of the items (folds, C)."""
    lacking = ((table.sum(axis=0) - table == 0) & (table > 0)).sum()
    everything = np.concatenate([table, table.sum(axis=1, keepdims=True)], axis=1)
    share = everything / np.maximum(everything.sum(axis=0), 1)
    return float(lacking), round(float(((share - 1 / len(table)) ** 2).sum()), _DIGITS)
