"""Suspected label errors, looked at by a person: what was decided becomes a new table, and the user's files stay.

The table has a row for every item of the source, with the labels as they were but for the changes, so that a fit on it
is a fit on the same data with those labels.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base import files
from headstart.base.errors import BadOption, BadSource
from headstart.base.run import Run
from headstart.base.vocabulary import Table
from headstart.data.opening import open_source
from headstart.data.printable import count, printable
from headstart.studio import jobs, models

HEADER = ("path", "label", "split")
MOST = 500
"""Suspects on a page."""


@dataclass(frozen=True)
class Change:
    """What a person decided about one item.

    Attributes:
        path: the item's.
        label: its new label; None leaves the item out.
    """

    path: str
    label: str | None


def suspects(path: Path) -> dict[str, Any]:
    """The suspected errors of a run, the most suspicious first, and what is needed to correct them.

    Returns:
        ``suspects``: where, path, said, likely with their probabilities, ``picture``: its place among the pictures
        that the run keeps, or None; ``names``: the labels there are; ``source``, ``columns``: what the run learned
        from, as far as that is known.
    """
    run = models.run(path)
    exhibits = run.written("exhibits", Mapping)
    found = exhibits.get("suspects")
    kept = [each for each in found if isinstance(each, Mapping)][:MOST] if isinstance(found, list) else []
    source, columns = _source(path, run)
    return {
        "suspects": [_suspect(each, _picture(exhibits, each)) for each in kept],
        "names": list(run.data.get("counts", {})),
        "task": run.data.get("task"),
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


def write(tables: Path, source: Path, columns: Mapping[str, str], changes: Sequence[Change], *, name: str) -> Path:
    """Write the table of a source with some labels changed.

    Args:
        tables: the folder of all such tables.
        source: what the run learned from.
        columns: of a table, those that were named.
        changes: what was decided.
        name: of the model, for the file's name.

    Raises:
        BadSource: the source's items are no files, or a changed item is not among them.
    """
    table = open_source(str(source), label=columns.get("label"), path=columns.get("path"))
    if not all(isinstance(item, str) for item in table.items if item is not None):
        raise BadSource(
            f"The items of {printable(str(source))} are no files of their own",
            expected="a folder or a table of files",
            next_move="correct the labels where the data come from",
        )
    decided = {str(Path(change.path).absolute()): change for change in changes}
    absent = set(decided) - {str(Path(item).absolute()) for item in table.items if item is not None}
    if absent:
        raise BadSource(
            f"{count(len(absent), 'item')} of this list {'is' if len(absent) == 1 else 'are'} not in "
            f"{printable(str(source))}, such as {printable(min(absent))}",
            expected="the folder or table that the model was fitted to",
        )
    to = tables / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}.csv"
    with files.whole(to) as temporary, open(temporary, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows(_rows(table, decided))
    return to


def _rows(table: Table, decided: Mapping[str, Change]) -> Iterable[tuple[str, str, str]]:
    for item, label, part in zip(table.items, table.labels, table.parts, strict=True):
        if item is None:
            continue
        path = str(Path(item).absolute())
        change = decided.get(path)
        if change is None:
            yield path, _text(label), part or ""
        elif change.label is not None:
            yield path, change.label, part or ""


def _text(label: Any) -> str:
    """A label as a cell; several names with bars between, as the task takes them apart again."""
    if label is None:
        return ""
    return "|".join(map(str, label)) if isinstance(label, tuple | list) else str(label)


def _suspect(told: Mapping[str, Any], picture: str | None) -> dict[str, Any]:
    names = ("where", "path", "said", "likely", "said_probability", "likely_probability")
    return {**{name: told.get(name) for name in names}, "picture": picture}


def _picture(exhibits: Mapping[str, Any], suspect: Mapping[str, Any]) -> str | None:
    pictures = exhibits.get("pictures")
    of_part = pictures.get(suspect.get("part")) if isinstance(pictures, Mapping) else None
    found = of_part.get(str(suspect.get("row"))) if isinstance(of_part, Mapping) else None
    return str(found) if found else None


def _source(path: Path, run: Run) -> tuple[str, dict[str, str]]:
    """What a run learned from, by the job that started it, else by what it calls its source."""
    for job in jobs.every():
        if job.kind == "fit" and job.output == path:
            return str(job.about.get("source", "")), dict(job.about.get("columns") or {})
    origin = Path(str(run.data.get("origin") or "")).expanduser()
    return (str(origin) if origin.is_absolute() and origin.exists() else ""), {}
