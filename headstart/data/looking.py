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
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.errors import Undecodable
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import Skipped, Table
from headstart.data import groups as grouping
from headstart.data import labels
from headstart.data.printable import count, where

_AT_ONCE = 256

Facts = Mapping[str, float | str]


@dataclass(slots=True)
class Rows:
    """The usable examples; lists of equal length, n each.

    Attributes:
        items: paths or in-memory values.
        digests: of the contents.
        labels: class names.
        parts: "train", "val" or "test" where the source says so.
        wheres: how messages name the items.
        groups: what each belongs to, None where nothing.
    """

    items: list[Any] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)

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
        facts: name of a fact -> (n,) its value for each usable example: floats, NaN where unknown, or texts.
    """

    table: Table
    modality: str
    rows: Rows
    skipped: tuple[Skipped, ...]
    facts: Mapping[str, np.ndarray]


def look(table: Table, *, modality: str = "images", report: Reporter | None = None) -> Looked:
    """Look at every item of a table.

    Args:
        table: what a source opened to.
        modality: name of the data room's modality that decodes the items.
        report: receives progress.

    Raises:
        DataError: when a label cannot be one.
    """
    report = report or Silent()
    names = labels.names(table.labels)
    groups = grouping.names(table.groups) if table.groups else [None] * len(names)
    rows, skipped, columns = Rows(), list[Skipped](), _Columns()
    report.begin(f"Checking {count(len(table.items), 'item')}", len(table.items))
    for position, (digest, why, facts) in enumerate(_seen(table.items, names, modality)):
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
            columns.add(facts)
        report.advance()
    report.end()
    return Looked(table, modality, rows, tuple(skipped), columns.arrays())


def _seen(items: Sequence[Any], names: Sequence[str | None], modality: str) -> Iterator[tuple[str, str, Facts]]:
    """(digest, why it is unusable, facts) of each item, in order; decoded by threads, a bounded number at a time."""
    module = discovery.load("data", modality, kind="modality")

    def seen(pair: tuple[Any, str | None]) -> tuple[str, str, Facts]:
        item, name = pair
        if name is None:
            return "", "it has no label", {}
        try:
            facts = module.facts(item)
            return module.digest(item), "", facts
        except Undecodable as error:
            return "", f"{error.what}; expected {error.expected}" if error.expected else error.what, {}

    # Pillow releases the interpreter lock while it decodes.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="look") as pool:
        for start in range(0, len(items), _AT_ONCE):
            block = slice(start, start + _AT_ONCE)
            yield from pool.map(seen, zip(items[block], names[block], strict=True))


class _Columns:
    """Facts of many items, a column each; packed a block at a time, for a mapping an item would take kilobytes."""

    def __init__(self) -> None:
        self._waiting: list[Facts] = []
        self._blocks: dict[str, list[np.ndarray]] = {}

    def add(self, facts: Facts) -> None:
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
