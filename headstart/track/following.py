"""A run directory followed while the run goes, and told to trackers.

The engine knows no tracker: it writes plain files, and a thread of its own for each tracker reads what is new in them
every few seconds, so a slow server costs the fit nothing. What was told is noted in the run directory; a run that is
resumed goes on with the same record and tells nothing twice. A tracker that fails is named once and left out.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base import discovery, files, hashes, manifest
from headstart.base.errors import BadOption, HeadstartError, Interrupted, RunError
from headstart.base.progress import Reporter
from headstart.base.run import Run
from headstart.track import markdown
from headstart.track.tracker import State, Tracker

PAUSE = 2.0
"""Seconds between two looks."""
GRACE = 30.0
"""Seconds that a finished fit waits for a tracker to take the rest."""
ARTIFACTS = (manifest.CARD, "report.html")
"""Files of a finished model that go with it, where they are there."""
_LONGEST = 200


def check(tracks: Sequence[str]) -> None:
    """Refuse what cannot be tracked to, before anything is computed.

    Raises:
        UnknownName, BadOption, MissingExtra: naming the tracker.
    """
    for track in tracks:
        name, where = _parts(track)
        discovery.load("track", name, kind="tracker").check(where)
    if len(set(tracks)) < len(tracks):
        raise BadOption("A tracker is given twice", where="--track", expected="each once")


@contextlib.contextmanager
def followed(folder: Path, tracks: Sequence[str], *, resume: bool, report: Reporter) -> Iterator[None]:
    """Follow the run that begins in ``folder`` while the block runs.

    Args:
        folder: the model's folder; its run need not have begun.
        tracks: such as "tensorboard:runs" and "mlflow:http://127.0.0.1:5000".
        resume: the run that is there already is the one that goes on.
        report: told where the run can be seen, and which tracker failed.
    """
    run = Run(folder / "run")
    stale = "" if resume else _id(run)
    threads = []
    for track in tracks:
        follower = _Follower(folder, track, stale=stale)
        try:
            follower.reach()
        except Exception as error:  # a tracker's client raises whatever its libraries raise
            report.say(follower.left_out(error))
            continue
        threads.append(_Thread(follower, report))
        threads[-1].start()
    state: State = "failed"
    try:
        yield
        state = "finished"
    except (KeyboardInterrupt, Interrupted):
        state = "stopped"
        raise
    finally:
        for thread in threads:
            thread.finish(state)


def tell(folder: Path, track: str, *, weights: bool = False) -> str:
    """Tell a run that is there to a tracker; what it was told before is not told again.

    Args:
        folder: the model's folder.
        track: as ``followed`` takes it.
        weights: also send the weights.

    Returns:
        Where it can be seen.

    Raises:
        RunError: there is no run, or the tracker does not take it.
        UnknownName, BadOption, MissingExtra: naming the tracker.
    """
    check([track])
    follower = _Follower(folder, track)
    if not follower.run.exists():
        raise RunError(f"There is no run in {folder}", expected="a folder that headstart fit wrote")
    finished = manifest.is_model(folder)
    try:
        follower.reach()
        follower.look()
        follower.end("finished" if finished else "stopped", extra=(manifest.WEIGHTS,) if weights else ())
    except HeadstartError:
        raise
    except Exception as error:  # a tracker's client raises whatever its libraries raise
        raise RunError(
            f"{follower.name} does not take the run: {_why(error)}",
            where=follower.shown,
            next_move="see that it is running and that its address is right, then again",
        ) from error
    return follower.place


class _Follower:
    """What is new in a run directory, for one tracker."""

    def __init__(self, folder: Path, track: str, *, stale: str = "") -> None:
        self.folder, self.run, self.track, self._stale = folder, Run(folder / "run"), track, stale
        self.name, self._where = _parts(track)
        self._tracker: Tracker | None = None
        self._started = False
        # The address may hold a password, and a run directory is often given away: its digest tells records apart.
        self._note = self.run.path / f"tracked-{self.name}-{hashes.of_texts([track])[:8]}.json"
        self._told: dict[str, Any] = {}
        self._kept = ""
        self._seen: dict[str, tuple[int, int]] = {}

    @property
    def place(self) -> str:
        """Where a person finds it; "" before anything was told."""
        return self._tracker.place if self._tracker else ""

    def reach(self) -> None:
        """Load the tracker's library, and find its server."""
        self._tracker = discovery.load("track", self.name, kind="tracker").begin(self._where)

    def left_out(self, error: Exception) -> str:
        """What is said of a tracker that fails."""
        return (
            f"Tracking with {self.name} stopped: {_why(error)}. The fit goes on; later, headstart runs track "
            f"{self.folder.name} --to {self.shown} tells what is missing"
        )

    @property
    def shown(self) -> str:
        """The tracker as the user named it, without a password."""
        return re.sub(r"(://)[^/@\s]+@", r"\1", self.track)

    def look(self) -> None:
        """Tell what is new, if the run has begun."""
        tracker = self._tracker
        if tracker is None or _id(self.run) in ("", self._stale):
            return
        if not self._started:
            self._start(tracker)
        for group in ("config", "data", "machine", "plan"):
            if self._changed(f"{group}.json"):
                self._describe(tracker, group)
        if self._changed("journal.jsonl") | self._changed("running.jsonl"):
            self._curves(tracker)
        if self._changed("evidence.json"):
            self._evidence(tracker, self.run.evidence)
        tracker.flush()
        self._remember()

    def end(self, state: State, extra: Sequence[str] = ()) -> None:
        """Tell what a run comes to, and close the record."""
        tracker = self._tracker
        if tracker is None or not self._started:
            return
        tags: dict[str, str] = {"headstart.state": state}
        if self.run.findings:
            self._say(tracker, "findings", markdown.findings(self.run.findings))
        if state == "finished" and manifest.is_model(self.folder):
            tags |= self._sealed()
            self._verdict(tracker, self.run.verdict)
            for name in (*ARTIFACTS, *extra):
                self._keep(tracker, self.folder / name)
        tracker.tag({name: value for name, value in tags.items() if value})
        tracker.flush()
        self._remember()
        tracker.close(state)

    def _start(self, tracker: Tracker) -> None:
        if self._note.exists():
            self._told = json.loads(self._note.read_text(encoding="utf-8"))
        self._told["handle"] = dict(tracker.start(self.folder.name, _id(self.run), self._told.get("handle", {})))
        self._started = True

    def _changed(self, name: str) -> bool:
        """True if a file of the run is another than at the last look."""
        try:
            status = (self.run.path / name).stat()
        except FileNotFoundError:
            return False
        seen = (status.st_mtime_ns, status.st_size)
        if self._seen.get(name) == seen:
            return False
        self._seen[name] = seen
        return True

    def _describe(self, tracker: Tracker, group: str) -> None:
        told = self._told.setdefault("described", [])
        if group in told:
            return
        tracker.describe(_GROUPS[group](self.run))
        told.append(group)

    def _curves(self, tracker: Tracker) -> None:
        """The epochs of finished fits and of the running one that were not told yet."""
        # Read before the journal: a fit that ends in between is then in both, never in neither.
        running = self.run.running
        told: dict[str, int] = self._told.setdefault("epochs", {})
        curves = [(str(row["name"]), list(row["curve"])) for row in self.run.journal]
        for row in running:
            curves.append((str(row["fit"]), [row]))
        for name, curve in curves:
            for row in curve:
                if row["epoch"] > told.get(name, 0):
                    tracker.measure(f"fits/{name}", _numbers(row), int(row["epoch"]))
                    told[name] = int(row["epoch"])

    def _evidence(self, tracker: Tracker, rows: Sequence[Mapping[str, Any]]) -> None:
        told = self._told.setdefault("candidates", [])
        for row in rows:
            if row["name"] in told:
                continue
            values = _intervals(row["scores"]) | _numbers(row, ("seconds", "trainable", "serving_ms"))
            if row["scores"]:
                tracker.measure(f"evidence/{row['name']}", values)
            told.append(row["name"])
        self._say(tracker, "evidence", markdown.evidence(rows))

    def _verdict(self, tracker: Tracker, verdict: Mapping[str, Any]) -> None:
        told, tests = self._told.setdefault("tests", []), verdict.get("tests", {})
        for role, scores in tests.items():
            if role not in told:
                tracker.measure("test" if role == "winner" else f"test/{role}", _intervals(scores))
                told.append(role)
        text = f"{markdown.plain(verdict.get('sentence', ''))}\n\n{markdown.evidence(self.run.evidence)}"
        self._say(tracker, "verdict", text)

    def _sealed(self) -> dict[str, str]:
        """What is known only of the sealed model."""
        found = manifest.read(self.folder)
        return {
            "headstart.candidate": str(found.training.get("candidate", "")),
            "headstart.backbone": found.backbone.name if found.backbone else "",
            "headstart.outcome": str(found.verdict.get("outcome", "")),
            "headstart.task": found.task,
        }

    def _say(self, tracker: Tracker, name: str, text: str) -> None:
        told, digest = self._told.setdefault("notes", {}), hashes.of_texts([text])
        if told.get(name) != digest:
            tracker.note(name, text)
            told[name] = digest

    def _keep(self, tracker: Tracker, path: Path) -> None:
        if not path.is_file():
            return
        told, digest = self._told.setdefault("files", {}), hashes.of_file(path)
        if told.get(path.name) != digest:
            tracker.keep(path)
            told[path.name] = digest

    def _remember(self) -> None:
        text = json.dumps(self._told)
        if text != self._kept:
            files.write_json(self._note, self._told)
            self._kept = text


