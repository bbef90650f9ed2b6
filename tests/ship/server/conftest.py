"""Servers to talk to: a real process with a real client, or one in this process whose network can be made slow."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from headstart.base.progress import Silent
from headstart.ship.sealed import Model, load
from headstart.ship.server.limits import Limits
from headstart.ship.server.running import Place, Server
from tests.processes import Command
from tests.ship.conftest import _original, model_folder, network, pictures, watched

__all__ = ["_original", "model_folder", "network", "pictures", "watched"]


class Process:
    """``headstart serve`` in a process of its own.

    Attributes:
        url: where it answers.
        command: the process.
        token: that it made; empty if none.
    """

    def __init__(self, model: Path, told: Path, *words: str, **environment: str) -> None:
        given = ["serve", model, "--port", "0", "--json", "--threads", "1", *words]
        self.command = Command(given, told, **environment)
        until = time.monotonic() + 120
        while not (line := next((each for each in self.command.output.splitlines() if each.startswith("{")), "")):
            assert self.command.process.is_alive() and time.monotonic() < until, self.command.output
            time.sleep(0.02)
        said = json.loads(line)
        self.url, self.token = said["url"], said.get("token", "")

    @property
    def pid(self) -> int:
        """Of the process."""
        return int(self.command.process.pid)

    def client(self, **given: Any) -> httpx.Client:
        """A client of it."""
        return httpx.Client(base_url=self.url, timeout=60, **given)

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.command.process.terminate()
        return self.command.wait(60)


Starter = Callable[..., Process]


@pytest.fixture
def start(model_folder: Path, tmp_path: Path) -> Iterator[Starter]:
    """A function that starts a server; all are ended with the test."""
    started: list[Process] = []

    def begin(*words: str, model: Path = model_folder, **environment: str) -> Process:
        started.append(Process(model, tmp_path / f"told{len(started)}.txt", *words, **environment))
        return started[-1]

    yield begin
    for each in started:
        if each.command.process.is_alive():
            each.command.kill()


@pytest.fixture(scope="session")
def shared(_original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that nobody changes, with small limits."""
    told = tmp_path_factory.mktemp("served") / "told.txt"
    words = ("--max-body", "1", "--max-items", "8", "--max-size", "1000000", "-v")
    process = Process(_original, told, *words)
    yield process
    assert process.end() == 0, process.command.output


@pytest.fixture
def client(shared: Process) -> Iterator[httpx.Client]:
    """A client of the shared server."""
    with shared.client() as found:
        yield found


@pytest.fixture(scope="session")
def picture(pictures: Path) -> bytes:
    """The bytes of one picture."""
    return sorted(pictures.rglob("*.png"))[0].read_bytes()


class Here(Silent):
    """A server in this process, on a real socket; its network may be told to take its time.

    Attributes:
        prepared, batches: what was decoded, and the sizes of the forward passes.
        busy: while set to False, the network waits.
    """

    def __init__(self, model: Model, **limits: Any) -> None:
        self.lines: list[str] = []
        self.prepared, self.batches = 0, []
        self.go = threading.Event()
        self.go.set()
        self.broken: Exception | None = None
        scorer = model.scorer
        prepare, judging = scorer.prepare, scorer.judging

        def counted(item: Any) -> np.ndarray:
            self.prepared += 1
            return prepare(item)

        def slowly(precision: str) -> Any:
            judge = judging(precision)

            def run(rows: Any) -> np.ndarray:
                self.go.wait(60)
                if self.broken is not None:
                    raise self.broken
                self.batches.append(len(rows))
                return judge(rows)

            return run

        scorer.prepare, scorer.judging = counted, slowly  # type: ignore[method-assign]
        token = limits.pop("token", "")
        self.server = Server(model, Place("127.0.0.1", 0), Limits(**limits), token=token, threads=1, report=self)
        self.url = self.server.url
        self.cut: list[int] = []

    def say(self, text: str) -> None:
        """Keep the line."""
        self.lines.append(text)

    detail = say

    @contextlib.contextmanager
    def running(self) -> Iterator[Here]:
        """While it answers."""
        started = threading.Event()
        thread = threading.Thread(target=lambda: self.cut.append(self.server.run(started.set)), daemon=True)
        thread.start()
        assert started.wait(60)
        self.batches.clear()
        try:
            yield self
        finally:
            self.go.set()
            with contextlib.suppress(RuntimeError):  # the test may have stopped it, and its loop is closed
                self.server.stop()
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def here(model_folder: Path) -> Callable[..., Here]:
    """A function that makes a server in this process; keyword arguments are its limits."""
    return lambda **limits: Here(load(model_folder), **limits)
