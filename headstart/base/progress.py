"""What a long job tells whoever watches: the rooms report, the command line draws.

``Silent`` is the default; the command line passes a reporter that draws a bar, or prints plain lines when its output
is no terminal.
"""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives progress; every method returns at once."""

    def say(self, text: str) -> None:
        """One line worth reading: what was understood, chosen, skipped."""
        ...

    def detail(self, text: str) -> None:
        """A line for those who asked for more (``--verbose``) and for the log file."""
        ...

    def begin(self, task: str, total: int | None = None) -> None:
        """A task of ``total`` units starts; it ends the one before."""
        ...

    def advance(self, units: int = 1) -> None:
        """That many units of the current task are done."""
        ...

    def end(self) -> None:
        """The current task is done."""
        ...

    def expect(self, seconds: float) -> None:
        """The whole job will take about this long from now."""
        ...


class Silent:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Ignore."""

    def detail(self, text: str) -> None:
        """Ignore."""

    def begin(self, task: str, total: int | None = None) -> None:
        """Ignore."""

    def advance(self, units: int = 1) -> None:
        """Ignore."""

    def end(self) -> None:
        """Ignore."""

    def expect(self, seconds: float) -> None:
        """Ignore."""