class _Thread(threading.Thread):
    """A follower at work beside the fit; it never raises."""

    def __init__(self, follower: _Follower, report: Reporter) -> None:
        super().__init__(name=f"track {follower.name}", daemon=True)
        self._follower, self._report = follower, report
        self._over = threading.Event()
        self._state: State = "failed"

    def run(self) -> None:
        """Look every few seconds, and once more when the fit is over."""
        try:
            while not self._over.wait(PAUSE):
                self._follower.look()
            self._follower.look()
            self._follower.end(self._state)
        except Exception as error:  # whatever a tracker's libraries raise, the fit is worth more
            self._report.say(self._follower.left_out(error))
            return
        if self._follower.place:
            self._report.say(f"Tracked with {self._follower.name}: {self._follower.place}")

    def finish(self, state: State) -> None:
        """The fit is over: give the tracker a while to take the rest."""
        self._state = state
        self._over.set()
        self.join(GRACE)
        if self.is_alive():
            self._report.say(f"{self._follower.name} did not take the whole run within {GRACE:g} s; it is left behind")


def _id(run: Run) -> str:
    """A run's id; "" before it has one, or while it is being replaced."""
    try:
        return str(run.config.get("id", ""))
    except RunError:
        return ""


def _parts(track: str) -> tuple[str, str]:
    name, _, where = str(track).partition(":")
    return name.strip(), where.strip()


