"""A CSV, TSV or Parquet file of image paths and labels, one row an image."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base.errors import BadSource, MissingExtra
from headstart.base.vocabulary import Table
from headstart.data import several, tree
from headstart.data.columns import find, sample
from headstart.data.parts import part_of
from headstart.data.pixels import is_image_name
from headstart.data.printable import count, printable

_TEXT = (".csv", ".tsv")
_PARQUET = (".parquet", ".pq")
_DEEPEST = 12
_EMPTY = frozenset({"", "nan", "NaN", "NAN", "-nan", "<NA>", "#N/A", "null", "NULL"})
"""Cells without a label. "None" and "NA" are not among them: they are class names at times."""
_LOOKED_AT = 65_536
"""Bytes in which a file that is no text shows itself."""


def claims(source: Any) -> bool:
    """True for a path that ends in .csv, .tsv, .parquet or .pq and is no folder."""
    path = tree.as_path(source)
    return path is not None and path.suffix.lower() in (*_TEXT, *_PARQUET) and not tree.holds(path.is_dir)


def open(source: Any, *, label: str | None = None, path: str | None = None, group: str | None = None) -> Table:
    """Read the rows; the columns are found by themselves where they are not named.

    Relative paths are relative to the table's own folder, or, when none of them is there, to the one folder beside the
    table that has them.

    Args:
        source: path of the table.
        label: name of the label column; several with commas between are columns of 0 and 1.
        path: name of the image path column.
        group: name of the column that says what belongs together.

    Raises:
        BadSource: the file is missing, empty or unreadable, or its columns cannot be told apart.
        UnknownName: a named column does not exist.
        MissingExtra: Parquet without pyarrow.
    """
    file = tree.as_path(source)
    if file is not None and tree.holds(file.exists) and not tree.holds(file.is_file):
        what = f"This is no regular file: {printable(str(source))}"
        raise BadSource(what, expected="a .csv, .tsv or .parquet file", next_move="write what it gives into a file")
    if file is None or not tree.holds(file.is_file):
        expected = (file and tree.close(file)) or "the path of a .csv, .tsv or .parquet file"
        raise BadSource(f"There is no file {printable(str(source))}", expected=expected)
    notes: list[str] = []
    columns: Mapping[str, Sequence[Any]] = _parquet(file) if file.suffix.lower() in _PARQUET else _text(file, notes)
    rows = len(next(iter(columns.values()), ()))
    origin = printable(str(source))
    if not rows:
        raise BadSource("The table has no rows", where=origin, expected="a header line and one row an image")
    columns, label = several.together(columns, label, origin)
    chosen = find(columns, label=label, path=path, base=file.parent, origin=origin, group=group)
    folder, dropped = _base(file.parent, sample(columns[chosen.path]), notes)
    place = _placer(folder, dropped)
    parts = [part_of(value) for value in columns[chosen.split]] if chosen.split else [None] * rows
    return Table(
        items=tuple(place(value) for value in columns[chosen.path]),
        labels=tuple(_label(value) for value in columns[chosen.label]),
        parts=tuple(parts),
        origin=origin,
        understood=f"{origin}: {count(rows, 'row')}; {chosen.sentence()}",
        notes=(*notes, *chosen.notes),
        groups=tuple(_label(value) for value in columns[chosen.group]) if chosen.group else (),
        target=printable(chosen.label),
    )


def columns(source: Any) -> tuple[str, ...]:
    """The names of a table's columns, as ``open`` takes them.

    Raises:
        BadSource: the file is missing or unreadable.
        MissingExtra: Parquet without pyarrow.
    """
    file = tree.as_path(source)
    if file is None or not tree.holds(file.is_file):
        raise BadSource(f"There is no file {printable(str(source))}", expected="a .csv, .tsv or .parquet file")
    return tuple(_parquet(file) if file.suffix.lower() in _PARQUET else _text(file, []))


def _label(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip() in _EMPTY else value


def _placer(folder: Path, dropped: int) -> Callable[[Any], str | None]:
    def place(value: Any) -> str | None:
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            return None
        if "://" in text:
            return text
        if dropped:
            return str(folder / _without_head(text, dropped))
        if "\\" in text and not tree.holds((folder / text).exists):
            text = text.replace("\\", "/")
        return str(folder / text)

    return place


def _base(folder: Path, names: Sequence[Any], notes: list[str]) -> tuple[Path, int]:
    """The folder that paths are relative to, and how many of their first names lead to another machine's place."""
    texts = [name.strip() for name in names if isinstance(name, str)]

    def has(place: Path, dropped: int = 0) -> int:
        return sum(tree.holds((place / _without_head(text, dropped)).is_file) for text in texts)

    if not texts or has(folder):
        return folder, 0
    holders = [inner for inner in tree.level(folder).folders if 2 * has(inner) > len(texts)]
    if len(holders) == 1:
        notes.append(f"the paths are relative to {printable(str(holders[0]))}")
        return holders[0], 0
    for dropped in range(1, _DEEPEST):
        if 2 * has(folder, dropped) > len(texts):
            head = texts[0].replace("\\", "/").removesuffix(_without_head(texts[0], dropped))
            notes.append(f"{printable(head)} is not here; the paths are read from {printable(str(folder))}")
            return folder, dropped
    return folder, 0


