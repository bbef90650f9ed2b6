"""What every test gets: a cache of its own run, no network, and small pictures to learn from."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Before any library is imported: they read these once. Subprocesses inherit them.
_CACHE = tempfile.TemporaryDirectory(prefix="headstart-tests-")
os.environ["HEADSTART_CACHE"] = _CACHE.name
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A busy machine makes a correct example slow; how long something takes is no test's business.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """A connection beyond this machine fails at once, so no test can come to need one."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1", "localhost"):
            connect(self, address)
            return
        raise OSError(f"tests run without a network; {address} was asked for")

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", refuse)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Iterator[None]:
    """SIGINT interrupts, here and in every child, also where the shell that began the tests has it ignored.

    A shell does so for what it starts in the background, and a process inherits it, unlike a handler.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def write_shapes() -> Callable[..., Path]:
    """A function that writes a small, learnable picture folder: stripes, checks and discs in many colours."""
    import numpy as np
    from PIL import Image

    def write(folder: Path, per_class: int = 12, size: int = 24, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:size, :size]
        for name in ("checks", "disc", "stripes"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(per_class):
                step, shift = int(rng.integers(3, 6)), int(rng.integers(0, 6))
                radius = size * rng.uniform(0.2, 0.4)
                ink = {
                    "checks": ((x + shift) // step + (y + shift) // step) % 2 == 0,
                    "disc": np.hypot(x - size / 2 + shift - 3, y - size / 2) < radius,
                    "stripes": ((x + shift) // step) % 2 == 0,
                }[name]
                paper, colour = rng.uniform(0, 90, 3), rng.uniform(140, 250, 3)
                picture = np.where(ink[..., None], colour, paper) + rng.normal(0, 6, (size, size, 3))
                image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
                image.save(folder / name / f"{name}-{number:03d}.png")
        return folder

    return write
