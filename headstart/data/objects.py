"""Objects of JSON, one a line or all in one array, become columns; None where an object lacks a name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headstart.base.errors import BadSource
from headstart.data.printable import count, listing, printable

_EXPECTED = 'one object a line, such as {"text": "...", "label": "..."}, or an array of such objects'


def read(file: Path, notes: list[str]) -> dict[str, list[Any]]:
    """Name -> values of each column, in the order in which the names first come.

    Args:
        file: JSON lines, or one array of objects.
        notes: told of oddities.

    Raises:
        BadSource: when it cannot be read, is no JSON, or holds something else than objects.
    """
    text, where = _decoded(file), printable(str(file))
    if not text.strip():
        raise BadSource("The file is empty", where=where, expected=_EXPECTED)
    rows = [_object(value, place) for value, place in _values(text, where)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    lacking = {name: sum(name not in row for row in rows) for name in names}
    partly = [f"'{printable(name)}' in {number:,}" for name, number in lacking.items() if number]
    if partly:
        notes.append(f"not every object has every name; {listing(partly)} of {count(len(rows), 'object')} is missing")
    return {name: [row.get(name) for row in rows] for name in names}


def _decoded(file: Path) -> str:
    where = printable(str(file))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadSource(
            f"The file cannot be read: {error.strerror or error}",
            where=where,
            next_move="allow reading it, or name another file",
        ) from error
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.start - data.rfind(b"\n", 0, error.start)
        raise BadSource(
            "The file is no UTF-8, as JSON has to be",
            where=f"{where}, line {line:,}, byte {byte:,} is 0x{data[error.start]:02x}",
            expected="text saved as UTF-8",
            next_move="save it as UTF-8, or convert it from what it is: iconv -f windows-1252 -t utf-8",
        ) from error


def _values(text: str, where: str) -> Iterator[tuple[Any, str]]:
    """The values, each with its place in words."""
    if text.lstrip().startswith("["):
        _check_no_rows(text, where)
        whole = _parsed(text, where, 1)
        yield from ((value, f"{where}, object {number:,}") for number, value in enumerate(whole, start=1))
        return
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if lines[0][1].strip() == "{":
        raise BadSource("The file is one object over several lines", where=where, expected=_EXPECTED)
    for number, line in lines:
        yield _parsed(line, where, number), f"{where}, line {number:,}"


def _check_no_rows(text: str, where: str) -> None:
    """An array on every line is a row without the names of its columns.

    Raises:
        BadSource: when that is what the file has.
    """
    first, _, rest = text.strip().partition("\n")
    if not first.rstrip().endswith("]") or not rest.lstrip().startswith("["):
        return
    raise BadSource(
        "Every line is an array, so that nobody knows what is the text and what the label",
        where=f"{where}, line 1",
        expected=_EXPECTED,
    )


def _parsed(text: str, where: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadSource(
            f"It cannot be read as JSON: {error.msg}",
            where=f"{where}, line {line + error.lineno - 1:,}, letter {error.colno:,}",
            expected=_EXPECTED,
        ) from error
    except RecursionError as error:
        raise BadSource("It is nested too deeply", where=f"{where}, line {line:,}", expected=_EXPECTED) from error


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        kind = {list: "an array", str: "a string", bool: "true or false"}.get(type(value), "no object")
        raise BadSource(f"There is {kind} where an object was expected", where=place, expected=_EXPECTED)
    return value
