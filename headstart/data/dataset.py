"""A table becomes a data set: every item decoded once and hashed, classes counted, parts and folds drawn."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.base import discovery, hashes, natural
from headstart.base.errors import DataError, TooFewExamples
from headstart.base.progress import Reporter
from headstart.base.vocabulary import PARTS, Skipped, Table
from headstart.data import splitting, tying
from headstart.data.looking import Looked, Rows, look
from headstart.data.near import Near
from headstart.data.printable import count, listing

LEAST = 3
"""Different items a class needs: one to train on, one to choose by, one to test on."""
MOST_BAD = 0.1
"""Share of unusable items beyond which the run stops: the source was probably misread."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Checked, hashed, split examples of one modality.

    Attributes:
        items: n paths or in-memory values, in the source's order.
        digests: n content digests.
        targets: one row an item: (n,) class indices, or what else the task reads.
        task: what is predicted, a ``Task`` of the tasks room.
        parts: (n,) "train", "val" or "test".
        folds: (train positions, validation positions) pairs: one normally, five when cross-validated.
        modality: name of the data room's modality.
        origin: what the user named.
        understood: how the source was read, one sentence.
        skipped: items left out, and why.
        notes: oddities worth showing.
        seed: of the split.
        groups: n names of what each item belongs to, None where nothing; empty without groups.
        looked: every item of the source as it was found, for whoever states findings.
        near: near duplicates.
        why: what the task was chosen for, in words.
        wheres: n texts by which messages name the items.
        again: further draws of the folds, when cross-validated.
    """

    items: tuple[Any, ...]
    digests: tuple[str, ...]
    targets: np.ndarray
    task: Any
    parts: np.ndarray
    folds: splitting.Folds
    modality: str
    origin: str
    understood: str
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    seed: int = 0
    groups: tuple[str | None, ...] = ()
    looked: Looked | None = None
    near: Near = field(default_factory=Near)
    why: str = ""
    wheres: tuple[str, ...] = ()
    again: tuple[splitting.Folds, ...] = ()

    @property
    def wholes(self) -> np.ndarray:
        """(n,) number of what each item is read with, as a word with its sentence; most items have one of their own."""
        room = discovery.load("data", self.modality)
        if not hasattr(room, "whole"):
            return np.arange(len(self))
        return np.unique([room.part(item)[0] for item in self.items], return_inverse=True)[1]

    @property
    def classes(self) -> tuple[str, ...]:
        """What the task's predictions are of: class names in natural order, labels, or the one target."""
        return tuple(self.task.names)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def development(self) -> np.ndarray:
        """Positions of train and val together: all that may be learnt from."""
        return np.flatnonzero(self.parts != "test")

    @property
    def test(self) -> np.ndarray:
        """Positions of the test part; empty when cross-validation replaces it."""
        return np.flatnonzero(self.parts == "test")

    @property
    def cross_validated(self) -> bool:
        """True if five folds stand in for a validation part."""
        return len(self.folds) > 1

    @property
    def digest(self) -> str:
        """SHA-256 of contents, targets, classes, parts and folds: equal digests mean the same experiment."""
        folds = [[fold.tolist() for fold in pair] for pair in self.folds]
        return hashes.of_data([self.digests, self.targets.tolist(), self.classes, self.parts.tolist(), folds])

    def sizes(self) -> dict[str, int]:
        """Items in each part."""
        return {part: int((self.parts == part).sum()) for part in PARTS}

    def counts(self) -> dict[str, dict[str, int]]:
        """Items of each name in each part: {class: {"train": 12, "val": 3, "test": 4}}."""
        members = self.task.members(self.targets)
        return {
            name: {part: int((members[:, column] & (self.parts == part)).sum()) for part in PARTS}
            for column, name in enumerate(self.classes)
        }