def _why(error: BaseException) -> str:
    """What went wrong, in a line: what the system said at the bottom of it, or else what the library said."""
    causes = [error]
    while (deeper := causes[-1].__cause__ or causes[-1].__context__) is not None and deeper not in causes:
        causes.append(deeper)
    said = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    text = said[-1] if said else error.what if isinstance(error, HeadstartError) else str(error)
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Plain values by dotted name; what is None or empty is left out."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            found[f"{prefix}{name}"] = json.dumps(value, ensure_ascii=False)
        elif value is not None:
            found[f"{prefix}{name}"] = value
    return found


def _data(run: Run) -> dict[str, Any]:
    data = run.data
    kept = {name: data.get(name) for name in ("understood", "digest", "targets", "parts", "cross_validated")}
    return _flat(kept | {"names": len(data.get("counts", {})), "skipped": len(data.get("skipped", ()))}, "data.")


def _plan(run: Run) -> dict[str, Any]:
    rungs = run.plan.get("rungs", {})
    return _flat(
        {name: {"status": rung.get("status"), **rung.get("options", {})} for name, rung in rungs.items()}, "plan."
    )


_GROUPS = {
    "config": lambda run: _flat(run.config),
    "data": _data,
    "machine": lambda run: _flat(run.written("machine", Mapping), "machine."),
    "plan": _plan,
}
"""File of the run -> parameters that it holds."""


def _numbers(row: Mapping[str, Any], names: Sequence[str] = ()) -> dict[str, float]:
    """The numbers of a row, but for its epoch."""
    found = {name: value for name, value in row.items() if name in names or not names}
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "epoch"
    }


def _intervals(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each score with the ends of its interval."""
    found: dict[str, float] = {}
    for name, score in scores.items():
        found |= {name: score["value"], f"{name}_low": score["low"], f"{name}_high": score["high"]}
    return found
