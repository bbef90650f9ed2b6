"""Folder trees read in natural order, the same on every file system; loops of links are entered once."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.base import natural
from headstart.base.errors import BadSource
from headstart.data.kinds import IMAGES, Kind
from headstart.data.printable import count, listing, printable

_SYSTEM = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r", "$recycle.bin"})


@dataclass(slots=True)
class Level:
    """What lies directly in one folder; folders, items and other files in natural order."""

    folders: list[Path] = field(default_factory=list)
    items: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    hidden: int = 0


@dataclass(slots=True)
class Tally:
    """What was met and not used, over a whole walk."""

    others: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    loops: int = 0
    kind: Kind = IMAGES

    def add(self, level: Level) -> None:
        """Count a level's other and hidden files."""
        self.others.update(path.suffix.lower() or "no suffix" for path in level.others)
        self.hidden += level.hidden

    def notes(self) -> list[str]:
        """One line for each kind of thing that was ignored."""
        notes = []
        if self.others:
            kinds = [f"{number:,} {printable(suffix)}" for suffix, number in self.others.most_common()]
            one = self.kind.noun
            total = count(sum(self.others.values()), f"file that is no {one}", f"files that are no {one}s")
            notes.append(f"ignored: {total} by name ({listing(kinds)})")
        if self.hidden:
            notes.append(f"ignored: {count(self.hidden, 'hidden or system file')}")
        if self.loops:
            notes.append(f"not followed: {count(self.loops, 'link')} into a folder that was already read")
        return notes


def as_path(source: Any) -> Path | None:
    """The path that a source names, ``~`` expanded; None when it is something else, or empty text."""
    if not isinstance(source, (str, os.PathLike)) or not os.fsdecode(source).strip():
        return None  # the path of "" would be the working directory
    path = Path(os.fsdecode(source))
    try:
        return path.expanduser()
    except RuntimeError:  # ~somebody without a home
        return path


def holds(check: Callable[[], bool]) -> bool:
    """A question about a path, answered with no where the system cannot tell (link loops, names too long)."""
    try:
        return check()
    except (OSError, ValueError):
        return False


def level(folder: Path, kind: Kind = IMAGES) -> Level:
    """What lies directly in a folder; ``kind`` says which files are items.

    Raises:
        BadSource: when it cannot be listed.
    """
    found = Level()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = folder / entry.name
                if entry.name.startswith(".") or entry.name.lower() in _SYSTEM:
                    found.hidden += 1
                elif holds(entry.is_dir):
                    found.folders.append(path)
                elif kind.owns(entry.name):
                    found.items.append(path)
                else:
                    found.others.append(path)
    except OSError as error:
        raise BadSource(
            f"The folder cannot be opened: {error.strerror or error}",
            where=printable(str(folder)),
            next_move="allow reading it, or move it away",
        ) from error
    for paths in (found.folders, found.items, found.others):
        paths.sort(key=lambda path: natural.key(path.name))
    return found


def items(folder: Path, tally: Tally) -> list[str]:
    """Paths of all items of the tally's kind in a folder and below it, in natural order; the rest goes to the tally.

    Raises:
        BadSource: when a folder cannot be listed.
    """
    seen = {identity for parent in (folder, *folder.absolute().parents) if (identity := _identity(parent))}
    waiting, found = [folder], list[Path]()
    while waiting:
        here = level(waiting.pop(), tally.kind)
        tally.add(here)
        found += here.items
        for inner in here.folders:
            identity = _identity(inner)
            if identity in seen:
                tally.loops += 1
            else:
                seen.add(identity or (0, 0))
                waiting.append(inner)
    found.sort(key=lambda path: natural.key(str(path)))
    return [str(path) for path in found]


def is_loop(folder: Path) -> bool:
    """True for a link that leads to a folder it lies in, so that everything would be read again."""
    own = _identity(folder)
    return own is not None and own in {_identity(parent) for parent in folder.absolute().parents}


def close(path: Path) -> str:
    """ "did you mean ..." with the names beside a missing path that are close to it; empty if none is."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry.name != path.name)
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    return "did you mean " + " or ".join(printable(str(path.parent / name)) for name in near) + "?" if near else ""


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
