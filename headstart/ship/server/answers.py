"""Predictions as a client wants to read them: JSON, a table, or a line of text."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import Undecodable
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


def refused(outcome: Outcome) -> Refusal | None:
    """Why an item has no prediction; None if it has one."""
    if isinstance(outcome, Undecodable):
        return refusals.of(outcome)
    if isinstance(outcome, Exception):
        return refusals.unexpected()
    if not np.isfinite(outcome).all():
        return Refusal(500, "Unexpected", "The model's answer is no number", next_move="check its weights: evaluate it")
    return None


def one(outcome: Any, task: Task, form: Form, about: dict[str, Any]) -> bytes:
    """The answer to a request of one item.

    Raises:
        Refusal: when it has none.
    """
    if refusal := refused(outcome):
        raise refusal
    if form.kind == JSON:
        return refusals.encoded({**_said(outcome, task, form), "model": about})
    if form.kind == TEXT:
        return (task.said(outcome, form.top) + "\n").encode()
    return _table([[*task.header(form.top)], [*task.cells(outcome, form.top)]])


def several(names: Sequence[str], outcomes: Sequence[Any], task: Task, form: Form, about: dict[str, Any]) -> bytes:
    """The answer to a request of several items: each has its own, or its own error."""
    faults = [refused(outcome) for outcome in outcomes]
    if form.kind == JSON:
        results = [
            {"item": name, **({"error": fault.told} if fault else _said(outcome, task, form))}
            for name, outcome, fault in zip(names, outcomes, faults, strict=True)
        ]
        return refusals.encoded({"results": results, "model": about})
    rows = []
    if form.kind == TEXT:
        for name, outcome, fault in zip(names, outcomes, faults, strict=True):
            rows.append(f"{name}  {'error: ' + fault.told['what'] if fault else task.said(outcome, form.top)}")
        return ("\n".join(rows) + "\n").encode("utf-8", "replace")
    header = task.header(form.top)
    table = [["item", *header, "error"]]
    for name, outcome, fault in zip(names, outcomes, faults, strict=True):
        cells = [""] * len(header) if fault else task.cells(outcome, form.top)
        table.append([name, *cells, fault.told["what"] if fault else ""])
    return _table(table)


def _said(outcome: Any, task: Task, form: Form) -> dict[str, Any]:
    found = task.answer(outcome, form.top)
    if not form.probabilities:
        found.pop("probabilities", None)
    elif probabilities := task.probabilities(outcome):
        found["probabilities"] = probabilities
    return found


def names(answer: dict[str, Any]) -> tuple[str, ...]:
    """The names that an answer gives, for those who count them; of a number, none."""
    first = next(iter(answer.values()))
    return (first,) if isinstance(first, str) else tuple(first) if isinstance(first, list) else ()


def _table(rows: Sequence[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8", "replace")
