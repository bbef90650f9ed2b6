"""A reporter that also writes what is said to the run's log, which is what a bug report should carry."""

from __future__ import annotations

import datetime

from headstart.base.progress import Reporter
from headstart.engine.journal import Journal


class Logged:
    """Passes everything on; lines go to ``log.txt`` with their time."""

    def __init__(self, report: Reporter, journal: Journal) -> None:
        self.report, self.journal = report, journal

    def say(self, text: str) -> None:
        """Log and pass on."""
        self._log(text)
        self.report.say(text)

    def detail(self, text: str) -> None:
        """Log and pass on."""
        self._log(text)
        self.report.detail(text)

    def begin(self, task: str, total: int | None = None) -> None:
        """Log and pass on."""
        self._log(f"{task}{'' if total is None else f' ({total})'}")
        self.report.begin(task, total)

    def advance(self, units: int = 1) -> None:
        """Pass on."""
        self.report.advance(units)

    def end(self) -> None:
        """Pass on."""
        self.report.end()

    def expect(self, seconds: float) -> None:
        """Pass on."""
        self.report.expect(seconds)

    def _log(self, text: str) -> None:
        self.journal.log(f"{datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds')} {text}")
