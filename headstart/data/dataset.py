"""A table becomes a data set: every item decoded once and hashed, classes counted, parts and folds drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.base import hashes
from headstart.base.errors import DataError, TooFewExamples
from headstart.base.progress import Reporter
from headstart.base.vocabulary import PARTS, Skipped, Table
from headstart.data import natural, splitting, tying
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
        targets: (n,) int64 class indices.
        classes: class names in natural order.
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
    """

    items: tuple[Any, ...]
    digests: tuple[str, ...]
    targets: np.ndarray
    classes: tuple[str, ...]
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
        """Items of each class in each part: {class: {"train": 12, "val": 3, "test": 4}}."""
        table = np.zeros((len(self.classes), len(PARTS)), dtype=np.int64)
        column = np.array([PARTS.index(part) for part in self.parts.tolist()], dtype=np.int64)
        np.add.at(table, (self.targets, column), 1)
        return {
            name: dict(zip(PARTS, row, strict=True)) for name, row in zip(self.classes, table.tolist(), strict=True)
        }


def build(
    table: Table | Looked,
    *,
    modality: str = "images",
    seed: int = 0,
    drop_rare: bool = False,
    near_duplicates: bool = True,
    report: Reporter | None = None,
) -> Dataset:
    """Check every item, decide what is a class, and split.

    Args:
        table: what a source opened to; or that after it was looked at, so that nothing is decoded again.
        modality: name of the data room's modality that decodes the items.
        seed: of the split.
        drop_rare: leave out classes with fewer than three different items instead of stopping.
        near_duplicates: keep near duplicates on one side of every split.
        report: receives progress while items are decoded.

    Raises:
        DataError: over a tenth of the items is unusable, there is one class only, or a given part has classes that
            train lacks, or groups cannot be kept on one side.
        TooFewExamples: a class has fewer than three different items, or too few groups.
    """
    looked = look(table, modality=modality, report=report) if isinstance(table, Table) else table
    table, rows, skipped = looked.table, looked.rows.copy(), list(looked.skipped)
    if not table.items:
        raise DataError("There are no items", where=table.origin, expected="at least two classes of three items")
    if len(skipped) > MOST_BAD * len(table.items):
        raise _too_many_bad(skipped, len(table.items), table.origin)
    notes = list(table.notes)
    _drop_copies(rows, skipped, notes)
    _settle_classes(rows, skipped, notes, drop_rare=drop_rare, origin=table.origin)
    classes = natural.ordered(rows.labels)
    index = {name: position for position, name in enumerate(classes)}
    targets = np.array([index[label] for label in rows.labels], dtype=np.int64)
    tied = tying.tie(looked, rows, targets, near_duplicates=near_duplicates)
    split = splitting.split(targets, tied.units, rows.parts, seed=seed, mixed=tied.mixed)
    return Dataset(
        items=tuple(rows.items),
        digests=tuple(rows.digests),
        targets=targets,
        classes=classes,
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


def _settle_classes(rows: Rows, skipped: list[Skipped], notes: list[str], *, drop_rare: bool, origin: str) -> None:
    if rows.parts and all(part in ("val", "test") for part in rows.parts):
        raise DataError(
            "There is no train part, only val or test",
            where=origin,
            expected="items to train on: train/ beside val/ and test/, or a split column that says train",
        )
    rare, missing = _rare(rows), _missing(rows)
    if missing and not drop_rare:
        part, names = missing
        raise DataError(
            f"The {part} part has {count(len(names), 'class', 'classes')} that train lacks: {listing(names, 10)}",
            where=origin,
            expected="every class of val and test to be in train",
            next_move="add training items of these classes, or leave the classes out with --drop-rare",
        )
    if rare and not drop_rare:
        named = [f"{name} ({number})" for name, number in rare.items()]
        raise TooFewExamples(
            f"{count(len(rare), 'class has', 'classes have')} fewer than {LEAST} different items: {listing(named, 10)}",
            where=origin,
            expected=f"at least {LEAST} different items in each class",
            next_move=_about_rare(rare, rows),
        )
    _drop_classes(set(rare) | set(missing[1] if missing else ()), rows, skipped, notes)
    left = natural.ordered(rows.labels)
    if len(left) < 2:
        raise TooFewExamples(
            f"Only one class is there: {left[0]}" if left else "No class is left",
            where=origin,
            expected="at least two classes",
            next_move="put each class in a subfolder of its own, or name the label column with --label",
        )


def _drop_classes(gone: set[str], rows: Rows, skipped: list[Skipped], notes: list[str]) -> None:
    if not gone:
        return
    notes.append(f"left out as too rare (--drop-rare): {listing(list(natural.ordered(gone)), 10)}")
    for place, label in zip(rows.wheres, rows.labels, strict=True):
        if label in gone:
            skipped.append(Skipped(place, f"its class, {label}, is too rare"))
    rows.keep([label not in gone for label in rows.labels])


def _about_rare(rare: dict[str, int], rows: Rows) -> str:
    if len(rare) > 0.5 * len(set(rows.labels)) and len(rare) > 10:
        return "most labels are nearly unique: name the right label column with --label, or use --drop-rare"
    return "add items to them, or leave these classes out with --drop-rare (drop_rare=True)"


def _rare(rows: Rows) -> dict[str, int]:
    """Classes of the development items with too few different items, and how many they have."""
    pairs = [(d, label) for d, label, part in zip(rows.digests, rows.labels, rows.parts, strict=True) if part != "test"]
    names = natural.ordered(label for _, label in pairs)
    index = {name: position for position, name in enumerate(names)}
    groups = splitting.groups_of([digest for digest, _ in pairs])
    targets = np.array([index[label] for _, label in pairs], dtype=np.int64)
    different = Counter(splitting.owners(groups, targets).tolist())
    return {name: different[position] for position, name in enumerate(names) if different[position] < LEAST}


def _missing(rows: Rows) -> tuple[str, list[str]] | None:
    """The first given part that has classes which train lacks, with all such classes of any part."""
    present: dict[str, set[str]] = {part: set() for part in PARTS}
    for label, part in zip(rows.labels, rows.parts, strict=True):
        present[part or "train"].add(label)
    lacking = {part: present[part] - present["train"] for part in ("test", "val") if present[part] - present["train"]}
    if not lacking:
        return None
    return next(iter(lacking)), list(natural.ordered(set().union(*lacking.values())))
