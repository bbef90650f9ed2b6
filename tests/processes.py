"""Real processes that run one command and may be killed at any moment; forked, so that each need not load torch."""

import ctypes
import multiprocessing
import os
import re
import sys
import time
from pathlib import Path

LIBRARIES = ["headstart.cli.shell", "headstart.api.fitting", "sklearn.svm", "timm", "torchvision", "tests.processes"]


def started(target, *args):
    """A process that calls a function of a test module."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    process = context.Process(target=target, args=args)
    process.start()
    return process


class Task:
    """A function in a process of its own."""

    def __init__(self, function, *args):
        self.process = started(function, *args)

    def wait(self, seconds=300) -> int:
        """The exit code; 0 if the function returned."""
        self.process.join(seconds)
        return self.process.exitcode


class Command:
    """``headstart WORDS`` in a process of its own; what it prints goes to a file.

    With ``denied`` it has no right that the permissions of files do not give it, even as root.
    """

    def __init__(self, words, told: Path, *, denied=False, **environment):
        self.told = told
        given = {name: str(value) for name, value in environment.items()}
        self.process = started(_run, [str(word) for word in words], str(told), given, denied)

    @property
    def output(self) -> str:
        return self.told.read_text(encoding="utf-8") if self.told.exists() else ""

    def wait(self, seconds=300) -> int:
        """The exit code."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"still running after {seconds} s: {self.output}"
        return self.process.exitcode

    def kill(self) -> bool:
        """SIGKILL; False if the process had ended by itself."""
        self.process.kill()
        self.process.join()
        return self.process.exitcode < 0

    def wait_for(self, log: Path, pattern: str, since: int, times: int = 1) -> bool:
        """Until the log has so many new lines that match; False if the process ends first."""
        while self.process.is_alive():
            text = log.read_bytes()[since:].decode(errors="replace") if log.exists() else ""
            if len(re.findall(pattern, text)) >= times:
                return True
            time.sleep(0.003)
        return False


def _drop_privileges():
    """No capability any more: root, too, is bound by the permissions of files (capset(2), version 3)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")


def _run(words, told, environment, denied):
    os.environ.update(environment)
    stream = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    if denied:
        _drop_privileges()
    from headstart.cli import shell

    sys.exit(shell.run(words))
