"""Progress as a person wants to see it: a bar with the time left on a terminal, an occasional plain line elsewhere.

All of it goes to standard error, so that standard output holds the result and nothing else.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from headstart.base import log
from headstart.base.errors import BadOption
from headstart.base.events import Events
from headstart.base.progress import Reporter, Silent
from headstart.data.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PAUSE = 5.0
"""Seconds between two plain lines about the same task."""


@contextlib.contextmanager
def watching(*, quiet: bool = False, verbose: bool = False, progress: Path | None = None) -> Iterator[Reporter]:
    """A reporter that suits standard error; what libraries warn of is shown only if ``verbose``, and logged anyway.

    Args:
        quiet: nothing is shown.
        verbose: details are shown too.
        progress: a file that everything is also written to, as ``base/events.py`` describes.

    Raises:
        BadOption: when there is no folder for that file.
    """
    if progress is not None and not progress.absolute().parent.is_dir():
        raise BadOption(f"Progress cannot be written to {progress}", expected="a file in a folder that is there")
    with contextlib.ExitStack() as stack:
        if not verbose:
            stack.enter_context(log.hushed())
        report: Reporter
        if quiet:
            report = Silent()
        elif sys.stderr.isatty():
            report = stack.enter_context(Bar(verbose=verbose))
        else:
            report = Lines(sys.stderr, verbose=verbose)
        yield report if progress is None else Events(progress, report)


def duration(seconds: float) -> str:
    """A length of time in words: ``8 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Lines:
    """Plain lines without control characters, at most one every few seconds for a task.

    Args:
        stream: where they go.
        verbose: details too.
        clock: seconds, for tests.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._verbose, self._clock = stream, verbose, clock
        self._task, self._done = "", 0
        self._total: int | None = None
        self._began = self._last = clock()
        self._ends: float | None = None

    def _print(self, text: str) -> None:
        for line in text.split("\n"):
            print(printable(line), file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """One line."""
        self._print(text)

    def detail(self, text: str) -> None:
        """One line, if verbose."""
        if self._verbose:
            self._print(text)

    def begin(self, task: str, total: int | None = None) -> None:
        """Remember the task; nothing is printed unless it takes a while."""
        self._task, self._total, self._done = task, total, 0
        self._began = self._last = self._clock()

    def advance(self, units: int = 1) -> None:
        """Count, and print if the last line is a while ago."""
        self._done += units
        now = self._clock()
        if now - self._last < PAUSE:
            return
        self._last = now
        share = f"{self._done:,}"
        if self._total:
            left = (now - self._began) * max(0, self._total - self._done) / max(1, self._done)
            share += f" of {self._total:,}, about {duration(left)} left"
        whole = f"; the whole job about {duration(self._ends - now)}" if self._ends and self._ends > now else ""
        self._print(f"{self._task}: {share}{whole}")

    def end(self) -> None:
        """Say so if the task took long enough to have been mentioned."""
        taken = self._clock() - self._began
        if self._task and taken >= PAUSE:
            self._print(f"{self._task}: done in {duration(taken)}")
        self._task = ""

    def expect(self, seconds: float) -> None:
        """The first estimate is printed, later ones go with the task's lines."""
        if self._ends is None:
            self._print(f"About {duration(seconds)} in all")
        self._ends = self._clock() + seconds


class Bar:
    """A live bar on a terminal: the task, how far it is, its time left, and that of the whole job."""

    def __init__(self, *, verbose: bool = False) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._verbose = verbose
        self._ends: float | None = None
        self._done = 0
        self._total: int | None = None
        self._console = Console(stderr=True, highlight=False)
        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[whole]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line above the bar."""
        lines = (printable(line) for line in text.split("\n"))
        self._console.print("\n".join(lines), markup=False, soft_wrap=True)

    def detail(self, text: str) -> None:
        """One line above the bar, if verbose."""
        if self._verbose:
            self.say(text)

    def begin(self, task: str, total: int | None = None) -> None:
        """A new bar in place of the last."""
        self.end()
        self._done, self._total = 0, total
        self._task = self._progress.add_task(printable(task), total=total, count=self._count(), whole=self._whole())

    def advance(self, units: int = 1) -> None:
        """Move the bar."""
        if self._task is not None:
            self._done += units
            self._progress.update(self._task, advance=units, count=self._count(), whole=self._whole())

    def end(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def expect(self, seconds: float) -> None:
        """The estimate shown behind the bar."""
        self._ends = time.monotonic() + seconds

    def _count(self) -> str:
        if self._total is not None:
            return f"{self._done:,} of {self._total:,}"
        return f"{self._done:,}" if self._done else ""

    def _whole(self) -> str:
        left = 0.0 if self._ends is None else self._ends - time.monotonic()
        return f"whole job: {duration(left)} left" if left > 0 else ""
