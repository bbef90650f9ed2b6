"""How a model and what it says show themselves in a notebook; the pieces are those of ``base/display.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base import discovery, display
from headstart.base.display import Piece
from headstart.base.errors import HeadstartError
from headstart.base.excerpt import Shown
from headstart.base.vocabulary import Evidence, Interval
from headstart.data.printable import listing, printable

if TYPE_CHECKING:
    from headstart.ship.sealed import Model, Prediction
    from headstart.tasks.task import Task

MOST = 24
"""Predictions that a list of them shows; the others are counted."""
TOP = 5
"""Classes or labels that a prediction shows."""
WORDS = 200
"""Characters that a text is shown with."""
SCORES = 3
"""Scores that a table has columns for."""
_ROLES = {"transfer": "transferred", "scratch": "from scratch", "baseline": "no network"}


class Predictions(list["Prediction"]):
    """A list of predictions that shows itself as a table."""

    def _repr_html_(self) -> str:
        rows = [[*_looks(one, 48), one.said()] for one in self[:MOST]]
        more = f"and {len(self) - MOST:,} more" if len(self) > MOST else ""
        title = f"{len(self):,} {'prediction' if len(self) == 1 else 'predictions'}"
        return display.panel(title, display.table(["", "Item", "Answer"], rows), display.line(more, faint=True))


class Table(list[Evidence]):
    """The evidence table, as a list that shows itself as one."""

    def __init__(self, rows: Sequence[Evidence], best: str, task: Task) -> None:
        super().__init__(rows)
        self._best, self._task = best, task

    def _repr_html_(self) -> str:
        metrics = [self._task.metrics[name] for name in self._task.shown[:SCORES]]
        rows = []
        for row in self:
            scores = [each.text(row.scores[each.name]) if each.name in row.scores else "-" for each in metrics]
            what = row.kind if row.status == "measured" else f"{row.kind} ({row.status})"
            rows.append([row.name, what, *scores, f"{row.seconds:,.1f}"])
        best = next((number for number, row in enumerate(self) if row.name == self._best), None)
        heads = ["Candidate", "Kind", *(each.title for each in metrics), "Seconds"]
        note = "measured on the validation items; 95 % intervals in brackets; what is sealed stands out"
        return display.panel("Evidence", display.table(heads, rows, bold=best), display.line(note, faint=True))


class Verdict(dict[str, Any]):
    """The verdict, as plain data that shows itself as a sentence and the test scores behind it."""

    def __init__(self, data: dict[str, Any], task: Task) -> None:
        super().__init__(data)
        self._task = task

    def _repr_html_(self) -> str:
        return display.panel("Verdict", display.line(self.get("sentence", "")), tests(self, self._task))


def model(shown: Model) -> str:
    """A model: what it tells apart, how well, and what it was measured against."""
    manifest, task = shown.manifest, shown.task
    kind = manifest.backbone or manifest.baseline
    names = listing(list(shown.classes), 12)
    facts: list[list[Any]] = [
        ["Task", f"{task.kind}: {names}"],
        ["Candidate", manifest.training.get("candidate", "")],
        ["Network" if manifest.backbone else "Baseline", kind.name if kind else ""],
        ["Folder", printable(str(shown.path))],
    ]
    sentence = display.line(manifest.verdict.get("sentence", ""))
    return display.panel("Model", sentence, tests(shown.verdict, task), display.table(["", ""], facts))


def tests(verdict: dict[str, Any], task: Task) -> Piece:
    """The scores of the models that met the test items."""
    found, models = verdict.get("tests", {}), verdict.get("models", {})
    roles = [role for role in _ROLES if role in found]
    names = [name for name in task.shown if roles and name in found[roles[0]]][:SCORES]
    rows = [
        [f"{models.get(role, role)} ({_ROLES[role]})", *(_score(task, name, found[role]) for name in names)]
        for role in roles
    ]
    winner = roles.index(verdict["winner"]) if verdict.get("winner") in roles else None
    where = "On the test items" if verdict.get("tested", True) else "Cross-validated"
    return display.table([where, *(task.metrics[name].title for name in names)], rows, bold=winner)


def prediction(shown: Prediction) -> str:
    """A prediction: the item as a picture, the answer, and the most probable classes or labels."""
    rows: list[list[Any]] = []
    if shown.task.words.counted and not shown.parts:
        order = np.argsort(-shown.scores, kind="stable")[:TOP]
        rows = [[shown.classes[i], display.bar(float(shown.scores[i]))] for i in order]
    item, name = _looks(shown, 96)
    answer = display.panel(shown.said(), display.line(name, faint=True), display.table(["", ""], rows))
    return display.beside(item, answer)


def _looks(shown: Prediction, size: int) -> tuple[Piece, str]:
    """The item as its modality renders it, nothing where it can no longer be read; and how it is called."""
    try:
        rendered: Shown = discovery.load("data", shown.modality, kind="modality").render(shown.item, size)
    except HeadstartError:
        return Piece(""), _named(shown.item)
    if isinstance(rendered, bytes):
        return display.picture(rendered, _named(shown.item)), _named(shown.item)
    # Words say what they are; those of a table know their row besides.
    return display.words(rendered.brief(WORDS)), printable(str(getattr(shown.item, "name", "")))


def _named(item: Any) -> str:
    """A file's name, or what kind of thing an item in memory is."""
    if isinstance(item, str) or hasattr(item, "__fspath__"):
        return printable(str(item))
    shape = getattr(item, "shape", None)
    return type(item).__name__ if shape is None else f"{type(item).__name__} {' × '.join(map(str, shape))}"


def _score(task: Task, name: str, scores: dict[str, Any]) -> str:
    return task.metrics[name].text(Interval(**scores[name])) if name in scores else "-"
