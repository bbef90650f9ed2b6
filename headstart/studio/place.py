"""What a studio may touch: everything below one folder, and what headstart itself wrote.

A path from a page is resolved first, links and all, and then has to lie inside; so neither ``..`` nor a link leads out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from headstart.base.errors import BadSource, UsageError
from headstart.base.machine import cache_folder
from headstart.data import tree
from headstart.data.printable import printable
from headstart.ship import runs


class OutOfBounds(UsageError):
    """A path that leads out of what the studio may touch."""


@dataclass(frozen=True)
class Place:
    """Where a studio works.

    Attributes:
        root: the folder, resolved.
        start: where browsing begins, in it.
    """

    root: Path
    start: Path

    @classmethod
    def at(cls, folder: Path | None) -> Place:
        """A studio for a folder; by default the home folder, beginning where the command was typed.

        Raises:
            BadSource: when there is no such folder.
        """
        root = (folder or Path.home()).expanduser().resolve()
        if not tree.holds(root.is_dir):
            where = printable(str(folder))
            raise BadSource(f"There is no folder {where}", expected=tree.close(root) or "a folder to work in")
        here = Path.cwd().resolve()
        return cls(root, here if here.is_relative_to(root) else root)

    @property
    def uploads(self) -> Path:
        """Where what was dropped on the page lies."""
        return cache_folder() / "studio" / "uploads"

    @property
    def tables(self) -> Path:
        """Where tables of corrected labels are written."""
        return cache_folder() / "studio" / "labels"

    def inside(self, text: str) -> Path:
        """A path that a page named, resolved.

        Raises:
            OutOfBounds: it leads elsewhere.
        """
        path = self._resolved(text)
        if any(path.is_relative_to(folder.resolve()) for folder in (self.root, self.uploads, self.tables)):
            return path
        raise OutOfBounds(
            f"{printable(text)} lies outside of {printable(str(self.root))}",
            expected="a path in the folder that this studio was started for",
            next_move="start another one there: headstart studio FOLDER",
        )

    def model(self, text: str) -> Path:
        """The folder of a run: one inside, or one that this machine knows of.

        Raises:
            OutOfBounds: it is neither.
        """
        path = self._resolved(text)
        if path in {known.resolve() for known in runs.found()}:
            return path
        return self.inside(text)

    def _resolved(self, text: str) -> Path:
        path = tree.as_path(text)
        if path is None or "\0" in text:
            raise OutOfBounds("No path was named", expected="the path of a file or a folder")
        try:
            return Path(os.path.realpath(self.root / path))
        except (OSError, ValueError) as error:
            raise OutOfBounds(f"{printable(text)} cannot be followed: {error}") from error
