"""A real studio: the command in a process of its own, and a real browser before it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import browser

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE = 60_000
"""Milliseconds that a page may take on a busy machine."""


@dataclass
class Studio:
    """A running ``headstart studio``.

    Attributes:
        root: the folder it was started for.
        cache: headstart's cache.
        address: what it printed.
    """

    root: Path
    cache: Path
    address: str = ""
    process: Any = field(default=None, repr=False)

    @property
    def base(self) -> str:
        return self.address.partition("?")[0]

    @property
    def cookie(self) -> str:
        port = self.base.rstrip("/").rpartition(":")[2]
        return f"headstart-studio-{port}={self.address.partition('token=')[2]}"

    def start(self) -> None:
        command = [sys.executable, "-m", "headstart", "studio", str(self.root), "--no-open"]
        environment = {**os.environ, "HEADSTART_CACHE": str(self.cache)}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.root, env=environment
        )
        line = self.process.stdout.readline()
        assert line.startswith("Studio:"), line + self.process.stderr.read()
        self.address = line.split()[1]

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def ask(self, path: str, data: Any = None) -> Any:
        """What the page would get, or a change as the page would make it."""
        headers = {"cookie": self.cookie, "origin": self.base.rstrip("/"), "content-type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.base.rstrip("/") + path, body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def fit(self, source: Path, to: str, **options: Any) -> str:
        """Start a fit; its job's name."""
        wanted = {"source": str(source), "output": str(self.root / to), "options": {"seed": 0, **options}}
        return str(self.ask("/api/fits", wanted)["id"])

    def wait(self, job: str, *states: str, seconds: float = 150) -> dict[str, Any]:
        """Until a job is in one of the states."""
        for _ in range(int(seconds * 5)):
            seen: dict[str, Any] = self.ask(f"/api/jobs/{job}")
            if seen["state"] in states:
                return seen
            assert seen["state"] not in ("done", "failed", "stopped", "killed"), seen
            time.sleep(0.2)
        raise AssertionError(f"{job} is still {seen['state']}")

    def command_of(self, job: str) -> int:
        """The process of a job's command."""
        leader = json.loads((self.cache / "studio" / "jobs" / job / "pid.json").read_text())["pid"]
        found = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        return int(found[0])


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Iterator[Studio]:
    """A studio for a folder with ``photos``, one of whose labels is wrong."""
    place = tmp_path_factory.mktemp("studio").resolve()
    root = place / "root"
    photos = write_shapes(root / "photos", per_class=20)
    first = min((photos / "disc").iterdir())
    first.rename(photos / "checks" / f"odd-{first.name}")
    running = Studio(root, place / "cache")
    running.start()
    yield running
    if running.process.poll() is None:
        assert running.end() == 0, running.process.stderr.read()


@pytest.fixture(scope="module")
def model(studio: Studio) -> str:
    """A model that was fitted in the studio; the word that stands for it in addresses."""
    job = studio.fit(studio.root / "photos", "shapes", strategy="probe", budget="5s")
    return str(studio.wait(job, "done")["model"])


@pytest.fixture
def look(studio: Studio) -> Iterator[Callable[..., Any]]:
    """Opens pages of the studio; the test fails if a script of theirs complains.

    That an answer was a refusal is also a complaint of the browser's, and no fault.
    """
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def opened(path: str = "", **context: Any) -> Any:
            page = stack.enter_context(browser.page(errors=errors, flags=CAMERA, **context))
            page.set_default_timeout(PATIENCE)
            page.goto(studio.address)
            page.wait_for_selector(".top")
            if path:
                page.goto(f"{studio.base}#/{path}")
            return page

        yield opened
    assert [error for error in errors if "responded with a status of 4" not in error] == []
