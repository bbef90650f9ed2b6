"""What every tracker is: a place outside the house that a run is told to.

A file of this room defines ``check``, which refuses a place before anything is computed, and ``begin``, which gives a
``Tracker``. It does its slow work there (loading libraries, reaching a server): what takes the processor later on would
make the steps slow that a fit is timing. It is told everything in the order in which it happens and need not keep
anything itself. Any of its methods may fail with any error: then it is left out, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

State = Literal["finished", "stopped", "failed"]
"""How a run ended: by itself, by Ctrl-C, by an error."""


class Tracker(Protocol):
    """One run's record with a tracker.

    Attributes:
        place: where a person finds it; "" before it is started.
    """

    place: str

    def start(self, name: str, run: str, handle: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin a record, or go on with one.

        Args:
            name: of the run, for people.
            run: its id.
            handle: what this returned when the record was begun; empty for a new one.

        Returns:
            Plain data by which the record is found again; no secrets.
        """
        ...

    def describe(self, values: Mapping[str, Any]) -> None:
        """Parameters: plain values by dotted name; each name comes once."""
        ...

    def tag(self, values: Mapping[str, str]) -> None:
        """What the run is sorted and searched by; a later value replaces an earlier one."""
        ...

    def measure(self, series: str, values: Mapping[str, float], step: int = 0) -> None:
        """Numbers of a series, such as those of one fit after an epoch; slashes in its name are levels."""
        ...

    def note(self, name: str, text: str) -> None:
        """A text in Markdown; a later one of the same name replaces it."""
        ...

    def keep(self, path: Path) -> None:
        """A file of the finished model."""
        ...

    def flush(self) -> None:
        """Nothing of what was told may wait any longer."""
        ...

    def close(self, state: State) -> None:
        """The run has ended."""
        ...