def build(
    table: Table | Looked,
    *,
    modality: str = "",
    task: str = "auto",
    seed: int = 0,
    drop_rare: bool = False,
    near_duplicates: bool = True,
    report: Reporter | None = None,
) -> Dataset:
    """Check every item, decide what is a class, and split.

    Args:
        table: what a source opened to; or that after it was looked at, so that nothing is decoded again.
        modality: name of the data room's modality that decodes the items; by default the source's.
        task: name of the tasks room's task that reads the labels; "auto" chooses it by them.
        seed: of the split.
        drop_rare: leave out classes, or labels, with fewer than three different items instead of stopping.
        near_duplicates: keep near duplicates on one side of every split.
        report: receives progress while items are decoded.

    Raises:
        DataError: over a tenth of the items is unusable, there is one class only, or a given part has classes that
            train lacks, or groups cannot be kept on one side.
        TooFewExamples: a class has fewer than three different items, or too few groups.
    """
    looked = look(table, modality=modality, task=task, report=report) if isinstance(table, Table) else table
    table, rows, skipped = looked.table, looked.rows.copy(), list(looked.skipped)
    if not table.items:
        raise DataError("There are no items", where=table.origin, expected="at least two classes of three items")
    if len(skipped) > MOST_BAD * len(table.items):
        raise _too_many_bad(skipped, len(table.items), table.origin)
    notes = list(table.notes)
    room = discovery.load("tasks", looked.task)
    _drop_copies(rows, skipped, notes)
    learn = functools.partial(room.learn, name=table.target)
    what = _settle(rows, learn, skipped, notes, drop_rare=drop_rare, origin=table.origin)
    targets = what.encode(rows.labels)
    strata = what.strata(targets)
    tied = tying.tie(looked, rows, strata, targets, near_duplicates=near_duplicates)
    split = splitting.split(strata, tied.units, rows.parts, seed=seed, mixed=tied.mixed)
    return Dataset(
        items=tuple(rows.items),
        digests=tuple(rows.digests),
        targets=targets,
        task=what.fitted(targets[split.parts != "test"]),
        parts=split.parts,
        folds=split.folds,
        modality=looked.modality,
        origin=table.origin,
        understood=table.understood,
        skipped=tuple(skipped),
        notes=(*notes, *tied.notes, *split.notes),
        seed=seed,
        groups=tuple(rows.groups) if tied.mixed else (),
        looked=looked,
        near=tying.across(tied.near, split.parts, rows),
        why=looked.why,
        wheres=tuple(rows.wheres),
        again=split.again,
    )


def _too_many_bad(skipped: Sequence[Skipped], total: int, origin: str) -> DataError:
    first = "\n".join(f"  {one.where}: {one.why}" for one in skipped[:5])
    more = f"\n  and {len(skipped) - 5:,} more" if len(skipped) > 5 else ""
    return DataError(
        f"{len(skipped):,} of {count(total, 'item')} cannot be used:\n{first}{more}",
        where=origin,
        expected=f"at most {MOST_BAD:.0%} of the items unusable",
        next_move="mend or remove them, or check that the right folder, columns and paths were named",
    )


def _drop_copies(rows: Rows, skipped: list[Skipped], notes: list[str]) -> None:
    """Leave out of train what is also in a given val or test part, and out of val what is in test."""
    rank = {"train": 0, "val": 1, "test": 2}
    highest: dict[str, int] = {}
    ranks = [rank[part or "train"] for part in rows.parts]
    for digest, own in zip(rows.digests, ranks, strict=True):
        highest[digest] = max(own, highest.get(digest, 0))
    wanted = [own == highest[digest] for digest, own in zip(rows.digests, ranks, strict=True)]
    if all(wanted):
        return
    for place, digest, keep in zip(rows.wheres, rows.digests, wanted, strict=True):
        if not keep:
            skipped.append(Skipped(place, f"an exact duplicate is in the {PARTS[highest[digest]]} part"))
    dropped = count(wanted.count(False), "item")
    notes.append(f"{dropped} left out of train or val, because exact duplicates are in a given val or test part")
    rows.keep(wanted)


