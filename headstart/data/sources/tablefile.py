"""A CSV, TSV, JSON or Parquet file of texts or image paths and their labels, one row an item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.base.errors import BadSource, MissingExtra
from headstart.base.vocabulary import Table
from headstart.data import delimited, objects, passages, several, tree, wording
from headstart.data.columns import Chosen, find, named_texts, sample
from headstart.data.parts import part_of
from headstart.data.passages import Passage
from headstart.data.printable import count, printable

_TEXT = (".csv", ".tsv")
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_NAMED = "the path of a .csv, .tsv, .jsonl, .json or .parquet file"
_DEEPEST = 12
_EMPTY = frozenset({"", "nan", "NaN", "NAN", "-nan", "<NA>", "#N/A", "null", "NULL"})
"""Cells without a label or a text. "None" and "NA" are not among them: they are class names at times."""


def claims(source: Any) -> bool:
    """True for a path that ends in .csv, .tsv, .jsonl, .ndjson, .json, .parquet or .pq and is no folder."""
    path = tree.as_path(source)
    return path is not None and path.suffix.lower() in (*_TEXT, *_JSON, *_PARQUET) and not tree.holds(path.is_dir)


def open(
    source: Any,
    *,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    text: str | Sequence[str] | None = None,
) -> Table:
    """Read the rows; the columns are found by themselves where they are not named.

    Relative paths are relative to the table's own folder, or, when none of them is there, to the one folder beside the
    table that has them.

    Args:
        source: path of the table.
        label: name of the label column; several with commas between are columns of 0 and 1.
        path: name of the image path column.
        group: name of the column that says what belongs together.
        text: name of the text column; two, in a list or with a comma between, are a pair.

    Raises:
        BadSource: the file is missing, empty or unreadable, or its columns cannot be told apart.
        UnknownName: a named column does not exist.
        MissingExtra: Parquet without pyarrow.
    """
    file, notes = _file(source), list[str]()
    columns: Mapping[str, Sequence[Any]] = _read(file, notes)
    rows = len(next(iter(columns.values()), ()))
    origin = printable(str(source))
    if not rows:
        raise BadSource("The table has no rows", where=origin, expected="a header line and one row an item")
    columns, label = several.together(columns, label, origin)
    chosen = find(columns, label=label, path=path, base=file.parent, origin=origin, group=group, text=text)
    parts = [part_of(value) for value in columns[chosen.split]] if chosen.split else [None] * rows
    return Table(
        items=_items(columns, chosen, file.parent, notes),
        labels=tuple(_present(value) for value in columns[chosen.label]),
        parts=tuple(parts),
        origin=origin,
        understood=f"{origin}: {count(rows, 'row')}; {chosen.sentence()}",
        notes=(*notes, *chosen.notes),
        groups=tuple(_present(value) for value in columns[chosen.group]) if chosen.group else (),
        target=printable(chosen.label),
        modality=chosen.modality,
    )


def texts(source: Any, *, text: str | Sequence[str] | None = None) -> tuple[Passage, ...]:
    """The texts of a table whose labels nobody needs, row by row.

    Args:
        source: path of the table.
        text: name of the text column; two are a pair.

    Raises:
        BadSource, UnknownName, MissingExtra: as ``open``.
    """
    file, origin = _file(source), printable(str(source))
    columns = _read(file, [])
    names = named_texts(columns, text, origin) or wording.columns(columns, [], [], origin)
    return _passages(columns, names)


def _passages(columns: Mapping[str, Sequence[Any]], names: Sequence[str]) -> tuple[Passage, ...]:
    return passages.of_rows({name: [_present(value) for value in columns[name]] for name in names}, names)


def _items(columns: Mapping[str, Sequence[Any]], chosen: Chosen, folder: Path, notes: list[str]) -> tuple[Any, ...]:
    if chosen.modality == "texts":
        return _passages(columns, chosen.items)
    place = _placer(*_base(folder, sample(columns[chosen.path]), notes))
    return tuple(place(value) for value in columns[chosen.path])


def _file(source: Any) -> Path:
    file = tree.as_path(source)
    if file is not None and tree.holds(file.exists) and not tree.holds(file.is_file):
        what = f"This is no regular file: {printable(str(source))}"
        raise BadSource(
            what, expected="a .csv, .tsv, .jsonl or .parquet file", next_move="write what it gives into one"
        )
    if file is None or not tree.holds(file.is_file):
        raise BadSource(f"There is no file {printable(str(source))}", expected=(file and tree.close(file)) or _NAMED)
    return file


def _read(file: Path, notes: list[str]) -> dict[str, list[Any]]:
    suffix = file.suffix.lower()
    if suffix in _PARQUET:
        return _parquet(file)
    return objects.read(file, notes) if suffix in _JSON else delimited.read(file, notes)


def columns(source: Any) -> tuple[str, ...]:
    """The names of a table's columns, as ``open`` takes them.

    Raises:
        BadSource: the file is missing or unreadable.
        MissingExtra: Parquet without pyarrow.
    """
    return tuple(_read(_file(source), []))


def _present(value: Any) -> Any:
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
            expected="a whole Parquet file of texts or image paths and labels",
        ) from error
    return {str(name): frame.iloc[:, i].tolist() for i, name in enumerate(frame.columns)}
