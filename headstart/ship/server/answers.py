"""Predictions as a client wants to read them: JSON, a table, or a line of text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import Undecodable
from headstart.measure.arrays import Floats
from headstart.ship import doubt
from headstart.ship.server import refusals
from headstart.ship.server.batching import Outcome
from headstart.ship.server.refusals import Refusal
from headstart.tasks.task import Task

JSON, TABLE, TEXT = "application/json", "text/csv", "text/plain"
KINDS = (JSON, TABLE, TEXT)
"""What can be asked for; the first is what is sent to those who do not care."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the client asked for.

    Attributes:
        kind: content type of the answer.
        top: how many of the most probable names.
        probabilities: every name's probability too.
    """

    kind: str = JSON
    top: int = 1
    probabilities: bool = True


def preferred(accept: str) -> str:
    """The content type that an Accept header likes best.

    Raises:
        Refusal: 406, when it likes none of ours.
    """
    if not accept or accept == "*/*":
        return JSON
    liked: dict[str, float] = {}
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        liked[name] = next((_quality(each[2:]) for each in parameters if each.startswith("q=")), 1.0)

    def quality(kind: str) -> float:
        family = kind.partition("/")[0] + "/*"
        return liked.get(kind, liked.get(family, liked.get("*/*", 0.0)))

    best = max(KINDS, key=quality)
    if quality(best) <= 0:
        raise Refusal(406, "NotAcceptable", "No such answer is made", where="accept", expected=" or ".join(KINDS))
    return best


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says of one item.

    Attributes:
        row: the prediction (K,).
        answer: the same as plain data, and whether the item is unfamiliar.
        strangeness: how far the item lies from the training items; NaN where that is not measured.
    """

    row: Floats
    answer: dict[str, Any]
    strangeness: float = float("nan")

    @property
    def unfamiliar(self) -> bool:
        """True for an item that is known to be unlike the training items."""
        return self.strangeness > 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """The names that it gives, for those who count them; of a number, none."""
        first = next(iter(self.answer.values()))
        return (first,) if isinstance(first, str) else tuple(first) if isinstance(first, list) else ()


Result = Said | Refusal
"""What an item is told: what the model says, or why it says nothing."""


def result(outcome: Outcome, task: Task, form: Form) -> Result:
    """An outcome in the client's form."""
    if isinstance(outcome, Undecodable):
        return refusals.of(outcome)
    if isinstance(outcome, Exception):
        return refusals.unexpected()
    row, strangeness = outcome
    if not np.isfinite(row).all():
        return Refusal(500, "Unexpected", "The model's answer is no number", next_move="check its weights: evaluate it")
    answer = task.answer(row, form.top)
    if not form.probabilities:
        answer.pop("probabilities", None)
    elif "probabilities" not in answer and (probabilities := task.probabilities(row)):
        answer["probabilities"] = probabilities
    return Said(row, answer | doubt.marks(strangeness), strangeness)


def one(result: Result, task: Task, form: Form, about: dict[str, Any]) -> bytes:
    """The answer to a request of one item.

    Raises:
        Refusal: when it has none.
    """
    if isinstance(result, Refusal):
        raise result
    if form.kind == JSON:
        return refusals.encoded({**result.answer, "model": about})
    if form.kind == TEXT:
        return (_line(result, task, form) + "\n").encode("utf-8", "replace")
    return _table([_header(task, form), _cells(result, task, form)])


def several(names: Sequence[str], results: Sequence[Result], task: Task, form: Form, about: dict[str, Any]) -> bytes:
    """The answer to a request of several items: each has its own, or its own error."""
    pairs = list(zip(names, results, strict=True))
    if form.kind == JSON:
        told = [
            {"item": name, **(result.answer if isinstance(result, Said) else {"error": result.told})}
            for name, result in pairs
        ]
        return refusals.encoded({"results": told, "model": about})
    if form.kind == TEXT:
        lines = [f"{name}  {_line(result, task, form)}" for name, result in pairs]
        return ("\n".join(lines) + "\n").encode("utf-8", "replace")
    header = _header(task, form)
    rows = [["item", *header, "error"]]
    for name, result in pairs:
        cells = _cells(result, task, form) if isinstance(result, Said) else [""] * len(header)
        rows.append([name, *cells, "" if isinstance(result, Said) else result.told["what"]])
    return _table(rows)


def _header(task: Task, form: Form) -> list[str]:
    return [*task.header(form.top), *doubt.HEADER]


def _cells(said: Said, task: Task, form: Form) -> list[str]:
    return [*task.cells(said.row, form.top), *doubt.cells(said.strangeness)]


def _line(result: Result, task: Task, form: Form) -> str:
    if isinstance(result, Said):
        return task.said(result.row, form.top) + ("; unfamiliar" if result.unfamiliar else "")
    return f"error: {result.told['what']}"


def _table(rows: Sequence[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")
