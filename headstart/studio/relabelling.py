"""Suspected label errors, looked at by a person: what was decided becomes a new table, and the user's files stay.

The table has a row for every item of the source, with the labels as they were but for the changes, so that a fit on it
is a fit on the same data with those labels.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base import discovery, files, manifest
from headstart.base.errors import BadOption, BadSource, Undecodable
from headstart.base.excerpt import Excerpt
from headstart.base.run import Run
from headstart.base.vocabulary import Table
from headstart.data import labels
from headstart.data.opening import open_source
from headstart.data.printable import count, printable
from headstart.ship.described import task_of
from headstart.studio import jobs
from headstart.tasks.task import Task, Value

LABEL, PART = "label", "split"
"""Columns of the table, beside those of the items."""
JOINTS = ("|", ";", ",")
"""What stands between several labels of an item, the first that is in none of them."""
WORDS = ".json"
"""Ending of the files that have an item's words."""
MOST = 500
"""Suspects on a page."""


@dataclass(frozen=True)
class Change:
    """What a person decided about one suspected label.

    Attributes:
        path: the item's, or what else it is called in its source.
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
        the pictures that the run keeps, or None; ``words``: the item's, where those are what is kept;
        ``corrections``: what it may be changed to, empty for any number.
        ``more``: how many there are besides; ``source``, ``columns``: what the run learned from, as far as that is
        known.
    """
    run, task = Run(path / "run"), task_of(path, manifest.read(path))
    exhibits = run.exhibits
    told = exhibits.get("suspects")
    texts = _room(path).WIRE.text
    rows = [each for each in told if isinstance(each, Mapping)] if isinstance(told, list) else []
    # What is neither a file of its own nor a text cannot stand in a table.
    found = [{**each, "path": each.get("path") or each.get("where")} for each in rows if each.get("path") or texts]
    source, columns = _source(path, run, found)
    return {
        "suspects": [
            {**_suspect(each, exhibits, path), "corrections": task.corrections(str(each.get("likely")))}
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
    return _kept(path, name, ".png").read_bytes()


def _kept(path: Path, name: str, ending: str) -> Path:
    """A file of what a run keeps to be looked at.

    Raises:
        BadOption: no such file, or one that lies elsewhere.
    """
    folder = (path / "run" / "shown").resolve()
    file = (path / "run" / name).resolve()
    if not file.is_relative_to(folder) or file.suffix != ending or not file.is_file():
        raise BadOption("There is no such picture")
    return file


def write(
    tables: Path, source: Path, columns: Mapping[str, str], changes: Sequence[Change], *, model: Path
) -> tuple[Path, str, dict[str, str]]:
    """Write the table of a source with some labels changed.

    Args:
        tables: the folder of all such tables.
        source: what the run learned from.
        columns: of a table, those that were named.
        changes: what was decided.
        model: the run's model, which says what labels mean.

    Returns:
        The table, the name of its task, and what its columns are.

    Raises:
        BadSource: the source's items are no files, a changed item is not among them, or labels cannot be cells.
        DataError: a new label is none.
    """
    task, room = task_of(model, manifest.read(model)), _room(model)
    table = open_source(str(source), **{name: columns.get(name) for name in ("label", "path", "text")})
    decided: dict[str, list[Change]] = {}
    for change in changes:
        decided.setdefault(change.path, []).append(change)
    _all_there(decided, table, source)
    rows = _rows(table, decided, task, room)
    if not rows or not all(cells for cells, _, _ in rows):
        raise BadSource(
            f"The items of {printable(str(source))} are no files of their own",
            expected="a folder or a table of files or texts",
            next_move="correct the labels where the data come from",
        )
    to = tables / f"{model.name}-{time.strftime('%Y%m%d-%H%M%S')}.csv"
    joint = next((each for each in JOINTS if not any(each in name for name in task.names)), JOINTS[0])
    items = tuple(rows[0][0])
    header = (*items, LABEL, PART)
    with files.whole(to) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        # A column of parts that says nothing would only be complained of.
        width = len(header) if any(part for _, _, part in rows) else len(header) - 1
        writer.writerow(header[:width])
        writer.writerows((*cells.values(), _cell(value, joint), part)[:width] for cells, value, part in rows)
    made = {"label": LABEL, "path" if items == ("path",) else "text": ",".join(items)}
    _reads_back(to, rows, task, made)
    return to, task.kind, made


def _room(model: Path) -> Any:
    return discovery.load("data", manifest.read(model).modality)


def _called(item: Any) -> str:
    """How a list of suspects calls an item: its path, or the name that its source gives it."""
    if isinstance(item, str | Path):
        return str(Path(item).absolute())
    return str(getattr(item, "name", ""))


def _all_there(decided: Mapping[str, Any], table: Table, source: Path) -> None:
    absent = set(decided) - {_called(item) for item in table.items if item is not None}
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise BadSource(
            f"{count(len(absent), 'item')} of this list {verb} not in {printable(str(source))}",
            where=printable(min(absent)),
            expected="the folder or table that the model was fitted to",
        )


def _rows(
    table: Table, decided: Mapping[str, Sequence[Change]], task: Task, room: Any
) -> list[tuple[dict[str, str], Value, str]]:
    """Cells, label as the task reads it, and part of every item that stays."""
    found = []
    for item, value, part in zip(table.items, _values(table, task), table.parts, strict=True):
        own = decided.get(_called(item), ()) if item is not None else ()
        if item is None or any(change.label is None for change in own):
            continue
        for change in own:
            value = task.corrected(value, change.said, str(change.label))
        try:
            found.append((room.cells(item), value, part or ""))
        except Undecodable:
            continue  # a fit leaves it out as well, and says so
    return found


def _values(table: Table, task: Task) -> list[Value]:
    return list(discovery.load("tasks", task.kind).parse(labels.plain(table.labels)))


def _cell(value: Value, joint: str) -> str:
    if value is None:
        return ""
    return joint.join(value) if isinstance(value, tuple) else repr(value) if isinstance(value, float) else str(value)


def _reads_back(
    to: Path, rows: Sequence[tuple[Mapping[str, str], Value, str]], task: Task, columns: Mapping[str, str]
) -> None:
    """Labels such as "nan" are no text in a cell: a table that would be read otherwise is none."""
    again = _values(open_source(str(to), **columns), task)
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


def _suspect(told: Mapping[str, Any], exhibits: Mapping[str, Any], model: Path) -> dict[str, Any]:
    names = ("where", "path", "said", "likely", "said_probability", "likely_probability", "because")
    pictures = exhibits.get("pictures")
    of_part = pictures.get(told.get("part")) if isinstance(pictures, Mapping) else None
    picture = of_part.get(str(told.get("row"))) if isinstance(of_part, Mapping) else None
    words = None
    if str(picture).endswith(WORDS):
        words, picture = _words(model, str(picture)), None
    return {**{name: told.get(name) for name in names}, "picture": picture, "words": words}


def _words(model: Path, name: str) -> dict[str, Any] | None:
    """The words that a run keeps of an item; None where they are gone or damaged."""
    try:
        return Excerpt.from_dict(json.loads(_kept(model, name, WORDS).read_bytes())).as_dict()
    except (BadOption, OSError, ValueError, RecursionError):
        return None


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