def _settle(
    rows: Rows,
    learn: Callable[[Sequence[Any]], Any],
    skipped: list[Skipped],
    notes: list[str],
    *,
    drop_rare: bool,
    origin: str,
) -> Any:
    """The task of the rows, once every name in it can be learnt."""
    if rows.parts and all(part in ("val", "test") for part in rows.parts):
        raise DataError(
            "There is no train part, only val or test",
            where=origin,
            expected="items to train on: train/ beside val/ and test/, or a split column that says train",
        )
    task = learn(rows.labels)
    one, many = task.words.noun
    members = task.members(task.encode(rows.labels))
    rare, missing = _rare(rows, task, members), _missing(rows, task, members)
    if missing and not drop_rare:
        part, names = missing
        raise DataError(
            f"The {part} part has {count(len(names), one, many)} that train lacks: {listing(names, 10)}",
            where=origin,
            expected=f"every {one} of val and test to be in train",
            next_move=f"add training items of these {many}, or leave the {many} out with --drop-rare",
        )
    if rare and not drop_rare:
        named = [f"{name} ({number})" for name, number in rare.items()]
        raise TooFewExamples(
            f"{count(len(rare), f'{one} has', f'{many} have')} fewer than {LEAST} different items: "
            f"{listing(named, 10)}",
            where=origin,
            expected=f"at least {LEAST} different items in each {one}",
            next_move=_about_rare(rare, task),
        )
    gone = set(rare) | set(missing[1] if missing else ())
    if gone:
        _drop(gone, task, rows, skipped, notes)
        task = learn(rows.labels)
    task.check(task.encode(rows.labels), origin)
    return task


def _drop(gone: set[str], task: Any, rows: Rows, skipped: list[Skipped], notes: list[str]) -> None:
    notes.append(f"left out as too rare (--drop-rare): {listing(list(natural.ordered(gone)), 10)}")
    left = task.without(rows.labels, gone)
    for place, label, value in zip(rows.wheres, rows.labels, left, strict=True):
        if value is None:
            skipped.append(Skipped(place, f"its {task.words.noun[0]}, {label}, is too rare"))
    rows.labels = left
    rows.keep([value is not None for value in left])


def _about_rare(rare: dict[str, int], task: Any) -> str:
    _, many = task.words.noun
    if len(rare) > 0.5 * len(task.names) and len(rare) > 10:
        return (
            f"most {many} are nearly unique: name the right label column with --label, use --drop-rare, "
            "or --task regression if they are numbers to predict"
        )
    return f"add items to them, or leave these {many} out with --drop-rare (drop_rare=True)"


def _rare(rows: Rows, task: Any, members: np.ndarray) -> dict[str, int]:
    """Names of the development items with too few different items, and how many they have."""
    if not task.words.counted:
        return {}
    chosen = np.array([part != "test" for part in rows.parts], dtype=bool)
    groups = splitting.groups_of(list(itertools.compress(rows.digests, chosen)))
    there = members[chosen]
    if (members.sum(axis=1) == 1).all():
        # An item with two classes for one content counts for the more frequent of them.
        owned = splitting.owners(groups, there.argmax(axis=1)) if len(groups) else groups
        different = np.bincount(owned, minlength=len(task.names))
    else:
        different = np.array([len(np.unique(groups[column])) for column in there.T], dtype=np.int64)
    present = there.any(axis=0)
    return {
        name: int(different[position])
        for position, name in enumerate(task.names)
        if present[position] and different[position] < LEAST
    }


def _missing(rows: Rows, task: Any, members: np.ndarray) -> tuple[str, list[str]] | None:
    """The first given part that has names which train lacks, with all such names of any part."""
    parts = np.array([part or "train" for part in rows.parts])
    present = {part: members[parts == part].any(axis=0) for part in PARTS}
    lacking = {part: present[part] & ~present["train"] for part in ("test", "val")}
    lacking = {part: absent for part, absent in lacking.items() if absent.any()}
    if not lacking or not task.words.counted:
        return None
    anywhere = np.any(list(lacking.values()), axis=0)
    return next(iter(lacking)), [name for name, absent in zip(task.names, anywhere, strict=True) if absent]
