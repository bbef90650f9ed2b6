"""The studio's jobs: commands of headstart in processes of their own, known by the files they leave.

A job is a folder in the cache:

job.json        what it is: kind, command, title, where its result goes, since when it is there
pid.json        the supervisor's process, which leads the job's process group
alive           locked as long as the supervisor or its command lives
started.json    since when the command runs; not there while the job waits for its turn
progress.jsonl  what the command reports (``base/events.py``)
out, err        what it printed
stop.json       it was asked to stop
ended.json      when and how it ended

Nothing about a job is kept in memory only, so any number of pages and studios see the same, and a studio that starts
finds what the last one left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base import files
from headstart.base.errors import BadOption, HeadstartError, UnknownName
from headstart.base.machine import cache_folder
from headstart.base.manifest import is_model
from headstart.base.run import Run
from headstart.studio.progress import Progress

ENDED = ("done", "failed", "stopped", "killed")
_NAME = re.compile(r"[0-9a-f]{12}")
_PRINTED = 64 * 2**20
"""Bytes of what a command printed that are read."""
KEPT = 200
"""Jobs that are kept; of more, the oldest that have ended are forgotten."""


def folder() -> Path:
    """Where the jobs lie."""
    return cache_folder() / "studio" / "jobs"


class Job:
    """One job, read from its folder.

    Args:
        name: its identity.

    Raises:
        UnknownName: no such job.
    """

    def __init__(self, name: str) -> None:
        self.name, self.path = name, folder() / name
        if not _NAME.fullmatch(name) or not (self.path / "job.json").is_file():
            raise UnknownName("job", name, ())
        self.about: dict[str, Any] = _read(self.path / "job.json")

    @property
    def kind(self) -> str:
        """ "check", "fit" or "export"."""
        return str(self.about.get("kind", ""))

    @property
    def output(self) -> Path | None:
        """Where its result goes, if it has a place of its own."""
        return Path(self.about["output"]) if self.about.get("output") else None

    @property
    def run(self) -> Run:
        """The run directory of a fit."""
        return Run((self.output or self.path) / "run")

    def state(self) -> str:
        """ "waiting", "running", "stopping", "done", "failed", "stopped" or "killed"."""
        ended, asked = _read(self.path / "ended.json"), (self.path / "stop.json").exists()
        if not ended and self.lives():
            return "stopping" if asked else "running" if (self.path / "started.json").exists() else "waiting"
        if ended.get("code") == 0 or (not ended and self._has_result()):
            return "done"
        if asked:
            return "stopped"
        return "failed" if ended.get("code", -1) > 0 else "killed"

    def lives(self) -> bool:
        """True as long as a process of it does."""
        try:
            with open(self.path / "alive", "rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def error(self) -> dict[str, Any] | None:
        """How a job that did not end well ended: ``what``, ``where``, ``expected``, ``next``; None for others."""
        state = self.state()
        told = self.printed() if state == "failed" else {}
        if state == "stopped":
            kept = "; what was computed is saved" if self.kind == "fit" and self.run.exists() else ""
            return {"what": f"Stopped{kept}"}
        if "what" in told:
            return {name: str(told.get(name, "")) for name in ("what", "where", "expected", "next")}
        if state == "failed":
            return {"what": "The command failed without a word", "where": _text(self.path / "err")[-2000:]}
        return _killed(_read(self.path / "ended.json").get("code")) if state == "killed" else None

    def printed(self) -> dict[str, Any]:
        """The last JSON object that the command printed: its result; empty if there is none."""
        return _last_object(self.path / "out")

    def view(self) -> dict[str, Any]:
        """What every list of jobs shows."""
        times = {name: _read(self.path / f"{name}.json").get("at") for name in ("started", "ended")}
        shown = {name: self.about.get(name) for name in ("kind", "title", "source", "output", "created", "said")}
        return {"id": self.name, "state": self.state(), **shown, **times}

    def stop(self, *, now: bool = False) -> None:
        """Interrupt it as Ctrl-C would, so that what was computed is saved; ``now`` kills it.

        Raises:
            BadOption: it has ended already.
        """
        if not self.lives() or _read(self.path / "ended.json"):
            raise BadOption("This job has ended already")
        leader = _read(self.path / "pid.json").get("pid")
        if leader is None:
            raise BadOption("This job is just being started", next_move="try again in a moment")
        files.write_json(self.path / "stop.json", {"at": time.time()})
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(leader), signal.SIGKILL if now else signal.SIGINT)

    def resume(self) -> None:
        """Go on with a fit that stopped, failed or was killed; what it computed is not computed again.

        Raises:
            BadOption: it has nothing to go on with.
        """
        if self.kind != "fit" or self.state() not in ("stopped", "failed", "killed"):
            raise BadOption("Only a fit that was stopped or failed can be continued")
        words = [word for word in self.about["command"] if word != "--resume"]
        start(self.path, {**self.about, "command": [*words, "--resume"] if self.run.exists() else words})

    def forget(self) -> None:
        """Remove the job's folder; its result stays where it is.

        Raises:
            BadOption: it is still at work.
        """
        if self.lives():
            raise BadOption("This job is still at work", next_move="stop it first")
        shutil.rmtree(self.path, ignore_errors=True)

    def _has_result(self) -> bool:
        """True if the work was done though nobody wrote that down: its supervisor was killed."""
        return self.kind == "fit" and self.output is not None and is_model(self.output)


_CHILDREN: list[subprocess.Popen[bytes]] = []
_FOLLOWED: dict[str, Progress] = {}


def create(
    kind: str, verb: Sequence[str], *, title: str, output: Path | None = None, queue: bool = False, **more: Any
) -> Job:
    """Begin a job.

    Args:
        kind: "check", "fit" or "export".
        verb: what follows ``headstart``; the options for a page's needs are added.
        title: how a list names it.
        output: where its result goes.
        queue: one after the other with all such jobs.
        more: plain data to keep with it.
    """
    name = uuid.uuid4().hex[:12]
    path = folder() / name
    told = ["--json", "--quiet", "--progress", str(path / "progress.jsonl")]
    about = {
        **more,
        "kind": kind,
        "title": title,
        "said": ["headstart", *verb],
        "command": [sys.executable, "-m", "headstart", *verb, *told],
        "cwd": str(Path.cwd()),
        "output": None if output is None else str(output),
        "turn": str(folder().parent / "turn") if queue else "",
        "created": time.time(),
    }
    path.mkdir(parents=True)
    start(path, about)
    _tidy()
    return Job(name)


def start(path: Path, about: Mapping[str, Any]) -> None:
    """Start a job's supervisor, or start it again; the job is locked from its first moment on.

    Args:
        path: the job's folder.
        about: what ``job.json`` is to hold.

    Raises:
        BadOption: it is at work already.
    """
    with open(path / "alive", "ab") as alive:
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadOption("This job is at work already") from error
        for name in ("ended", "started", "stop", "pid"):
            (path / f"{name}.json").unlink(missing_ok=True)
        files.write_json(path / "job.json", about)
        command = [sys.executable, "-m", "headstart.studio.supervisor", str(path), str(alive.fileno())]
        with open(path / "supervisor", "wb") as told:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
                pass_fds=(alive.fileno(),),
            )
        files.write_json(path / "pid.json", {"pid": process.pid})
        _CHILDREN.append(process)


def every() -> list[Job]:
    """All jobs, the newest first."""
    # A child that has ended stays in the system's table until it is asked.
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
    found = []
    for path in folder().glob("*/job.json"):
        with contextlib.suppress(HeadstartError):
            found.append(Job(path.parent.name))
    return sorted(found, key=lambda job: float(job.about.get("created") or 0), reverse=True)


def ahead(job: Job) -> list[str]:
    """Titles of the jobs that a waiting one waits for, the one at work first."""
    if job.state() != "waiting":
        return []
    return [each.about["title"] for each in _older(job) if each.state() not in ENDED]


def is_next(job: Job) -> bool:
    """True if no older job waits for the same turn: a lock alone lets in whoever comes first."""
    return all(each.state() != "waiting" for each in _older(job))


def _older(job: Job) -> list[Job]:
    """The jobs before this one that share its turn, the oldest first."""
    turn, since = job.about.get("turn"), job.about["created"]
    return [each for each in reversed(every()) if each.about.get("turn") == turn and each.about["created"] < since]


def progress(job: Job) -> Mapping[str, Any]:
    """How far a job is, as ``Progress.look`` says it."""
    return _FOLLOWED.setdefault(job.name, Progress(job.path / "progress.jsonl")).look()


def _tidy() -> None:
    for job in every()[KEPT:]:
        with contextlib.suppress(BadOption):
            job.forget()
            _FOLLOWED.pop(job.name, None)


def _killed(code: int | None) -> dict[str, Any]:
    if code == -signal.SIGKILL:
        what = "The system ended the process without a warning, most often because memory ran out"
    elif code is not None and code < 0:
        what = f"The process was ended by a signal: {signal.Signals(-code).name}"
    else:
        what = "The process is gone: it was killed, or the machine was restarted"
    return {"what": what, "next": "Close other programs if memory is short, then continue: what was computed is kept"}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _last_object(path: Path) -> dict[str, Any]:
    for line in reversed(_text(path).splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read(_PRINTED).decode("utf-8", "replace")
    except OSError:
        return ""
