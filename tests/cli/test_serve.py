"""``headstart serve``: what it prints works as it is printed; what cannot be is said before anything is loaded."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from headstart.cli.shell import run
from tests.processes import Command
from tests.ship.conftest import CLASSES

Captured = pytest.CaptureFixture[str]


def printed(model: Path, told: Path, *words: str, **environment: str) -> tuple[Command, dict[str, str]]:
    """A server that tells a person, and what it told: the word before the colon -> the rest of the line."""
    command = Command(["serve", model, "--port", "0", "--threads", "1", *words], told, **environment)
    until = time.monotonic() + 120
    while "Stop:" not in command.output and command.process.is_alive() and time.monotonic() < until:
        time.sleep(0.02)
    assert "Stop:" in command.output, command.output
    lines = (line.partition(":") for line in command.output.splitlines() if ":" in line)
    return command, {word: rest.strip() for word, _, rest in lines}


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
@pytest.mark.parametrize("secret", ["", "a-token-of-the-users-own"])
def test_the_command_it_prints_works_as_it_is(model_folder: Path, tmp_path: Path, secret: str) -> None:
    told = tmp_path / "told.txt"
    environment = {"HEADSTART_TOKEN": secret} if secret else {}
    command, said = printed(model_folder, told, **environment)
    done = subprocess.run(
        ["bash", "-c", said["Try"]],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert json.loads(done.stdout)["label"] in CLASSES
    assert secret not in command.output or not secret
    command.process.terminate()
    assert command.wait(60) == 0


def test_a_port_that_is_taken_is_said_before_the_model_is_loaded(tmp_path: Path, capsys: Captured) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run(["serve", str(tmp_path / "no-model"), "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Error: Port {port} is taken") and "--port 0" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-batch", "0"], "batch"),
        (["--max-wait", "5 parsecs"], "Max wait"),
        (["--max-wait", "2s"], "longest wait"),
        (["--max-body", "0"], "body"),
        (["--max-size", "0"], "item"),
        (["--timeout", "0"], "Timeout"),
        (["--max-items", "500"], "queue"),
        (["--precision", "float8"], "Precision"),
        (["--threads", "-1"], "threads"),
        (["--port", "99999"], "no port"),
        (["--host", "no.such.host.invalid"], "no host"),
        (["--token", "short"], "guessed"),
    ],
)
def test_an_impossible_option_is_said(model_folder: Path, words: list[str], said: str, capsys: Captured) -> None:
    assert run(["serve", str(model_folder), "--port", "0", *words]) == 2
    assert said in capsys.readouterr().err


def test_no_model_is_told_in_words(tmp_path: Path, capsys: Captured) -> None:
    assert run(["serve", str(tmp_path), "--port", "0"]) == 1
    assert "manifest.json" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["fastapi", "prometheus_client"])
def test_a_missing_extra_is_named(
    model_folder: Path, library: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    found = importlib.util.find_spec

    def without(name: str, *given: Any) -> Any:
        return None if name == library else found(name, *given)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    assert run(["serve", str(model_folder)]) == 1
    told = capsys.readouterr().err
    assert library.replace("_", "-") in told and "pip install 'headstart[serve]'" in told
