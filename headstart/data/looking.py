"""Every item is looked at once: decoded for its errors, hashed, and measured, before anything is decided.

What is seen here is all that a data set is built from and all that the findings without training read, so a file is
never decoded twice to be checked.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.errors import Undecodable
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import Skipped, Table
from headstart.data import groups as grouping
from headstart.data import labels
from headstart.data.deferred import fetched
from headstart.data.printable import count, where

_AT_ONCE = 256

Facts = Mapping[str, float | str]
_Seen = tuple[str, str, Facts, np.ndarray | None]


@dataclass(slots=True)
class Rows:
    """The usable examples; lists of equal length, n each.

    Attributes:
        items: paths or in-memory values.
        digests: of the contents.
        labels: what the task reads of each label: a class name, several names, a number.
        parts: "train", "val" or "test" where the source says so.
        wheres: how messages name the items.
        groups: what each belongs to, None where nothing.
        places: row of each in what was looked at, for its facts and its fingerprint.
    """

    items: list[Any] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def keep(self, wanted: Sequence[bool]) -> None:
        """Leave out the rows that are not wanted."""
        for name in self.__slots__:
            setattr(self, name, list(itertools.compress(getattr(self, name), wanted)))

    def copy(self) -> Rows:
        """The same rows in lists of their own."""
        return Rows(*(list(getattr(self, name)) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Looked:
    """A table after every item was looked at, and before anything was decided.

    Attributes:
        table: what the source opened to.
        modality: name of the data room's modality.
        rows: the usable examples.
        skipped: the others, and why.
        task: name of the task that the labels are for.
        why: what it was chosen for, in words.
        facts: name of a fact -> (n,) its value for each usable example: floats, NaN where unknown, or texts.
        fingerprints: (n, d) of the usable examples, in which near duplicates are close; None if the modality has none.
        near: distance of fingerprints up to which two items are near duplicates.
    """

    table: Table
    modality: str
    rows: Rows
    skipped: tuple[Skipped, ...]
    facts: Mapping[str, np.ndarray]
    fingerprints: np.ndarray | None = None
    near: float = 0.0
    task: str = labels.DEFAULT
    why: str = ""


def look(table: Table, *, modality: str = "", task: str = "auto", report: Reporter | None = None) -> Looked:
    """Look at every item of a table.

    Args:
        table: what a source opened to.
        modality: name of the data room's modality that decodes the items; by default the source's.
        task: name of the tasks room's task that reads the labels; "auto" chooses it by them.
        report: receives progress.

    Raises:
        DataError: when a label cannot be one.
        UnknownName: no such task.
    """
    report, modality = report or Silent(), modality or table.modality
    raw = labels.plain(table.labels)
    task, because = labels.task_of(raw, task, table.task)
    room = discovery.load("tasks", task)
    names, unlabelled = room.parse(raw), "it has no label"
    if hasattr(room, "unlabelled"):
        unlabelled += f" ({room.unlabelled(raw)})"
    groups = grouping.names(table.groups) if table.groups else [None] * len(names)
    rows, skipped, columns, prints = Rows(), list[Skipped](), _Columns(), _Columns()
    report.begin(f"Checking {count(len(table.items), 'item')}", len(table.items))
    module = discovery.load("data", modality, kind="modality")
    for position, (digest, why, facts, fingerprint) in enumerate(_seen(table.items, names, module, unlabelled)):
        item, name, place = table.items[position], names[position], where(table.items[position], position)
        if why or name is None:
            skipped.append(Skipped(place, why))
        else:
            rows.items.append(item)
            rows.digests.append(digest)
            rows.labels.append(name)
            rows.parts.append(table.parts[position])
            rows.wheres.append(place)
            rows.groups.append(groups[position])
            rows.places.append(len(rows.places))
            columns.add(facts)
            prints.add({} if fingerprint is None else {"fingerprint": fingerprint})
        report.advance()
    report.end()
    found = prints.arrays().get("fingerprint")
    near = getattr(module, "NEAR", 0.0)
    return Looked(table, modality, rows, tuple(skipped), columns.arrays(), found, near, task, because)


def _seen(items: Sequence[Any], names: Sequence[Any], module: ModuleType, unlabelled: str) -> Iterator[_Seen]:
    """(digest, why it is unusable, facts, fingerprint) of each item, in order; by threads, a bounded number at a time.

    A modality that can tell near duplicates has ``glance``, which gives facts and fingerprint at once.
    """

    def seen(pair: tuple[Any, Any]) -> _Seen:
        item, name = pair
        if name is None:
            return "", unlabelled, {}, None
        try:
            item = fetched(item)
            facts, fingerprint = module.glance(item) if hasattr(module, "glance") else (module.facts(item), None)
            return module.digest(item), "", facts, fingerprint
        except Undecodable as error:
            return "", f"{error.what}; expected {error.expected}" if error.expected else error.what, {}, None

    # Pillow releases the interpreter lock while it decodes.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="look") as pool:
        for start in range(0, len(items), _AT_ONCE):
            block = slice(start, start + _AT_ONCE)
            yield from pool.map(seen, zip(items[block], names[block], strict=True))


class _Columns:
    """Facts of many items, a column each; packed a block at a time, for a mapping an item would take kilobytes."""

    def __init__(self) -> None:
        self._waiting: list[Mapping[str, Any]] = []
        self._blocks: dict[str, list[np.ndarray]] = {}

    def add(self, facts: Mapping[str, Any]) -> None:
        self._waiting.append(facts)
        if len(self._waiting) >= _AT_ONCE:
            self._pack()

    def _pack(self) -> None:
        for name in self._waiting[0] if self._waiting else ():
            values = [facts[name] for facts in self._waiting]
            self._blocks.setdefault(name, []).append(np.array(values))
        self._waiting = []

    def arrays(self) -> dict[str, np.ndarray]:
        self._pack()
        return {name: np.concatenate(blocks) for name, blocks in self._blocks.items()}
