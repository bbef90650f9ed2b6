"""The confusion matrix: which class is taken for which, and the items in every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headstart.ship.report.blocks import Matrix, Pair, Panel
from headstart.ship.report.drawing import card
from headstart.ship.report.facts import Facts, Held

PLACE = 50
SQUARE = 20
"""Classes beyond which only the most confused ones have rows and columns."""
IN_A_CELL = 12
"""Items of a cell that can be looked at."""
IN_ALL = 1500
"""Items of all cells together; the page stays small with hundreds of classes."""


def show(facts: Facts) -> Panel | None:
    """A matrix for a task whose details count confusions."""
    part = facts.judged
    if facts.task is None or part is None:
        return None
    details = facts.details
    if "confusion" not in details:
        return None
    counts = np.asarray(details["confusion"])
    matrix = _matrix(facts, part, details, counts)
    wrong = int(counts.sum() - np.trace(counts))
    lead = f"{wrong:,} of {int(counts.sum()):,} {part.words} were taken for another class. "
    lead += "Rows are true classes, columns predicted ones; choose a cell to see its items."
    return Panel("Confusion", PLACE, (matrix,), lead)


def _matrix(facts: Facts, part: Held, details: Mapping[str, Any], counts: np.ndarray) -> Matrix:
    predicted = part.predictions.argmax(axis=1)
    given = np.asarray(part.targets)
    truth = (given if facts.task is None else facts.task.bare(given)).astype(int)
    shown = _shown(counts)
    cells = [(int(row), int(column)) for row, column in zip(*np.nonzero(counts), strict=True)]
    # Mistakes first: they are what is looked at, and there is room for so many items only.
    cells.sort(key=lambda cell: (cell[0] == cell[1], -counts[cell]))
    room, pairs = IN_ALL, []
    for row, column in cells:
        inside = np.flatnonzero((truth == row) & (predicted == column))
        chosen = _chosen(part, inside, room)
        room -= len(chosen)
        pairs.append(Pair(row, column, int(counts[row, column]), [card(facts.item(part, each)) for each in chosen]))
    return Matrix(list(details["classes"]), pairs, shown, counts.sum(axis=1).tolist())


def _shown(counts: np.ndarray) -> list[int]:
    """All classes, or those that most mistakes have to do with."""
    if len(counts) <= SQUARE:
        return list(range(len(counts)))
    wrong = counts - np.diag(np.diag(counts))
    busy = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:SQUARE]
    return sorted(int(each) for each in busy)


def _chosen(part: Held, inside: np.ndarray, room: int) -> Sequence[int]:
    """The surest of a cell's items, those with a picture first."""
    sure = part.predictions[inside].max(axis=1)
    pictured = np.array([int(row) in part.pictures for row in inside], dtype=bool)
    order = np.lexsort((-sure, ~pictured))
    return [int(each) for each in inside[order][: min(IN_A_CELL, max(0, room))]]
