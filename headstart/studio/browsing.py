"""A folder's content for a page: folders and tables by name, other files only counted, never more than a page can hold.

The listing reads names and no files, and stops after a bounded number, so that a folder of a million files answers as
fast as one of a hundred.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.base import discovery, natural
from headstart.base.errors import BadSource
from headstart.base.manifest import is_model
from headstart.data import tree
from headstart.data.printable import printable

MOST = 20_000
"""Entries of a folder that are looked at."""
SHOWN = 500
"""Entries that are shown of each kind."""


@dataclass
class Listing:
    """What lies in a folder.

    Attributes:
        path: the folder.
        folders, tables: names in natural order, at most ``SHOWN`` of each.
        files: how many others there are.
        more: entries that are not shown: folders, tables.
        cut: True if the folder has more entries than were looked at.
        model: True if it is a sealed model.
    """

    path: Path
    folders: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    files: int = 0
    more: int = 0
    cut: bool = False
    model: bool = False

    def as_dict(self, root: Path) -> dict[str, Any]:
        """Plain data, with the way down from ``root``."""
        steps = [self.path, *self.path.parents] if self.path.is_relative_to(root) else [self.path]
        way = [step for step in steps if step == self.path or step.is_relative_to(root)]
        return {
            "path": str(self.path),
            "way": [{"name": printable(step.name or str(step)), "path": str(step)} for step in reversed(way)],
            "folders": [self._named(name) for name in self.folders],
            "tables": [self._named(name) for name in self.tables],
            "files": self.files,
            "more": self.more,
            "cut": self.cut,
            "model": self.model,
        }

    def _named(self, name: str) -> dict[str, str]:
        return {"name": printable(name), "path": str(self.path / name)}


def listing(folder: Path) -> Listing:
    """Look into a folder.

    Raises:
        BadSource: when it is none, or cannot be opened.
    """
    if not tree.holds(folder.is_dir):
        expected = tree.close(folder) or "the path of a folder"
        raise BadSource(f"There is no folder {printable(str(folder))}", expected=expected)
    found, is_table = Listing(folder), _tables()
    try:
        with os.scandir(folder) as entries:
            for entry in itertools.islice(entries, MOST):
                _sort(entry, found, is_table)
            found.cut = next(entries, None) is not None
    except OSError as error:
        raise BadSource(
            f"The folder cannot be opened: {error.strerror or error}",
            where=printable(str(folder)),
            next_move="allow reading it, or choose another",
        ) from error
    for names in (found.folders, found.tables):
        names.sort(key=natural.key)
        found.more += max(0, len(names) - SHOWN)
        del names[SHOWN:]
    found.model = is_model(folder)
    return found


def _sort(entry: os.DirEntry[str], found: Listing, is_table: Callable[[os.DirEntry[str]], bool]) -> None:
    if entry.name.startswith("."):
        return
    if tree.holds(entry.is_dir):
        found.folders.append(entry.name)
    elif is_table(entry):
        found.tables.append(entry.name)
    else:
        found.files += 1


def _tables() -> Callable[[os.DirEntry[str]], bool]:
    """A test for files that a source claims; each ending is asked about once."""
    sources = [plugin.load() for plugin in discovery.plugins("data.sources").values()]
    known: dict[str, bool] = {}

    def claimed(entry: os.DirEntry[str]) -> bool:
        ending = Path(entry.name).suffix.lower()
        if ending not in known:
            known[ending] = bool(ending) and any(module.claims(entry.path) for module in sources)
        return known[ending]

    return claimed
