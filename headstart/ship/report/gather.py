"""From a model's folder to the facts of its report: the sealed manifest and the run beside it, read with suspicion.

The manifest is sealed, the run is not: it may be missing, unfinished, older or damaged, and then the page says so
instead of failing. Only a folder that holds neither is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headstart.base import discovery, manifest
from headstart.base.errors import HeadstartError, ModelFolderError
from headstart.base.manifest import Manifest
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding, Interval
from headstart.ship.described import task_of
from headstart.ship.report.facts import Curve, Facts, Finalist, Held, PartName
from headstart.tasks.task import Task

ROLES = ("transfer", "scratch", "baseline")
_FINAL = re.compile(r"(?P<candidate>.+)/fold(?P<fold>\d+)/.*?(?P<step>[^/]*)$")
_REFIT = re.compile(r"refit/(?P<candidate>.+?)/[^/]*/(?P<step>[^/]*)$")
_REDRAWN = re.compile(r", draw \d+$")
"""A candidate on further draws of the folds: its curves are those of the first once more."""
_HELD = "held_out_"


@dataclass
class _Reading:
    """A run that is being read; what cannot be read is noted."""

    run: Run
    missing: list[str] = field(default_factory=list)

    def get(self, what: str, name: str, kind: type) -> Any:
        """An attribute of the run; empty if it is not what it should be."""
        try:
            found = getattr(self.run, name)
        except (HeadstartError, AttributeError) as error:
            if isinstance(error, HeadstartError):
                self.missing.append(f"{what}: {error.what}")
            return kind()
        return found if isinstance(found, kind) else kind()

    def arrays(self, what: str, name: str) -> Mapping[str, np.ndarray]:
        """Arrays that the run kept; none if they cannot be read."""
        try:
            return self.run.arrays(name)
        except HeadstartError as error:
            self.missing.append(f"{what}: {error.what}")
            return {}


def gather(folder: str | Path) -> Facts:
    """The facts of a model's folder.

    Raises:
        ModelFolderError: when it holds neither a sealed model nor a run, or the model's manifest is damaged.
    """
    folder = Path(folder).expanduser()
    reading = _Reading(Run(folder / "run"))
    sealed = _sealed(folder, reading)
    config = reading.get("What was asked for", "config", dict) if reading.run.exists() else {}
    data = reading.get("How the data were understood", "data", dict) or dict(sealed.data if sealed else {})
    task = task_of(folder, sealed) if sealed is not None else _begun_task(data)
    verdict = dict(sealed.verdict) if sealed is not None else reading.get("The verdict", "verdict", dict)
    exhibits = reading.get("What was kept to be looked at", "exhibits", dict)
    reading.missing += [str(note) for note in exhibits.get("notes") or () if isinstance(note, str)]
    noun = sealed.modality if sealed is not None else "items"
    parts = _held(reading, exhibits, verdict, task, noun)
    if sealed is not None and not parts and not reading.missing:
        reading.missing.append("The run kept no predictions, so no item can be looked at; fit again to keep them")
    kind = sealed.task if sealed is not None else str(data.get("task") or "")
    return Facts(
        path=folder.absolute(),
        manifest=sealed,
        task=task,
        metrics=_metrics(kind),
        config=config,
        data=data,
        verdict=verdict,
        evidence=_evidence(sealed, reading),
        sealed=str(sealed.training.get("candidate", "")) if sealed is not None else "",
        finalists=_finalists(verdict),
        curves=_curves(reading.get("The learning curves", "journal", list)),
        held={part.name: part for part in parts},
        findings=_findings(reading),
        exhibits=exhibits,
        command=_command(reading.run.path / "log.txt"),
        ranking=reading.get("How the backbones compared", "ranking", dict),
        learning=reading.get("The learning curve over labels", "learning", dict),
        similarity=reading.get("How near source and target are", "similarity", dict),
        ladder=reading.get("Why each rung was climbed or not", "ladder", dict),
        missing=tuple(reading.missing),
    )


def _sealed(folder: Path, reading: _Reading) -> Manifest | None:
    if manifest.is_model(folder):
        if not reading.run.exists():
            reading.missing.append(
                "The run that made this model is not beside it (run/), so there are no learning curves, no confusion "
                "matrix and no pictures; the sealed manifest has what is shown"
            )
        return manifest.read(folder)
    if reading.run.exists():
        reading.missing.append(
            "This run has not finished, so there is no model and no verdict; headstart fit with --resume goes on"
        )
        return None
    raise ModelFolderError(
        "There is no model and no run in this folder" if folder.is_dir() else "There is no such folder",
        where=str(folder),
        expected="the folder that headstart fit wrote (-o)",
    )


def _begun_task(data: Mapping[str, Any]) -> Task | None:
    """The task of an unfinished run, as far as its data say it."""
    names = tuple(map(str, data.get("counts") or ()))
    with suppress(HeadstartError):
        task: Task = discovery.load("tasks", str(data.get("task") or "")).restore(names, {"mean": 0.0, "scale": 1.0})
        return task
    return None


def _metrics(kind: str) -> Mapping[str, Any]:
    with suppress(HeadstartError):
        known: Mapping[str, Any] = discovery.load("tasks", kind).METRICS
        return known
    return {}


def _evidence(sealed: Manifest | None, reading: _Reading) -> list[Evidence]:
    if sealed is not None:
        return [row.value() for row in sealed.evidence]
    rows = []
    for row in reading.get("The evidence table", "evidence", list):
        with suppress(TypeError, ValueError, KeyError):
            scores = {name: Interval(**score) for name, score in row["scores"].items()}
            rows.append(Evidence(**{**row, "scores": scores}))
    return rows


def _finalists(verdict: Mapping[str, Any]) -> list[Finalist]:
    tests, names = verdict.get("tests") or {}, verdict.get("models") or {}
    return [
        Finalist(role, str(names.get(role, role)), _intervals(tests[role]), role == verdict.get("winner"))
        for role in ROLES
        if isinstance(tests.get(role), Mapping)
    ]


def _intervals(scores: Mapping[str, Any]) -> dict[str, Interval]:
    found = {}
    for name, score in scores.items():
        with suppress(TypeError, ValueError, KeyError):
            found[name] = Interval(*(float(score[end]) for end in ("value", "low", "high")))
    return found


def _findings(reading: _Reading) -> list[Finding]:
    found = []
    for row in reading.get("The findings", "findings", list):
        with suppress(TypeError):
            found.append(Finding(**row))
    return found


def _curves(journal: Sequence[Any]) -> list[Curve]:
    """The fits that ran to the end of their schedule; the short ones that only tried a rate are left out."""
    found = []
    for row in (each for each in journal if isinstance(each, Mapping)):
        name = str(row.get("name", ""))
        refit = _REFIT.fullmatch(name)
        match = refit or _FINAL.fullmatch(name)
        rows = [each for each in row.get("curve") or () if isinstance(each, Mapping)]
        if match is None or not rows or match["step"].startswith("sweep") or _REDRAWN.search(match["candidate"]):
            continue
        held: dict[str, list[tuple[int, float]]] = {}
        for epoch, each in enumerate(rows, start=1):
            for key, value in each.items():
                if key.startswith(_HELD) and isinstance(value, int | float):
                    held.setdefault(key.removeprefix(_HELD), []).append((epoch, float(value)))
        losses = [float(each["loss"]) if isinstance(each.get("loss"), int | float) else None for each in rows]
        fold = "refit" if refit else f"fold {int(match['fold']) + 1}"
        seconds, kept = float(row.get("seconds") or 0.0), int(row.get("epoch") or 0)
        found.append(Curve(match["candidate"], fold, losses, held, kept, seconds))
    return found


def _held(
    reading: _Reading, exhibits: Mapping[str, Any], verdict: Mapping[str, Any], task: Task | None, noun: str
) -> list[Held]:
    """The parts of the data that were predicted unseen, where their predictions were kept."""
    if task is None or not reading.run.exists():
        return []
    unseen = f"{noun}, each predicted by a model that had not seen it"
    words: dict[PartName, str] = {
        "tested": f"test {noun}" if verdict.get("tested", True) else unseen,
        "validation": f"validation {noun}",
    }
    kept = {
        "tested": (reading.arrays("The predictions", "predictions"), str(verdict.get("winner"))),
        "validation": (reading.arrays("The validation predictions", "validation"), "winner"),
    }
    listed = reading.get("The list of held-out items", "held_out", dict)
    found = []
    for name, said in words.items():
        arrays, column = kept[name]
        predictions, targets = arrays.get(column), arrays.get("targets")
        if predictions is None or targets is None or not _fit(predictions, targets, task):
            continue
        rows = [row for row in listed.get(name) or () if isinstance(row, Mapping)]
        wheres = tuple(str(row.get("where", "")) for row in rows) if len(rows) == len(targets) else ()
        pictures = _pictures(exhibits, name)
        found.append(Held(name, said, predictions.astype(np.float64), targets, wheres, pictures))
    return found


def _fit(predictions: np.ndarray, targets: np.ndarray, task: Task) -> bool:
    """True if predictions and targets are of the same items, and of this task; the files are not sealed."""
    shapes = predictions.ndim == 2 and predictions.shape == (len(targets), len(task.names)) and len(targets) > 0
    return shapes and bool(np.isfinite(predictions).all())


def _pictures(exhibits: Mapping[str, Any], part: str) -> dict[int, str]:
    """Row -> picture, as far as the list makes sense."""
    by_part = exhibits.get("pictures")
    rows = by_part.get(part) if isinstance(by_part, Mapping) else None
    return (
        {int(row): str(name) for row, name in rows.items() if str(row).isdigit()} if isinstance(rows, Mapping) else {}
    )


def _command(log: Path) -> str:
    """What was typed, from the log's first line."""
    with suppress(OSError, ValueError), open(log, encoding="utf-8", errors="backslashreplace") as stream:
        words = stream.readline().strip().partition(": ")[2].split(" ", 1)
        return f"headstart {words[1]}" if len(words) == 2 and words[0].endswith(("__main__.py", "headstart")) else ""
    return ""
