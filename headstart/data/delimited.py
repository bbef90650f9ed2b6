"""Lines of cells with commas, tabs or semicolons between, as people's programs write them, become columns of texts."""

from __future__ import annotations

import csv
import io
import itertools
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from headstart.base.errors import BadSource
from headstart.data.pixels import is_image_name
from headstart.data.printable import count, printable

LARGEST = 64 * 2**20
"""Letters of a cell beyond which it is not read."""
FOREIGN = 0.5
"""Share of a line's letters beyond which bytes that are no UTF-8 are no accents of Windows-1252 either."""
HEADLESS = 6
"""Words of a cell from which on it may be a text and no column's name."""
_LOOKED_AT = 65_536
"""Bytes in which a file that is no text shows itself."""
_END = "-- the end of the table --"
_LIMIT = threading.Lock()


def read(file: Path, notes: list[str]) -> dict[str, list[str]]:
    """Name -> cells of each column.

    Args:
        file: the table; ``.tsv`` prefers tabs.
        notes: told of oddities.

    Raises:
        BadSource: when it cannot be read, is no text, is empty, or has a quotation mark that is never closed.
    """
    text = _decoded(file, notes)
    where = printable(str(file))
    if not text.strip():
        raise BadSource("The table is empty", where=where, expected="a header line and one row an item")
    rows = _rows(text, _delimiter(text.splitlines()[0], file.suffix.lower()), where)
    header = [cell.strip() for cell in rows[0][1]]
    if any(is_image_name(cell) for cell in header) or _is_data(header, [row for _, row in rows[1:]]):
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
        left = "is" if len(unclear) == 1 else "are"
        what += f" more cells than there are columns and {left} left unlabelled"
        notes.append(f"{what} (first: line {min(unclear)})")
    # In a row with too many cells nobody knows which of them belongs where.
    cells = [[""] * len(names) if line in unclear else row for line, row in rows]
    return {name: [row[i] if i < len(row) else "" for row in cells] for i, name in enumerate(names)}


def _rows(text: str, delimiter: str, where: str) -> list[tuple[int, list[str]]]:
    """The last line of each row that is not empty, and its cells."""
    lines = io.StringIO(text, newline="")
    found: list[tuple[int, list[str]]] = []
    begins = 1
    with _LIMIT:
        # The library keeps one limit for the whole process, far below a long document.
        before = csv.field_size_limit(LARGEST)
        try:
            reader = csv.reader(itertools.chain(lines, [_END]), delimiter=delimiter)
            for row in reader:
                found.append((begins, row))
                begins, ended = reader.line_num + 1, row == [_END]
        except csv.Error as error:
            raise BadSource(
                f"It cannot be read as a table: {error}",
                where=f"{where}, line {reader.line_num}",
                expected=f"one row an item, in cells of at most {LARGEST:,} letters",
                next_move="mend that line; an open quotation mark swallows all that follows it",
            ) from error
        finally:
            csv.field_size_limit(before)
    first, last = found.pop()
    if not ended:
        if reader.line_num - first > 1:
            raise BadSource(
                f"A quotation mark that is never closed swallows {reader.line_num - first:,} lines",
                where=f"{where}, from line {first:,}",
                expected='every opening " to have a closing one; one that is meant as such is written twice: ""',
                next_move="mend that line",
            )
        found.append((first, [*last[:-1], last[-1].removesuffix(_END)]))
    return [(line, row) for line, row in found if any(cell.strip() for cell in row)]


def _is_data(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """True if the first line is an example: a long text, beside a word that comes again and again in its column."""
    if not any(len(cell.split()) >= HEADLESS for cell in header):
        return False
    for place, cell in enumerate(header):
        below = Counter(row[place].strip() for row in rows if place < len(row))
        if cell and len(cell.split()) < HEADLESS and below[cell] >= 2:
            return True
    return False


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
            expected="lines of text: a header, then one row an item",
            next_move="save it as CSV (UTF-8) in the program that made it",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _mended(data.removeprefix(b"\xef\xbb\xbf"), printable(str(file)), notes)


def _mended(data: bytes, where: str, notes: list[str]) -> str:
    """The text of a file some lines of which are no UTF-8: those are read as Windows-1252, if they can be.

    Raises:
        BadSource: such a line is of neither encoding.
    """
    lines, strange, first = list[str](), 0, ""
    accents = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            lines.append(line.decode("utf-8"))
            accents += not line.isascii()
        except UnicodeDecodeError as error:
            place = f"line {number:,}, byte {error.start + 1:,} is 0x{line[error.start]:02x}"
            if _is_foreign(line):
                raise BadSource(
                    "The table is in an encoding that cannot be told for sure: neither UTF-8 nor Windows-1252",
                    where=f"{where}, {place}",
                    expected="text saved as UTF-8",
                    next_move="save it as UTF-8, or convert it from what it is: iconv -f windows-1251 -t utf-8",
                ) from error
            strange, first = strange + 1, first or place
            lines.append(line.decode("cp1252", "replace"))
    what = "the table is not UTF-8; read as Windows-1252"
    if accents:
        what = f"the table mixes encodings: {count(strange, 'line is', 'lines are')} not UTF-8 and read as Windows-1252"
    notes.append(f"{what} (first: {first}); if letters look wrong, save it as UTF-8")
    return "\n".join(lines)


def _is_foreign(line: bytes) -> bool:
    high = sum(byte >= 0x80 for byte in line)
    return high > FOREIGN * (high + sum(byte >= 0x41 for byte in line if byte < 0x80))


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
