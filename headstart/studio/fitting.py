"""A fit from a page: the few choices it offers, and the words of ``headstart fit`` that they come to."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base import discovery
from headstart.base.errors import HeadstartError, OutputExists
from headstart.base.run import Run
from headstart.base.vocabulary import Interval
from headstart.data.printable import printable
from headstart.ship import runs
from headstart.studio import checking, jobs
from headstart.studio.jobs import Job
from headstart.studio.place import Place

BUDGETS = (
    ("30s", "30 seconds, for a first look"),
    ("1m", "1 minute"),
    ("5m", "5 minutes"),
    ("10m", "10 minutes"),
    ("30m", "30 minutes"),
    ("2h", "2 hours"),
)
DEFAULT = "10m"


@functools.lru_cache(maxsize=1)
def backbones() -> list[dict[str, Any]]:
    """The pretrained networks that are on this machine; others are fetched by name from the command line."""
    from headstart.api.backbones import list_backbones

    found = list_backbones(local=True)
    return [{"name": info.name, "source": info.source, "licence": info.licence} for info in found]


def choices() -> dict[str, Any]:
    """What can be chosen, the default first."""
    strategies = [{"name": "auto", "summary": "Measure the candidates, cheapest first, and keep the best."}]
    strategies += [{"name": name, "summary": each.summary} for name, each in discovery.plugins("tune").items()]
    tasks = [{"name": "auto", "summary": "Go by the labels."}]
    tasks += [{"name": name, "summary": each.summary} for name, each in discovery.plugins("tasks").items()]
    return {
        "strategies": strategies,
        "tasks": tasks,
        "budgets": [{"name": name, "summary": words} for name, words in BUDGETS],
        "budget": DEFAULT,
    }


def output(place: Place, source: Path) -> Path:
    """Where the model of a source goes unless the user says otherwise: a new folder where it can be written."""
    stem = source.name if source.is_dir() else source.stem
    able = [folder for folder in (place.start, source.parent, place.root) if os.access(folder, os.W_OK)]
    folder = next((each for each in able if each.is_relative_to(place.root)), place.root)
    for number in range(1, 10_000):
        path = folder / (f"{stem}-model" if number == 1 else f"{stem}-model-{number}")
        if not os.path.lexists(path) and not _taken(path):
            return path
    raise OutputExists(f"{folder} is full of models of {stem}", next_move="name another folder")


def _taken(path: Path) -> bool:
    """True if a job that waits or runs is going to write there."""
    return any(job.output == path and job.state() not in jobs.ENDED for job in jobs.every())


def begin(
    source: Path, to: Path, *, choices: Mapping[str, str], columns: Mapping[str, str], pictures: bool = True
) -> Job:
    """Start a fit, or put it behind the one that runs.

    Args:
        source: what is learned from.
        to: the model's folder.
        choices: option of ``headstart fit`` -> value; an empty one is left to its default.
        columns: of a table, those that were named.
        pictures: False keeps no small copies of items.

    Raises:
        OutputExists: another job is going to write there.
    """
    if _taken(to):
        raise OutputExists(f"Another fit is writing to {printable(str(to))}", next_move="name another folder")
    words = ["fit", str(source), "-o", str(to), *checking.column_words(columns)]
    words += [f"--{name}={value}" for name, value in choices.items() if value]
    words += [] if pictures else ["--no-pictures"]
    about = {"source": str(source), "columns": dict(columns), "choices": dict(choices)}
    return jobs.create("fit", words, title=printable(to.name), output=to, queue=True, **about)


def evidence(rows: Sequence[Mapping[str, Any]], task: str) -> dict[str, Any]:
    """The evidence table as a page draws it; the first two scores have columns, as everywhere.

    Returns:
        ``heads``: [{title, unit, higher}]; ``rows``: name, kind, status, seconds, trainable and ``scores``, a list
        beside ``heads`` of {value, low, high, text, interval} or None.
    """
    known = runs.metrics(task)
    names = next((list(row["scores"]) for row in rows if row.get("scores")), [])
    metrics = [known[name] for name in names if name in known][:2]
    return {
        "heads": [{"title": each.title, "unit": each.unit.strip(), "higher": each.higher} for each in metrics],
        "rows": [
            {
                **{name: row.get(name) for name in ("name", "kind", "status", "seconds", "trainable")},
                "scores": [_score(each, (row.get("scores") or {}).get(each.name)) for each in metrics],
            }
            for row in rows
        ],
    }


def _score(metric: Any, told: Mapping[str, float] | None) -> dict[str, Any] | None:
    if told is None:
        return None
    value, low, high = metric.numbers(Interval(told["value"], told["low"], told["high"]))
    return {**told, "text": value, "interval": f"{low} to {high}"}


def watched(job: Job) -> dict[str, Any]:
    """A fit as its page shows it: what ``jobs`` knows, how far it is, what was measured by now."""
    run = job.run
    about: dict[str, Any] = {"table": None, "data": {}, "plan": [], "sealed": None}
    # A run that is being begun, or that somebody removed, has nothing to show; that is no failure of the page.
    with contextlib.suppress(HeadstartError):
        about["data"] = {name: run.data.get(name) for name in ("understood", "parts", "task", "targets")}
        about["plan"] = _planned(run)
        about["sealed"] = _sealed(run)
        about["table"] = evidence(run.evidence, str(run.data.get("task") or "classification"))
    return about


def _sealed(run: Run) -> str | None:
    """The candidate that won, once the verdict is reached."""
    models, winner = run.verdict.get("models"), run.verdict.get("winner")
    return str(models[winner]) if isinstance(models, Mapping) and winner in models else None


def _planned(run: Run) -> list[dict[str, Any]]:
    """The rungs that train, which the table has no row of yet."""
    rungs = run.plan.get("rungs")
    measured = {row.get("name") for row in run.evidence}
    if not isinstance(rungs, Mapping):
        return []
    waiting = [name for name, entry in rungs.items() if entry.get("status") == "planned" and name not in measured]
    return [{"name": str(name)} for name in waiting]
