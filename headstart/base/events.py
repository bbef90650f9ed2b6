"""Progress written to a file as JSON lines, for a program that watches from outside: a page, a script.

Each line is an object with ``at`` (Unix time, seconds) and ``event``:

    {"event": "say" | "detail", "text": ...}      a line worth reading, or one for those who want more
    {"event": "begin", "task": ..., "total": n}   a task starts and ends the one before; total may be null
    {"event": "advance", "done": n}               units of it that are done by now
    {"event": "end"}                              it is done
    {"event": "expect", "seconds": s}             the whole job will take about this long from now

The file is appended to, so a job that is resumed goes on where it stopped. A file that cannot be written stops no job.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.base.progress import Reporter

PAUSE = 0.25
"""Seconds between two lines about the same task, so that a file's size is bounded by the job's time."""


class Events:
    """A reporter that writes what it is told to a file, and passes it on.

    Args:
        path: the file; its folder exists.
        report: told the same.
        clock: seconds, for tests.
    """

    def __init__(self, path: str | Path, report: Reporter, *, clock: Callable[[], float] = time.time) -> None:
        self._path, self._report, self._clock = Path(path), report, clock
        self._done, self._told, self._last = 0, 0, 0.0

    def say(self, text: str) -> None:
        """Write and pass on."""
        self._write("say", text=text)
        self._report.say(text)

    def detail(self, text: str) -> None:
        """Write and pass on."""
        self._write("detail", text=text)
        self._report.detail(text)

    def begin(self, task: str, total: int | None = None) -> None:
        """Write and pass on."""
        self._done, self._told, self._last = 0, 0, self._clock()
        self._write("begin", task=task, total=total)
        self._report.begin(task, total)

    def advance(self, units: int = 1) -> None:
        """Count, write if the last line is a moment ago, and pass on."""
        self._done += units
        if self._clock() - self._last >= PAUSE:
            self._catch_up()
        self._report.advance(units)

    def end(self) -> None:
        """Write what was not yet told, and pass on."""
        self._catch_up()
        self._write("end")
        self._report.end()

    def expect(self, seconds: float) -> None:
        """Write and pass on."""
        self._write("expect", seconds=seconds)
        self._report.expect(seconds)

    def _catch_up(self) -> None:
        if self._done != self._told:
            self._told, self._last = self._done, self._clock()
            self._write("advance", done=self._done)

    def _write(self, event: str, **more: Any) -> None:
        line = json.dumps({"at": round(self._clock(), 3), "event": event, **more}, ensure_ascii=False)
        with contextlib.suppress(OSError), open(self._path, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(line + "\n")
