"""A process beside each job of the studio: it waits for its turn, runs one command, and writes down how that ended.

    python -m headstart.studio.supervisor FOLDER ALIVE

It belongs to no server, so a job outlives the page, the browser and the studio. ``FOLDER`` is the job's, as ``jobs.py``
describes it. ``ALIVE`` is a file descriptor that holds a lock: as long as this process or its command lives, so does
the lock, and anybody can tell. A job that has a ``turn`` holds that file's lock too, so that such jobs run one by one,
the oldest first.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from headstart.base import files
from headstart.studio import jobs

PAUSE = 0.1
"""Seconds that a job gives older ones to take their turn."""


class _Impatient(Exception):
    """Stopped before its turn came."""


class Supervisor:
    """One job from its place in the queue to its end.

    Args:
        folder: of the job.
        alive: descriptor of its lock.
    """

    def __init__(self, folder: Path, alive: int) -> None:
        self.folder, self.alive = folder, alive
        self.waiting = self.stopped = False
        # Ctrl-C goes to the whole group, the command included; this process has to see how that ends.
        signal.signal(signal.SIGINT, self._stop)

    def run(self) -> None:
        """Wait, run, write the ending down."""
        about = json.loads((self.folder / "job.json").read_text(encoding="utf-8"))
        turn = os.open(about["turn"] or os.devnull, os.O_RDWR | os.O_CREAT, 0o600)
        code = None
        if self._has_turn(turn if about["turn"] else None):
            code = self._command(about, turn)
        files.write_json(self.folder / "ended.json", {"at": time.time(), "code": code})
        for lock in (turn, self.alive):
            # Not left to the closing: a process that the command left behind may hold them open.
            fcntl.flock(lock, fcntl.LOCK_UN)

    def _has_turn(self, turn: int | None) -> bool:
        """Wait until no other job has the lock; False if this one was stopped before."""
        try:
            self.waiting = True
            if self.stopped:
                return False
            while turn is not None:
                fcntl.flock(turn, fcntl.LOCK_EX)
                if jobs.is_next(jobs.Job(self.folder.name)):
                    break
                fcntl.flock(turn, fcntl.LOCK_UN)
                time.sleep(PAUSE)
            self.waiting = False
        except _Impatient:
            return False
        return True

    def _command(self, about: dict[str, Any], turn: int) -> int:
        """The command's exit code; minus the signal's number where one killed it."""
        files.write_json(self.folder / "started.json", {"at": time.time()})
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            child = subprocess.Popen(
                about["command"],
                cwd=about["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=(self.alive, turn),
            )
            if self.stopped:
                child.send_signal(signal.SIGINT)
            return child.wait()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopped = True
        if self.waiting:
            self.waiting = False
            raise _Impatient


if __name__ == "__main__":
    Supervisor(Path(sys.argv[1]), int(sys.argv[2])).run()
