"""Unlabelled texts to learn a language from: a folder or file of them, a column of a table, a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base.errors import BadSource, Undecodable
from headstart.data import texts, tree
from headstart.data.kinds import TEXTS, is_text_name
from headstart.data.passages import Passage
from headstart.data.printable import count, printable
from headstart.data.sources import tablefile

EXPECTED = "a .txt file, a folder of them, a .csv, .tsv, .jsonl or .parquet table, or in Python a list of strings"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts that were found, none of them decoded or checked yet.

    Attributes:
        items: as the modality takes them.
        origin: what the user named.
        understood: how it was read, in words.
    """

    items: tuple[Any, ...]
    origin: str
    understood: str


def opened(source: Any, *, text: str | None = None) -> Corpus:
    """Find the texts.

    A single .txt file holds many: one each paragraph (between empty lines), or each line where there are no paragraphs.
    Of a folder each file is one text.

    Args:
        source: path of a .txt file, of a folder of them, or of a table; or texts in memory.
        text: name of a table's text column; found by itself without.

    Raises:
        BadSource: there is no text.
        UnknownName: the table has no such column.
    """
    path = tree.as_path(source) if isinstance(source, str | Path) else None
    if path is None:
        return _in_memory(source)
    origin = printable(str(source))
    if tree.holds(path.is_dir):
        tally = tree.Tally(kind=TEXTS)
        files = tree.items(path, tally)
        found: tuple[Any, ...] = tuple(Path(file) for file in files)
        said = f"{origin}: {count(len(found), 'text file')}, each of them a text"
    elif tablefile.claims(source):
        found = tuple(passage for passage in tablefile.texts(source, text=text) if passage is not None)
        said = f"{origin}: {count(len(found), 'row')} with a text"
    elif is_text_name(path.name) and tree.holds(path.is_file):
        found, said = _of_file(path, origin)
    else:
        raise BadSource(
            f"There is no text in {origin}" if tree.holds(path.exists) else f"There is no file or folder {origin}",
            expected=tree.close(path) or EXPECTED,
        )
    if not found:
        raise BadSource("There is no text in it", where=origin, expected=EXPECTED)
    return Corpus(found, str(source), said)


def _in_memory(source: Any) -> Corpus:
    if isinstance(source, str | bytes) or not isinstance(source, Sequence):
        source = list(source) if hasattr(source, "__iter__") and not isinstance(source, str | bytes) else []
    if not source:
        raise BadSource("No texts were named", expected=EXPECTED)
    found = tuple(Path(one) if isinstance(one, str) and is_text_name(one) else one for one in source)
    return Corpus(found, "memory", f"{count(len(found), 'text')} in memory")


def _of_file(path: Path, origin: str) -> tuple[tuple[Any, ...], str]:
    try:
        whole = texts.decode(path)
    except Undecodable as error:
        raise BadSource(f"The file cannot be read: {error.what}", where=origin, expected=error.expected) from error
    # One file is one text and no pair of them.
    lines = "\n".join([whole] if isinstance(whole, str) else whole).split("\n")
    paragraphs = list[Passage]()
    starts = [at for at, line in enumerate(lines) if line.strip() and (at == 0 or not lines[at - 1].strip())]
    if len(starts) > 1:
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            paragraphs.append(Passage(("\n".join(lines[start:end]).strip(),), f"line {start + 1}"))
        return tuple(paragraphs), f"{origin}: {count(len(paragraphs), 'paragraph')}, each of them a text"
    for number, line in enumerate(lines, start=1):
        if line.strip():
            paragraphs.append(Passage((line.strip(),), f"line {number}"))
    return tuple(paragraphs), f"{origin}: {count(len(paragraphs), 'line')}, each of them a text"
