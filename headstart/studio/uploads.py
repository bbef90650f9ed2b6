"""Small data sets that were dropped on the page: copied file by file into the cache, within limits.

Large sets are not for copying: they stay where they are, and are named by their path.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headstart.base import files
from headstart.base.errors import BadOption
from headstart.data.printable import printable

FILES = 5_000
"""Files of one set."""
BYTES = 500_000_000
"""Bytes of one set."""
KEPT = 30 * 86400.0
"""Seconds that a set stays: 30 days, as what the feature store holds."""
_SET = re.compile(r"[0-9a-f]{12}")
_DEEPEST = 12
_LONGEST = 200


@dataclass
class _Held:
    """What was sent of a set so far; what failed counts too."""

    files: int
    bytes: int


_HELD: dict[str, _Held] = {}


def limits() -> str:
    """The limits in words."""
    return f"at most {FILES:,} files and {files.megabytes(BYTES)} together"


def tidy(uploads: Path) -> None:
    """Remove the sets that nothing was sent to for a long time."""
    for folder in uploads.iterdir() if uploads.is_dir() else ():
        if time.time() - folder.stat().st_mtime > KEPT:
            shutil.rmtree(folder, ignore_errors=True)


def begin(uploads: Path) -> str:
    """The name of a new set."""
    name = uuid.uuid4().hex[:12]
    (uploads / name).mkdir(parents=True)
    return name


async def take(uploads: Path, name: str, where: str, chunks: AsyncIterator[bytes]) -> None:
    """Write one file of a set.

    Args:
        uploads: the folder of all sets.
        name: the set's.
        where: the file's path in what was dropped, such as ``photos/cat/1.jpg``.
        chunks: its bytes.

    Raises:
        BadOption: no such set, a path that leads elsewhere, or more than a set may hold.
    """
    folder = _set(uploads, name)
    path = folder.joinpath(*_steps(where))
    held = _HELD.setdefault(name, _Held(*_counted(folder)))
    held.files += 1
    if held.files > FILES:
        raise too_much()
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(path) as temporary, open(temporary, "wb") as stream:
        async for chunk in chunks:
            held.bytes += len(chunk)
            if held.bytes > BYTES:
                raise too_much()
            stream.write(chunk)


def done(uploads: Path, name: str) -> Path:
    """What a complete set is as a source: the one folder or table in it, else the set itself.

    Raises:
        BadOption: no such set, or nothing in it.
    """
    folder = _set(uploads, name)
    inside = list(folder.iterdir())
    if not inside:
        raise BadOption("Nothing was dropped", expected="a folder of pictures, or a table with its pictures")
    return inside[0] if len(inside) == 1 else folder


def too_much() -> BadOption:
    """The error for a set that is too large to be copied."""
    return BadOption(
        "This is too much to be copied through the page",
        expected=limits(),
        next_move="type or choose the folder's path instead: it is read where it lies, whatever its size",
    )


def _set(uploads: Path, name: str) -> Path:
    folder = uploads / name
    if not _SET.fullmatch(name) or not folder.is_dir():
        raise BadOption("This upload does not exist", next_move="drop the files again")
    return folder


def _steps(where: str) -> tuple[str, ...]:
    """The names on the way to a file; none of them leads up, hides or is odd."""
    steps = PurePosixPath(where.replace("\\", "/")).parts
    good = 0 < len(steps) <= _DEEPEST and all(
        len(os.fsencode(step)) <= _LONGEST and step.isprintable() and not step.startswith((".", "/")) for step in steps
    )
    if not good:
        raise BadOption(f"A file cannot be called {printable(where)[:_LONGEST]}", expected="such as photos/cat/1.jpg")
    return steps


def _counted(folder: Path) -> tuple[int, int]:
    """Files of a set and their bytes."""
    sizes = [Path(place, name).stat().st_size for place, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)
