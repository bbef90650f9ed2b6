"""Suspected label errors, looked at by a person: what was decided becomes a new table, and the user's files stay.

The table has a row for every item of the source, with the labels as they were but for the changes, so that a fit on it
is a fit on the same data with those labels.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base import discovery, files, manifest
from headstart.base.errors import BadOption, BadSource
from headstart.base.run import Run
from headstart.base.vocabulary import Table
from headstart.data import labels
from headstart.data.opening import open_source
from headstart.data.printable import count, printable
from headstart.ship.described import task_of
from headstart.studio import jobs
from headstart.tasks.task import Task, Value

HEADER = ("path", "label", "split")
JOINTS = ("|", ";", ",")
"""What stands between several labels of an item, the first that is in none of them."""
MOST = 500
"""Suspects on a page."""


@dataclass(frozen=True)
class Change:
    """What a person decided about one suspected label.

    Attributes:
        path: the item's.
        said: what the label says, in the words of the list.
        label: what it is to say; None leaves the item out.
    """

    path: str
    said: str
    label: str | None


def suspects(path: Path) -> dict[str, Any]:
    """The suspected errors of a run, the most suspicious first, and what is needed to correct them.

    Returns:
        ``suspects``: where, path, said, likely with their probabilities, ``because``; ``picture``: its place among
        the pictures that the run keeps, or None; ``corrections``: what it may be changed to, empty for any number.
        ``more``: how many there are besides; ``source``, ``columns``: what the run learned from, as far as that is
        known.
    """
    run, task = Run(path / "run"), task_of(path, manifest.read(path))
    exhibits = run.exhibits
    told = exhibits.get("suspects")
    # What is no file of its own cannot be named in a table.
    found = [each for each in told if isinstance(each, Mapping) and each.get("path")] if isinstance(told, list) else []
    source, columns = _source(path, run, found)
    return {
        "suspects": [
            {**_suspect(each, exhibits), "corrections": task.corrections(str(each.get("likely")))}
            for each in found[:MOST]
        ],
        "more": max(0, len(found) - MOST),
        "kept": bool(exhibits),
        "source": source,
        "columns": columns,
    }


def shown(path: Path, name: str) -> bytes:
    """One of the small pictures that a run keeps.

    Raises:
        BadOption: no such picture.
    """
    folder = (path / "run" / "shown").resolve()
    file = (path / "run" / name).resolve()
    if not file.is_relative_to(folder) or file.suffix != ".png" or not file.is_file():
        raise BadOption("There is no such picture")
    return file.read_bytes()


def write(
    tables: Path, source: Path, columns: Mapping[str, str], changes: Sequence[Change], *, model: Path
) -> tuple[Path, str]:
    """Write the table of a source with some labels changed.

    Args:
        tables: the folder of all such tables.
        source: what the run learned from.
        columns: of a table, those that were named.
        changes: what was decided.
        model: the run's model, which says what labels mean.

    Returns:
        The table, and the name of its task.

    Raises:
        BadSource: the source's items are no files, a changed item is not among them, or labels cannot be cells.
        DataError: a new label is none.
    """
    task = task_of(model, manifest.read(model))
    table = open_source(str(source), label=columns.get("label"), path=columns.get("path"))
    if not all(isinstance(item, str) for item in table.items if item is not None):
        raise BadSource(
            f"The items of {printable(str(source))} are no files of their own",
            expected="a folder or a table of files",
            next_move="correct the labels where the data come from",
        )
    decided: dict[str, list[Change]] = {}
    for change in changes:
        decided.setdefault(str(Path(change.path).absolute()), []).append(change)
    _all_there(decided, table, source)
    rows = _rows(table, decided, task)
    to = tables / f"{model.name}-{time.strftime('%Y%m%d-%H%M%S')}.csv"
    joint = next((each for each in JOINTS if not any(each in name for name in task.names)), JOINTS[0])
    with files.whole(to) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        # A column of parts that says nothing would only be complained of.
        width = len(HEADER) if any(part for _, _, part in rows) else len(HEADER) - 1
        writer.writerow(HEADER[:width])
        writer.writerows((path, _cell(value, joint), part)[:width] for path, value, part in rows)
    _reads_back(to, rows, task)
    return to, task.kind


def _all_there(decided: Mapping[str, Any], table: Table, source: Path) -> None:
    absent = set(decided) - {str(Path(item).absolute()) for item in table.items if item is not None}
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise BadSource(
            f"{count(len(absent), 'item')} of this list {verb} not in {printable(str(source))}",
            where=printable(min(absent)),
            expected="the folder or table that the model was fitted to",
        )


def _rows(table: Table, decided: Mapping[str, Sequence[Change]], task: Task) -> list[tuple[str, Value, str]]:
    """Path, label as the task reads it, and part of every item that stays."""
    found = []
    for item, value, part in zip(table.items, _values(table, task), table.parts, strict=True):
        path = "" if item is None else str(Path(item).absolute())
        own = decided.get(path, ())
        if not path or any(change.label is None for change in own):
            continue
        for change in own:
            value = task.corrected(value, change.said, str(change.label))
        found.append((path, value, part or ""))
    return found


def _values(table: Table, task: Task) -> list[Value]:
    return list(discovery.load("tasks", task.kind).parse(labels.plain(table.labels)))


def _cell(value: Value, joint: str) -> str:
    if value is None:
        return ""
    return joint.join(value) if isinstance(value, tuple) else repr(value) if isinstance(value, float) else str(value)


def _reads_back(to: Path, rows: Sequence[tuple[str, Value, str]], task: Task) -> None:
    """Labels such as "nan" are no text in a cell: a table that would be read otherwise is none."""
    again = _values(open_source(str(to), path=HEADER[0], label=HEADER[1]), task)
    # An item that is left without any label has none.
    wanted = [None if value == () else value for _, value, _ in rows]
    differ = [(value, read) for value, read in zip(wanted, again, strict=True) if value != read]
    if differ:
        to.unlink()
        raise BadSource(
            f"The label {printable(str(differ[0][0]))} cannot be written in a table: it would be read as "
            f"{printable(str(differ[0][1]))}",
            next_move="rename it in the data",
        )


def _suspect(told: Mapping[str, Any], exhibits: Mapping[str, Any]) -> dict[str, Any]:
    names = ("where", "path", "said", "likely", "said_probability", "likely_probability", "because")
    pictures = exhibits.get("pictures")
    of_part = pictures.get(told.get("part")) if isinstance(pictures, Mapping) else None
    picture = of_part.get(str(told.get("row"))) if isinstance(of_part, Mapping) else None
    return {**{name: told.get(name) for name in names}, "picture": picture}


def _source(path: Path, run: Run, suspects: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, str]]:
    """What a run learned from: by the job that started it, or by what it calls its source and where its items lie."""
    for job in jobs.every():
        if job.kind == "fit" and job.output == path:
            return str(job.about.get("source", "")), dict(job.about.get("columns") or {})
    origin = Path(str(run.data.get("origin") or "")).expanduser()
    beside = [
        Path(str(each["path"]).removesuffix(str(each.get("where"))))
        for each in suspects[:1]
        if str(each["path"]).endswith("/" + str(each.get("where")))
    ]
    # A folder's items are named from the folder on, a table's from where it lies.
    near = [place for folder in beside for place in (folder, folder / origin.name) if place.name == origin.name]
    able = [place for place in (origin, *near) if origin.name and place.is_absolute() and place.exists()]
    return (str(able[0]) if able else ""), {}
