"""A sealed model against labelled data it has not seen: scores with intervals, details, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from headstart.base import discovery
from headstart.base.errors import DataError, Undecodable
from headstart.base.vocabulary import Skipped, Table
from headstart.data import labels as labelling
from headstart.data.printable import where
from headstart.measure import intervals
from headstart.ship.doubt import Doubt
from headstart.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Examples:
    """Items whose target is known.

    Attributes:
        items: what the modality decodes.
        targets: of the n items, as the model's task reads them.
        skipped: items without a label.
        notes: how the source was read.
    """

    items: tuple[Any, ...]
    targets: np.ndarray
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def examples(table: Table, task: Task) -> Examples:
    """The labelled items of an opened source; only its test part where it has one.

    Raises:
        DataError: when there are none, or a label is none of the model's.
    """
    chosen = list(range(len(table.items)))
    notes = [table.understood, *table.notes]
    if "test" in table.parts and set(table.parts) != {"test"}:
        chosen = [i for i in chosen if table.parts[i] == "test"]
        notes.append(f"Only its test part is evaluated: {len(chosen)} of {len(table.items)} items")
    values = discovery.load("tasks", task.kind).parse(labelling.plain(table.labels))
    skipped = [Skipped(where(table.items[i], i), "no label") for i in chosen if values[i] is None]
    known = [i for i in chosen if values[i] is not None]
    if not known:
        raise DataError("No item has a label", where=table.origin, expected="a label for each item")
    try:
        targets = task.encode([values[i] for i in known])
    except DataError as error:
        raise DataError(
            error.what, where=error.where or table.origin, expected=error.expected, next_move=error.next_move
        ) from error
    return Examples(tuple(table.items[i] for i in known), targets, tuple(skipped), tuple(notes))


class Answered(Protocol):
    """What is said of an item."""

    @property
    def scores(self) -> np.ndarray:
        """The prediction (K,)."""
        ...

    @property
    def strangeness(self) -> float | None:
        """How far it lies from the training items, above 1 for an unfamiliar one."""
        ...


def scored(
    given: Examples, rows: Sequence[Answered | Undecodable], task: Task, *, doubt: Doubt, seed: int
) -> dict[str, Any]:
    """The report of ``Model.evaluate``.

    Args:
        given: the items and their targets.
        rows: for each item what is said of it, or why it could not be read.
        task: what is predicted.
        doubt: what the model knows of how far to believe it.
        seed: of the bootstrap.

    Raises:
        DataError: when no item could be read.
    """
    readable = {position: row for position, row in enumerate(rows) if not isinstance(row, Undecodable)}
    skipped = list(given.skipped)
    for position, row in enumerate(rows):
        if isinstance(row, Undecodable):
            skipped.append(Skipped(where(given.items[position], position), row.what))
    if not readable:
        raise DataError("None of the items could be read", where=skipped[0].where, expected=skipped[0].why)
    targets, predictions = given.targets[list(readable)], np.stack([row.scores for row in readable.values()])
    predictions = task.settled(predictions, targets)
    scores = task.intervals(predictions, targets, seed=seed)
    return {
        **{name: interval.as_dict() for name, interval in scores.items()},
        **task.details(predictions, targets),
        "task": task.kind,
        "n": len(readable),
        "unfamiliar": _unfamiliar(given, readable, predictions, targets, task, doubt=doubt, seed=seed),
        "skipped": [{"file": entry.where, "error": entry.why} for entry in skipped],
        "notes": list(given.notes),
    }


def _unfamiliar(
    given: Examples,
    readable: Mapping[int, Answered],
    predictions: np.ndarray,
    targets: np.ndarray,
    task: Task,
    *,
    doubt: Doubt,
    seed: int,
) -> dict[str, Any] | None:
    """How many items are unlike the training data, which, and the scores of the others; None if nobody measures it."""
    if doubt.line is None:
        return None
    strange = np.array([np.nan if row.strangeness is None else row.strangeness for row in readable.values()])
    flagged = strange > 1.0
    positions = np.array(list(readable))
    order = np.flatnonzero(flagged)[np.argsort(-strange[flagged], kind="stable")]
    others = {}
    if flagged.any() and not flagged.all():
        others = task.intervals(predictions[~flagged], targets[~flagged], seed=seed)
    return {
        "count": int(flagged.sum()),
        "share": intervals.wilson(int(flagged.sum()), len(flagged)).as_dict(),
        "expected": doubt.line.rate.as_dict(),
        "items": [
            {"file": where(given.items[i], i), "strangeness": round(float(strange[row]), 4)}
            for row, i in ((int(row), int(positions[row])) for row in order)
        ],
        "without": {name: interval.as_dict() for name, interval in others.items()},
    }
