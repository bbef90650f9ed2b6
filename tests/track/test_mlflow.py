"""A real MLflow server over SQLite on this machine: what it holds of a run, and what happens when it goes away."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart.base.progress import Silent
from headstart.base.run import Run
from headstart.cli.shell import run as run_cli
from headstart.ship.sealed import load

pytestmark = pytest.mark.slow


class Server:
    """``mlflow server`` in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        words = ["server", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--host", "127.0.0.1"]
        words += ["--port", self.address.rpartition(":")[2], "--workers", "1", "--artifacts-destination", str(folder)]
        quiet = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        self.log = folder / "server.log"
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words],
                env=quiet,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        ends = time.monotonic() + 120
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < ends, self.log.read_text()
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, path: str, **body: Any) -> Any:
        """An answer of its REST interface, past MLflow's own client."""
        request = urllib.request.Request(f"{self.address}/api/2.0/mlflow/{path}", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def runs(self) -> list[dict[str, Any]]:
        found = self.ask("experiments/search", max_results=10)["experiments"]
        (number,) = (each["experiment_id"] for each in found if each["name"] == "headstart")
        runs: list[dict[str, Any]] = self.ask("runs/search", experiment_ids=[number]).get("runs", [])
        return runs


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("mlflow"))
    yield started
    started.kill()


def named(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in found}


def history(server: Server, run: str, key: str) -> list[tuple[int, float]]:
    query = f"{server.address}/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key={key}"
    with urllib.request.urlopen(query, timeout=20) as answer:
        return [(each["step"], each["value"]) for each in json.load(answer)["metrics"]]


class Killing(Silent):
    """Kills the server when training begins, and keeps what is said."""

    def __init__(self, server: Server) -> None:
        self.server, self.said = server, list[str]()

    def begin(self, task: str, total: int | None = None) -> None:
        if task.startswith("train"):
            self.server.kill()

    def say(self, text: str) -> None:
        self.said.append(text)


def test_a_server_holds_parameters_curves_scores_verdict_and_card(
    server: Server, quick: Callable[..., hs.Model], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = quick(tmp_path / "flowers", track=["mlflow:" + server.address])
    run = Run(tmp_path / "flowers" / "run")
    (found,) = server.runs()
    info, data = found["info"], found["data"]
    assert (info["run_name"], info["status"]) == ("flowers", "FINISHED")
    parameters, metrics, tags = (named(data[kind]) for kind in ("params", "metrics", "tags"))
    assert parameters["strategy"] == "partial" and parameters["options.rate"] == "0.01"
    assert parameters["data.digest"] == run.config["data"] and parameters["plan.partial_2.epochs"] == "3"
    assert metrics["test/accuracy"] == pytest.approx(model.verdict["tests"]["winner"]["accuracy"]["value"])
    assert metrics["evidence/partial_2/log_loss_low"] == run.evidence[0]["scores"]["log_loss"]["low"]
    assert tags["headstart.run"] == run.config["id"] and tags["headstart.candidate"] == "partial@2"
    assert model.verdict["sentence"].split(":")[0] in tags["mlflow.note.content"]
    for fit in run.journal:
        points = history(server, info["run_id"], f"fits/{fit['name'].replace('@', '_')}/loss")
        assert points == [(row["epoch"], row["loss"]) for row in fit["curve"]]
    address = f"{server.address}/api/2.0/mlflow/artifacts/list?run_id={info['run_id']}"
    with urllib.request.urlopen(address, timeout=20) as answer:
        kept = {each["path"] for each in json.load(answer)["files"]}
    assert {"MODEL_CARD.md", "evidence.md", "verdict.md"} <= kept and "weights.safetensors" not in kept
    # Again, with the weights: nothing twice, and they are there.
    assert run_cli(["runs", "track", str(tmp_path / "flowers"), "--to", f"mlflow:{server.address}", "--weights"]) == 0
    assert f"{server.address}/#/experiments/" in capsys.readouterr().out
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert "weights.safetensors" in {each["path"] for each in json.load(answer)["files"]}
    again = history(server, info["run_id"], f"fits/{fit['name'].replace('@', '_')}/loss")
    assert again == points and len(server.runs()) == 1


def test_a_server_that_was_never_there_is_said_and_the_fit_goes_on(
    quick: Callable[..., hs.Model], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"mlflow:http://127.0.0.1:{free.getsockname()[1]}"
    assert run_cli(["runs", "track", str(tmp_path), "--to", nowhere]) == 1
    assert "There is no run" in capsys.readouterr().err
    quick(tmp_path / "m", track=nowhere)
    assert load(tmp_path / "m").verdict["sentence"]
    assert "Tracking with mlflow stopped" in (tmp_path / "m" / "run" / "log.txt").read_text()


def test_a_server_that_is_killed_in_mid_fit_does_not_stop_it(
    server: Server, quick: Callable[..., hs.Model], tmp_path: Path
) -> None:
    """The last test here: the server does not come back."""
    told = Killing(server)
    quick(tmp_path / "m", epochs=12, track=f"mlflow:{server.address}", report=told)
    assert server.process.poll() is not None and load(tmp_path / "m").verdict["sentence"]
    about = [line for line in told.said if line.startswith("Tracking with mlflow stopped: ")]
    assert len(about) == 1 and "Tracked with" not in "".join(told.said)
