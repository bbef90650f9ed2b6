"""MLflow: a run on a tracking server, mlflow:http://HOST:PORT, or in a database, mlflow:sqlite:///mlflow.db.

Without an address it goes where MLFLOW_TRACKING_URI says, else to mlflow.db in this folder. Its experiment is called
headstart unless MLFLOW_EXPERIMENT_NAME says otherwise. Names and passwords belong into MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD. MLflow reports the use of its API to its makers by default; that is off here.
"""

from __future__ import annotations

import importlib.util
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.base.errors import BadOption, MissingExtra
from headstart.track.tracker import State

EXPERIMENT = "headstart"
LOCAL = "sqlite:///mlflow.db"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}
PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""A server that is gone shall be known to be gone within a minute; MLflow itself would wait for many."""
AT_ONCE = 900
"""Metrics in a request; MLflow takes 1,000."""
LONGEST = 500
"""Letters of a parameter."""
_ENDS: Mapping[State, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


def check(where: str) -> None:
    """Refuse a place that MLflow refuses.

    Raises:
        MissingExtra: without MLflow.
        BadOption: a folder, or no address at all.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise MissingExtra("mlflow", "mlflow")
    address = where or os.environ.get("MLFLOW_TRACKING_URI", LOCAL)
    if address.startswith("file:") or ("://" not in address and not address.startswith("databricks")):
        raise BadOption(
            f"MLflow keeps no runs in plain folders any more: {address}",
            where="--track mlflow",
            expected="mlflow:http://HOST:PORT or mlflow:sqlite:///mlflow.db",
        )


def begin(where: str) -> Record:
    """Reach a server or a database, "" for the one that the environment names, and find the experiment in it."""
    for variable, value in (QUIET | PATIENCE).items():
        os.environ.setdefault(variable, value)
    from mlflow.tracking import MlflowClient

    address = where or os.environ.get("MLFLOW_TRACKING_URI", LOCAL)
    client = MlflowClient(tracking_uri=address)
    title = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    experiment = client.get_experiment_by_name(title)
    number = experiment.experiment_id if experiment else client.create_experiment(title)
    return Record(client, str(number), address)


class Record:
    """One run of an experiment; numbers wait until ``flush``, for every request takes its time.

    Args:
        client: of a server.
        experiment: its number there.
        address: of the server.
    """

    def __init__(self, client: Any, experiment: str, address: str) -> None:
        self._client, self._experiment, self._address = client, experiment, address
        self._run, self.place = "", ""
        self._metrics: list[Any] = []

    def start(self, name: str, run: str, handle: Mapping[str, Any]) -> Mapping[str, Any]:
        """A new run, or an earlier one that is running again."""
        if handle:
            self._run = str(handle["run"])
            self._client.update_run(self._run, status="RUNNING")
        else:
            tags = {"headstart.run": run, "mlflow.source.name": "headstart fit"}
            self._run = str(self._client.create_run(self._experiment, run_name=name, tags=tags).info.run_id)
        shown = re.sub(r"(://)[^/@]+@", r"\1", self._address).rstrip("/")
        page = f"/#/experiments/{self._experiment}/runs/{self._run}"
        self.place = shown + page if self._address.startswith("http") else f"{shown}, run {self._run}"
        return {"run": self._run}

    def describe(self, values: Mapping[str, Any]) -> None:
        """Parameters."""
        from mlflow.entities import Param

        found = [Param(_key(name), str(value)[:LONGEST]) for name, value in values.items()]
        for start in range(0, len(found), 100):
            self._client.log_batch(self._run, params=found[start : start + 100])

    def tag(self, values: Mapping[str, str]) -> None:
        """Tags."""
        for name, value in values.items():
            self._client.set_tag(self._run, _key(name), value)

    def measure(self, series: str, values: Mapping[str, float], step: int = 0) -> None:
        """Metrics called ``series/name``, which its pages group by series."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self._metrics += [Metric(_key(f"{series}/{name}"), value, now, step) for name, value in values.items()]

    def note(self, name: str, text: str) -> None:
        """A text file; the verdict is also what the run's page begins with."""
        self._client.log_text(self._run, text, f"{_key(name)}.md")
        if name == "verdict":
            self._client.set_tag(self._run, "mlflow.note.content", text)

    def keep(self, path: Path) -> None:
        """An artifact."""
        self._client.log_artifact(self._run, str(path))

    def flush(self) -> None:
        """Send the numbers."""
        while self._metrics:
            self._client.log_batch(self._run, metrics=self._metrics[:AT_ONCE])
            del self._metrics[:AT_ONCE]

    def close(self, state: State) -> None:
        """Say how it ended."""
        self._client.set_terminated(self._run, status=_ENDS[state])


def _key(name: str) -> str:
    """A name with nothing in it that MLflow does not allow in names."""
    return re.sub(r"[^\w\-./ ]", "_", name)[:250]
