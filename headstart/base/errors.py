"""Every error headstart raises on purpose, drawn as one tree.

    HeadstartError                     exit code 1: the job failed
    ├── UsageError                     exit code 2: the call was wrong
    │   ├── UnknownName                a name that nothing answers to ("did you mean")
    │   ├── BadOption                  an option with an impossible value
    │   └── OutputExists               the output folder is taken
    ├── DataError                      the data cannot be used as they are
    │   ├── BadSource                  nothing usable where the user pointed
    │   ├── Undecodable                one item could not be read (collected, then listed)
    │   └── TooFewExamples             a class, or the whole set, is too small
    ├── WeightsError                   pretrained weights cannot be had, or do not fit
    ├── ModelFolderError               a sealed model is incomplete, edited or unsafe
    ├── ExportError                    a model cannot be exported, or its export gives something else
    ├── RunError                       a run cannot be read or continued
    ├── TrainingError                  a fit went wrong (frozen tensor moved, loss not finite)
    ├── DiskFull                       no room to write; what was written before is whole
    ├── Interrupted                    Ctrl-C: what was computed is saved
    └── MissingExtra                   an optional library is needed

An error says what was wrong, where, what was expected and the next move; the command line prints just that. A wrong
value (UnknownName, BadOption, DataError) is also a ValueError, which is what callers from Python expect.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class HeadstartError(Exception):
    """Base of the tree.

    Args:
        what: what was wrong, one sentence.
        where: file, row or parameter it was found at.
        expected: what would have been right.
        next_move: what the user can do now.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", expected: str = "", next_move: str = "") -> None:
        self.what, self.where, self.expected, self.next_move = what, where, expected, next_move
        lines = [what if not where else f"{what} ({where})"]
        if expected:
            lines.append(f"Expected: {expected}")
        if next_move:
            lines.append(f"Next: {next_move}")
        super().__init__("\n".join(lines))

    def as_dict(self) -> dict[str, Any]:
        """The error as plain data, for ``--json``."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "expected": self.expected,
            "next": self.next_move,
        }


class UsageError(HeadstartError):
    """The call was wrong; nothing was started."""

    exit_code = 2


class UnknownName(UsageError, ValueError):
    """A name that nothing answers to; offers the closest known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, next_move: str = "") -> None:
        self.kind, self.name = kind, str(name)
        self.known = tuple(known)
        self.close = tuple(difflib.get_close_matches(self.name, self.known, n=3, cutoff=0.5))
        if self.close:
            expected = "did you mean " + " or ".join(self.close) + "?"
        elif self.known and len(self.known) <= 16:
            expected = "one of " + ", ".join(self.known)
        else:
            expected = f"one of {len(self.known):,} known names" if self.known else ""
        super().__init__(f"Unknown {kind}: {name}", expected=expected, next_move=next_move)


class BadOption(UsageError, ValueError):
    """An option with an impossible value."""


class OutputExists(UsageError):
    """The output folder is taken."""


class DataError(HeadstartError, ValueError):
    """The data cannot be used as they are."""


class BadSource(DataError):
    """Nothing usable where the user pointed."""


class Undecodable(DataError):
    """One item could not be read; collected by the loader and listed, never fatal by itself."""


class TooFewExamples(DataError):
    """A class, or the whole set, is too small to learn from."""


class WeightsError(HeadstartError):
    """Pretrained weights cannot be had, or do not fit the architecture."""


class ModelFolderError(HeadstartError):
    """A sealed model folder is incomplete, edited, unsafe or from a future version."""


class ExportError(HeadstartError):
    """A model cannot be exported in this way, or its export does not give what the model gives."""


class RunError(HeadstartError):
    """A run directory cannot be read or continued."""


class TrainingError(HeadstartError):
    """A fit went wrong: a frozen tensor moved, or the loss is not finite."""


class DiskFull(HeadstartError):
    """There is no room to write; everything that was written before is whole and can be resumed from."""


class Interrupted(HeadstartError):
    """Ctrl-C: the work done so far is on disk and can be resumed."""


class MissingExtra(HeadstartError):
    """An optional library is needed.

    Args:
        library: the import that failed.
        extra: the extra of headstart that brings it.
    """

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f"This needs {library}, which is not installed",
            next_move=f"pip install 'headstart[{extra}]'",
        )
