"""A sealed model against labelled data it has not seen: scores with intervals, confusion, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import DataError, Undecodable
from headstart.base.vocabulary import Skipped, Table
from headstart.data import labels as labelling
from headstart.data.printable import listing, where
from headstart.measure.summary import summarise


@dataclass(frozen=True, slots=True)
class Examples:
    """Items whose class is known.

    Attributes:
        items: what the modality decodes.
        targets: (n,) class indices of the model.
        skipped: items without a label.
        notes: how the source was read.
    """

    items: tuple[Any, ...]
    targets: np.ndarray
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def examples(table: Table, classes: Sequence[str]) -> Examples:
    """The labelled items of an opened source; only its test part where it has one.

    Raises:
        DataError: when there are none, or a label is none of the model's classes.
    """
    chosen = list(range(len(table.items)))
    notes = [table.understood, *table.notes]
    if "test" in table.parts and set(table.parts) != {"test"}:
        chosen = [i for i in chosen if table.parts[i] == "test"]
        notes.append(f"Only its test part is evaluated: {len(chosen)} of {len(table.items)} items")
    names = labelling.names(table.labels)
    index = {name: number for number, name in enumerate(classes)}
    unknown = sorted({name for name in (names[i] for i in chosen) if name is not None and name not in index})
    if unknown:
        raise DataError(
            f"The model does not know the class {listing(unknown)}",
            where=table.origin,
            expected="its own classes: " + listing(list(classes), 12),
            next_move="rename or leave out what it cannot know",
        )
    skipped = [Skipped(where(table.items[i], i), "no label") for i in chosen if names[i] is None]
    known = [i for i in chosen if names[i] is not None]
    if not known:
        raise DataError("No item has a label", where=table.origin, expected="a class for each item")
    targets = np.array([index[names[i] or ""] for i in known], dtype=np.int64)
    return Examples(tuple(table.items[i] for i in known), targets, tuple(skipped), tuple(notes))


def scored(
    task: Examples, rows: Sequence[np.ndarray | Undecodable], classes: Sequence[str], *, seed: int
) -> dict[str, Any]:
    """The report of ``Model.evaluate``.

    Args:
        task: the items and their classes.
        rows: for each item its probabilities (C,), or why it could not be read.
        classes: names of the columns.
        seed: of the bootstrap.

    Raises:
        DataError: when no item could be read.
    """
    readable = {position: row for position, row in enumerate(rows) if not isinstance(row, Undecodable)}
    skipped = list(task.skipped)
    for position, row in enumerate(rows):
        if isinstance(row, Undecodable):
            skipped.append(Skipped(where(task.items[position], position), row.what))
    if not readable:
        raise DataError("None of the items could be read", where=skipped[0].where, expected=skipped[0].why)
    targets = task.targets[list(readable)]
    summary = summarise(np.stack(list(readable.values())), targets, classes, seed=seed).as_dict()
    return {
        **summary["scores"],
        "confusion": summary["confusion"],
        "per_class": summary["per_class"],
        "classes": list(classes),
        "n": len(readable),
        "skipped": [{"file": entry.where, "error": entry.why} for entry in skipped],
        "notes": list(task.notes),
    }
