"""The log of a long job: what was called, on what machine, what was said, what libraries warned of, how it ended.

It is what a bug report should carry, so nothing secret gets into it: values of variables that are called a token, key,
secret or password, access tokens of the hub, and passwords in addresses are masked. Lines wait in memory until the job
has a run directory (``keep_in``); a job that fails before it has one carries its lines on the error (``left_by``).
"""

from __future__ import annotations

import contextlib
import contextvars
import datetime
import logging
import os
import platform
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from headstart.base.errors import Interrupted
from headstart.base.progress import Reporter

LIBRARIES = ("torch", "torchvision", "timm", "transformers", "peft", "datasets", "scikit-learn", "numpy", "pillow")
VARIABLES = re.compile(r"(HEADSTART|HF|OMP|MKL|TORCH|CUDA|XDG_CACHE).*")
"""Variables of the environment that change what a job does."""

_SECRET_NAME = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SECRETS = ((re.compile(r"\bhf_[A-Za-z0-9]{8,}"), "hf_***"), (re.compile(r"(://)[^/@\s]+@"), r"\1***@"))
_SHORTEST = 6
"""Letters from which on a secret's value is masked wherever it stands; shorter ones occur in plain words."""
_MOST = 20_000
"""Lines kept in memory while there is no run directory."""
_CURRENT: contextvars.ContextVar[Recorder | None] = contextvars.ContextVar("recorder", default=None)
_ATTRIBUTE = "headstart_log"


class Recorder:
    """Lines with their time, in memory until there is a file for them.

    Attributes:
        path: the file; None before ``keep_in``.
        lines: what was written so far, masked.
    """

    def __init__(self) -> None:
        self.path: Path | None = None
        self.lines: list[str] = []
        self._secrets = [
            value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST
        ]

    def write(self, text: str) -> None:
        """Add lines; a log that cannot be written stops nothing."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        added = [f"{now} {line}" for line in self.masked(text).split("\n")]
        self.lines = [*self.lines, *added][-_MOST:]
        if self.path is not None:
            self._append(added)

    def keep_in(self, path: Path) -> None:
        """Write what waits to a file, and everything from here on; the file may have an earlier part."""
        self.path = path
        self._append(self.lines)

    def masked(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
        return text

    def _append(self, lines: Sequence[str]) -> None:
        where, how = self.path or os.devnull, "backslashreplace"
        with contextlib.suppress(OSError), open(where, "a", encoding="utf-8", errors=how) as stream:
            stream.writelines(f"{line}\n" for line in lines)


class Logged:
    """A reporter that passes everything on and records what is said."""

    def __init__(self, report: Reporter, recorder: Recorder) -> None:
        self.report, self.recorder = report, recorder

    def say(self, text: str) -> None:
        """Record and pass on."""
        self.recorder.write(text)
        self.report.say(text)

    def detail(self, text: str) -> None:
        """Record and pass on."""
        self.recorder.write(text)
        self.report.detail(text)

    def begin(self, task: str, total: int | None = None) -> None:
        """Record and pass on."""
        self.recorder.write(task if total is None else f"{task} ({total:,})")
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


class _Handler(logging.Handler):
    """Records what libraries log, from warnings on; passes it on as logging would have without it."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(logging.WARNING)
        self.recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        self.recorder.write(f"[{record.levelname.lower()} of {record.name}] {text}")
        alone = all(isinstance(each, _Handler) for each in logging.getLogger().handlers)
        if alone and logging.lastResort is not None and record.levelno >= logging.lastResort.level:
            logging.lastResort.emit(record)


@contextlib.contextmanager
def recording(report: Reporter) -> Iterator[Reporter]:
    """Record a job: yields a reporter whose words are recorded, and so are warnings and the error it may end with."""
    recorder = Recorder()
    for line in header():
        recorder.write(line)
    handler, before = _Handler(recorder), warnings.showwarning

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *more: Any, **named: Any) -> None:
        recorder.write(f"[{category.__name__} at {filename}:{lineno}] {message}")
        before(message, category, filename, lineno, *more, **named)

    token = _CURRENT.set(recorder)
    logging.getLogger().addHandler(handler)
    warnings.showwarning = show
    try:
        yield Logged(report, recorder)
        recorder.write("Done")
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt | Interrupted)
        recorder.write("Stopped by the user" if stopped else "".join(traceback.format_exception(error)).rstrip())
        setattr(error, _ATTRIBUTE, recorder)
        raise
    finally:
        if warnings.showwarning is show:
            warnings.showwarning = before
        logging.getLogger().removeHandler(handler)
        _CURRENT.reset(token)


def keep_in(path: Path) -> None:
    """Tell the job that is being recorded, if one is, where its log belongs."""
    recorder = _CURRENT.get()
    if recorder is not None:
        recorder.keep_in(path)


def left_by(error: BaseException) -> Recorder | None:
    """The log of the job that an error ended; None if none was recorded."""
    return getattr(error, _ATTRIBUTE, None)


def header() -> Iterator[str]:
    """What was called, with which versions, where."""
    yield f"headstart {_version('headstart')}: {shlex.join(sys.argv)}"
    yield f"Python {platform.python_version()} on {platform.platform()}, in {Path.cwd()}"
    yield ", ".join(f"{name} {_version(name)}" for name in LIBRARIES if _version(name))
    for name, value in sorted(os.environ.items()):
        if VARIABLES.fullmatch(name):
            yield f"{name}={'***' if _SECRET_NAME.search(name) else value}"


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep what libraries warn of off the terminal; a recording inside still records it."""
    before: tuple[Any, Any] = warnings.showwarning, logging.lastResort
    warnings.showwarning = _ignore
    logging.lastResort = None
    try:
        yield
    finally:
        warnings.showwarning, logging.lastResort = before


def _ignore(*_: Any, **__: Any) -> None:
    """Show a warning nowhere."""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
