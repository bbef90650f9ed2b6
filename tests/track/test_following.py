"""What is told of a run directory as it grows, once each; and what becomes of a tracker that fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headstart.base import files
from headstart.base.errors import BadOption, Interrupted, RunError, UnknownName
from headstart.base.progress import Silent
from headstart.engine.journal import Journal
from headstart.track import following, markdown

HOSTILE = "</script><img onerror=alert(1)> | *x* [a](javascript:b)"


class Listening:
    """A tracker that keeps what it is told, and fails or sleeps where it is asked to."""

    def __init__(self, *, fails_at: str = "", sleeps: float = 0.0) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.fails_at, self.sleeps, self.place = fails_at, sleeps, "here"

    def _tell(self, *what: Any) -> None:
        time.sleep(self.sleeps)
        if what[0] == self.fails_at:
            raise ConnectionError("connection refused\nwith many lines")
        self.told.append(what)

    def start(self, name: str, run: str, handle: Mapping[str, Any]) -> Mapping[str, Any]:
        self._tell("start", name, run, dict(handle))
        return {"number": 7}

    def describe(self, values: Mapping[str, Any]) -> None:
        self._tell("describe", dict(values))

    def tag(self, values: Mapping[str, str]) -> None:
        self._tell("tag", dict(values))

    def measure(self, series: str, values: Mapping[str, float], step: int = 0) -> None:
        self._tell("measure", series, dict(values), step)

    def note(self, name: str, text: str) -> None:
        self._tell("note", name, text)

    def keep(self, path: Path) -> None:
        self._tell("keep", path.name)

    def flush(self) -> None:
        self._tell("flush")

    def close(self, state: str) -> None:
        self._tell("close", state)

    def all(self, kind: str) -> list[tuple[Any, ...]]:
        return [what[1:] for what in self.told if what[0] == kind]


class Hearing(Silent):
    """A reporter that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def trackers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Listening]]:
    """Trackers that ``begin`` gives in turn; a new one when there is none left."""
    waiting: list[Listening] = []

    def begin(_: str) -> Listening:
        given = waiting.pop(0) if waiting else Listening()
        if given.fails_at == "begin":
            raise ConnectionError("no route to host")
        return given

    room = SimpleNamespace(begin=begin, check=lambda where: None)
    monkeypatch.setattr(following.discovery, "load", lambda *_, **__: room)
    monkeypatch.setattr(following, "PAUSE", 0.02)
    yield waiting


def row(name: str, epochs: int) -> dict[str, Any]:
    curve = [{"phase": "all", "epoch": i + 1, "loss": 1 / (i + 1), "bad": None, "seconds": 0.5} for i in range(epochs)]
    return {"name": name, "curve": curve}


def candidate(name: str) -> dict[str, Any]:
    scores = {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}}
    return {"name": name, "kind": "transfer", "status": "measured", "scores": scores, "seconds": 2.0, "trainable": 5}


def begun(folder: Path, identity: str = "one") -> Journal:
    journal = Journal(folder / "run")
    journal.begin({"id": identity, "strategy": "auto", "options": {"rate": 0.1}, "metric": None})
    return journal


def wait_until(holds: Any) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)


def test_what_is_new_is_told_once_while_it_comes(tmp_path: Path, trackers: list[Listening]) -> None:
    tracker, heard = Listening(), Hearing()
    trackers.append(tracker)
    with following.followed(tmp_path / "m", ["any"], resume=False, report=heard):
        journal = begun(tmp_path / "m")
        wait_until(lambda: tracker.all("describe"))
        files.append_line(journal.epochs_at, {"fit": "a/final", **row("", 1)["curve"][0]})
        wait_until(lambda: tracker.all("measure"))
        files.append_line(journal.path / "journal.jsonl", row("a/final", 2))
        journal.epochs_at.unlink()
        journal.write("evidence", [candidate("a")])
        wait_until(lambda: len(tracker.all("measure")) == 3)
    assert tracker.all("start") == [("m", "one", {})]
    assert tracker.all("describe")[0] == ({"id": "one", "strategy": "auto", "options.rate": 0.1},)
    assert tracker.all("measure")[:2] == [
        ("fits/a/final", {"loss": 1.0, "seconds": 0.5}, 1),
        ("fits/a/final", {"loss": 0.5, "seconds": 0.5}, 2),
    ]
    series, values, _ = tracker.all("measure")[2]
    assert series == "evidence/a" and values["accuracy_low"] == 0.8 and values["trainable"] == 5
    assert tracker.all("close") == [("finished",)]
    assert heard.said == ["Tracked with any: here"]


