"""Models and runs for a page: the list, one of them, two side by side, its report."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base import manifest
from headstart.base.errors import BadOption, HeadstartError
from headstart.base.vocabulary import Interval
from headstart.data.printable import printable
from headstart.ship import runs
from headstart.ship.runs import Summary
from headstart.studio import fitting, trying
from headstart.studio.place import Place

REPORT = "report.html"
_ROLES = {"transfer": "transferred", "scratch": "from scratch", "baseline": "no network"}


def identity(path: Path) -> str:
    """A model's folder as a word that can stand in an address."""
    return base64.urlsafe_b64encode(os.fsencode(path)).decode().rstrip("=")


def folder(place: Place, word: str) -> Path:
    """Inverse of ``identity``.

    Raises:
        BadOption: it is none.
        OutOfBounds: the folder is neither in the studio's place nor known to this machine.
    """
    try:
        text = os.fsdecode(base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadOption("This address names no model", next_move="choose one from the list") from error
    return place.model(text)


def listed() -> dict[str, Any]:
    """The runs of this machine, the newest first, and those whose files are damaged."""
    found, damaged = [], []
    for path in runs.found():
        try:
            found.append(_summary(path, _changed(path)))
        except HeadstartError as error:
            damaged.append({"path": printable(str(path)), "what": error.what})
    found.sort(key=lambda one: one.when, reverse=True)
    return {"runs": [row(one) for one in found], "damaged": damaged}


@functools.lru_cache(maxsize=512)
def _summary(path: Path, changed: float) -> Summary:
    return runs.summary(path)


def _changed(path: Path) -> float:
    """When what a summary is made from was last written."""
    times = [0.0]
    for name in (manifest.NAME, "run/config.json", "run/data.json"):
        with contextlib.suppress(OSError):
            times.append((path / name).stat().st_mtime)
    return max(times)


def row(one: Summary) -> dict[str, Any]:
    """A run in a list."""
    metric = runs.metric(one, None)
    score = (one.scores or {}).get(metric.name)
    return {
        "id": identity(one.path),
        "name": printable(one.path.name),
        "path": printable(str(one.path)),
        **{name: getattr(one, name) for name in ("when", "state", "data", "digest", "items", "about", "task")},
        **{name: getattr(one, name) for name in ("backbone", "candidate", "outcome", "tested", "seconds")},
        "score": None if score is None else {"title": metric.title, "text": metric.text(score)},
    }


def shown(path: Path) -> dict[str, Any]:
    """Everything that the page of a sealed model says.

    Raises:
        HeadstartError: when its files are damaged.
    """
    sealed, one = manifest.read(path), _summary(path, _changed(path))
    rows = [each.model_dump(mode="json") for each in sealed.evidence]
    verdict = sealed.verdict
    return {
        **row(one),
        "verdict": verdict.get("sentence"),
        "names": list(sealed.names)[:100],
        "table": fitting.evidence(rows, sealed.task),
        "tests": _tests(verdict, sealed.task),
        "findings": sealed.data.get("findings") or [],
        "understood": sealed.data.get("understood"),
        "licence": sealed.backbone.licence if sealed.backbone else None,
        "report": (path / REPORT).is_file(),
        "modality": sealed.modality,
        "tried": trying.ways(sealed.modality),
    }


def _tests(verdict: Mapping[str, Any], task: str) -> dict[str, Any]:
    """The finalists' scores on the items that no candidate was chosen by."""
    known, tests, names = runs.metrics(task), verdict.get("tests") or {}, verdict.get("models") or {}
    roles = {role: tests[role] for role in _ROLES if isinstance(tests.get(role), Mapping)}
    wanted = dict.fromkeys((str(verdict.get("metric")), *known))
    metrics = [known[name] for name in wanted if name in known and any(name in scores for scores in roles.values())][:4]
    return {
        "tested": bool(verdict.get("tested", True)),
        "items": verdict.get("items"),
        "heads": [each.title for each in metrics],
        "rows": [
            {
                "name": printable(str(names.get(role, ""))),
                "role": _ROLES[role],
                "sealed": role == verdict.get("winner"),
                "scores": [_text(each, scores.get(each.name)) for each in metrics],
            }
            for role, scores in roles.items()
        ],
    }


def _text(metric: Any, told: Mapping[str, float] | None) -> str:
    return "" if told is None else str(metric.text(Interval(told["value"], told["low"], told["high"])))


def compared(paths: Sequence[Path], metric: str | None) -> dict[str, Any]:
    """Runs side by side; where their data are the same, also how far each is from the first, item by item.

    Raises:
        BadOption: fewer than two.
        UnknownName: no such score.
    """
    if len(paths) < 2:
        raise BadOption("Nothing to compare", expected="two runs or more")
    found = [_summary(path, _changed(path)) for path in paths]
    chosen = runs.metric(found[0], metric)
    same = runs.comparable(found)
    gaps = runs.gaps(paths, chosen) if same else [None] * (len(found) - 1)
    named = dict.fromkeys((one.task, name) for one in found for name in one.scores or ())
    metrics = [runs.metrics(task)[name] for task, name in named if name in runs.metrics(task)]
    return {
        "runs": [row(one) for one in found],
        "same": same,
        "metric": chosen.name,
        "metrics": [{"name": each.name, "title": each.title} for each in dict.fromkeys(metrics)],
        "scores": [
            {"title": each.title, "texts": [_score(each, one) for one in found]} for each in dict.fromkeys(metrics)
        ],
        "sentences": runs.sentences(found, gaps, chosen, name=lambda one: printable(one.path.name)),
    }


def _score(metric: Any, one: Summary) -> str:
    score = (one.scores or {}).get(metric.name)
    return "" if score is None or metric.name not in runs.metrics(one.task) else str(metric.text(score))


def make_report(path: Path) -> None:
    """Write a model's report anew.

    Raises:
        HeadstartError: when the run's files are damaged, or the folder cannot be written to.
    """
    from headstart.api.models import report as written

    written(path)


def report(path: Path) -> bytes:
    """The report of a model.

    Raises:
        BadOption: there is none.
    """
    try:
        return (path / REPORT).read_bytes()
    except OSError as error:
        raise BadOption(
            "This model has no report", where=printable(str(path)), next_move=f"headstart report {path}"
        ) from error