def _without_head(text: str, dropped: int) -> str:
    """A path without its first names: C:\\photos\\cat\\1.jpg is cat/1.jpg without two."""
    text = text.replace("\\", "/")
    return "/".join([name for name in text.split("/") if name][dropped:]) if dropped else text


def _parquet(file: Path) -> dict[str, list[Any]]:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise MissingExtra("pyarrow", "parquet") from error
    import pandas

    try:
        frame = pandas.read_parquet(file)
    except Exception as error:  # pyarrow raises anything from OSError to ArrowNotImplementedError on a bad file
        raise BadSource(
            f"It cannot be read as Parquet: {printable(str(error).splitlines()[0] if str(error) else repr(error))}",
            where=printable(str(file)),
            expected="a whole Parquet file of image paths and labels",
        ) from error
    return {str(name): frame.iloc[:, i].tolist() for i, name in enumerate(frame.columns)}


def _text(file: Path, notes: list[str]) -> dict[str, list[Any]]:
    text = _decoded(file, notes)
    where = printable(str(file))
    lines = text.splitlines()
    if not text.strip():
        raise BadSource("The table is empty", where=where, expected="a header line and one row an image")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(lines[0], file.suffix.lower()))
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadSource(
            f"It cannot be read as a table: {error}",
            where=f"{where}, line {reader.line_num}",
            expected=f"one row an image, in cells of at most {csv.field_size_limit():,} letters",
            next_move="mend that line; an open quotation mark swallows all that follows it",
        ) from error
    header = [cell.strip() for cell in rows[0][1]]
    if any(is_image_name(cell) for cell in header):
        notes.append("the first line is read as data, not as column names")
        header = [""] * len(header)
    else:
        rows = rows[1:]
    names = _distinct(header)
    notes += [
        f"{header.count(name)} columns are called '{printable(name)}'; the first of them goes by that name"
        for name in dict.fromkeys(header)
        if name and header.count(name) > 1
    ]
    unclear = {line for line, row in rows if any(cell.strip() for cell in row[len(names) :])}
    if unclear:
        what = count(len(unclear), "row has", "rows have")
        notes.append(f"{what} more cells than there are columns and count as unlabelled (first: line {min(unclear)})")
    # In a row with too many cells nobody knows which of them belongs where.
    cells = [[""] * len(names) if line in unclear else row for line, row in rows]
    return {name: [row[i] if i < len(row) else "" for row in cells] for i, name in enumerate(names)}


def _decoded(file: Path, notes: list[str]) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadSource(
            f"The table cannot be read: {error.strerror or error}",
            where=printable(str(file)),
            next_move="allow reading it, or name another table",
        ) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    wide = _wide(data[:_LOOKED_AT])
    if wide:
        return data.decode(wide, "replace")
    if b"\0" in data[:_LOOKED_AT]:
        zipped = "an Excel or other zipped file" if data.startswith(b"PK") else "no text"
        raise BadSource(
            f"The table is {zipped}, whatever its name says",
            where=printable(str(file)),
            expected="lines of text: a header, then one row an image",
            next_move="save it as CSV (UTF-8) in the program that made it",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("the table is not UTF-8; read as Windows-1252")
        return data.decode("cp1252", "replace")


def _wide(head: bytes) -> str:
    """The name of UTF-16 without a mark at its beginning: Latin text has a zero in every other byte. "" for others."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 3 < len(head) or min(even, odd):
        return ""
    return "utf-16-le" if odd else "utf-16-be"


def _delimiter(header: str, suffix: str) -> str:
    usual = "\t" if suffix == ".tsv" else ","
    if usual in header:
        return usual
    return max((usual, ",", ";", "\t", "|"), key=header.count)


def _distinct(header: Sequence[str]) -> list[str]:
    names: list[str] = []
    for position, cell in enumerate(header, start=1):
        name = cell or f"column {position}"
        while name in names:
            name = f"{name} ({position})"
        names.append(name)
    return names