def test_a_resumed_run_goes_on_with_its_record(tmp_path: Path, trackers: list[Listening]) -> None:
    first, second = Listening(), Listening()
    trackers += [first, second]
    with pytest.raises(Interrupted), following.followed(tmp_path, ["any:place"], resume=False, report=Silent()):
        journal = begun(tmp_path)
        files.append_line(journal.epochs_at, {"fit": "a", **row("", 2)["curve"][0]})
        wait_until(lambda: first.all("measure"))
        raise Interrupted("Stopped")
    assert first.all("close") == [("stopped",)]
    with following.followed(tmp_path, ["any:place"], resume=True, report=Silent()):
        # The fit went on from a checkpoint before its first epoch had ended.
        for each in row("", 2)["curve"]:
            files.append_line(journal.epochs_at, {"fit": "a", **each})
    assert second.all("start") == [(tmp_path.name, "one", {"number": 7})]
    assert [(series, step) for series, _, step in second.all("measure")] == [("fits/a", 2)]
    assert second.all("describe") == []


def test_a_run_that_is_about_to_be_replaced_is_not_told(tmp_path: Path, trackers: list[Listening]) -> None:
    tracker = Listening()
    trackers.append(tracker)
    begun(tmp_path, "old").write("evidence", [candidate("old")])
    with following.followed(tmp_path, ["any"], resume=False, report=Silent()):
        time.sleep(0.1)
        assert tracker.told == []
        begun(tmp_path, "new")
    assert tracker.all("start") == [(tmp_path.name, "new", {})]


@pytest.mark.parametrize("where", ["begin", "start", "describe", "measure", "flush", "close"])
def test_a_tracker_that_fails_is_named_once_and_costs_nothing(
    where: str, tmp_path: Path, trackers: list[Listening]
) -> None:
    broken, sound, heard = Listening(fails_at=where), Listening(), Hearing()
    trackers += [broken, sound]
    with following.followed(tmp_path, ["one", "two"], resume=False, report=heard):
        journal = begun(tmp_path)
        files.append_line(journal.path / "journal.jsonl", row("a", 2))
    about = [line for line in heard.said if line.startswith("Tracking with one stopped: ")]
    assert len(about) == 1 and "\n" not in about[0]
    assert f"headstart runs track {tmp_path.name} --to one tells what is missing" in about[0]
    assert sound.all("close") == [("finished",)] and "Tracked with two: here" in heard.said


def test_a_tracker_that_hangs_is_left_behind(
    tmp_path: Path, trackers: list[Listening], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "GRACE", 0.2)
    heard = Hearing()
    trackers.append(Listening(sleeps=3))
    started = time.monotonic()
    with following.followed(tmp_path, ["slow"], resume=False, report=heard):
        begun(tmp_path)
    assert time.monotonic() - started < 2.5
    assert heard.said == ["slow did not take the whole run within 0.2 s; it is left behind"]


def test_an_error_of_the_fit_is_not_swallowed(tmp_path: Path, trackers: list[Listening]) -> None:
    tracker = Listening()
    trackers.append(tracker)
    with pytest.raises(ZeroDivisionError), following.followed(tmp_path, ["any"], resume=False, report=Silent()):
        begun(tmp_path)
        raise ZeroDivisionError
    assert tracker.all("close") == [("failed",)]


def test_what_cannot_be_tracked_to_is_refused_before_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="did you mean mlflow"):
        following.check(["mlflo:http://127.0.0.1:1"])
    for where in ("mlflow:file:///tmp/x", "mlflow:runs/here"):
        with pytest.raises(BadOption, match="sqlite:///mlflow"):
            following.check([where])
    (tmp_path / "file").write_text("")
    for where in (f"tensorboard:{tmp_path / 'file'}", "tensorboard:http://127.0.0.1:6006"):
        with pytest.raises(BadOption, match="a folder"):
            following.check([where])
    with pytest.raises(BadOption, match="twice"):
        following.check(["tensorboard", "tensorboard"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///tmp/x")
    with pytest.raises(BadOption, match="plain folders"):
        following.check(["mlflow"])


def test_there_must_be_a_run_to_tell(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run"):
        following.tell(tmp_path, "tensorboard")


def test_names_stay_text_in_markdown() -> None:
    shown = markdown.table(["name"], [[HOSTILE]]).splitlines()
    assert len(shown) == 3 and "<" not in shown[2]
    assert shown[2].count("|") == 3 and r"\|" in shown[2] and r"\[a\]" in shown[2] and r"\*x\*" in shown[2]
    assert "<" not in markdown.evidence([candidate(HOSTILE)])
