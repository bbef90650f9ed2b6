"""Files of words with their tags as the CoNLL shared tasks have them: a word a line, empty lines between sentences.

Columns are separated by spaces or tabs (Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task,
2003); CoNLL-U (Universal Dependencies) has ten of them, with tabs, and comments. Objects of JSON, one a line, with
lists of words and tags are read as well.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base.errors import BadSource, UnknownName
from headstart.data import sentences, tree
from headstart.data.parts import part_of
from headstart.data.printable import count, listing, printable
from headstart.data.sentences import Sentence

SUFFIXES = frozenset({".conll", ".conllu", ".conllx", ".conll2003", ".iob", ".iob2", ".iob1", ".bio", ".bioes", ".ner"})
"""Names that promise such a file."""
LINES = frozenset({".jsonl", ".ndjson", ".json"})
COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""Of CoNLL-U."""
DOCUMENT = "-DOCSTART-"
WORDS = ("tokens", "words")
TAGS = ("ner_tags", "tags", "labels", "pos_tags", "upos", "chunk_tags")
EXPECTED = "a word and its tag a line, with spaces or tabs between, and an empty line behind each sentence"
_TAG = re.compile(r"O|[BIESLU]-\S+")
_COMMENT = re.compile(r"#\s*[\w.:]+\s*=|#\s*$")
_GLOBAL = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
_INSIDE = re.compile(r"\d+[-.]\d+")
_PARTS = {"testa": "val", "devel": "val", "development": "val", "testb": "test", "eval": "test"}
"""Names of parts that only such corpora have."""
_LOOKED_AT = 65_536
_ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class Tagged:
    """A sentence with its tags.

    Attributes:
        sentence: the words.
        tags: one a word, None where the file has none.
        lines: of the file, one a word.
        document: number of the document it is of, in its file; None where the file says nothing of documents.
    """

    sentence: Sentence
    tags: tuple[str | None, ...]
    lines: tuple[int, ...]
    document: int | None


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where words and tags stand: the columns' names, if they have such, how many they are, and the two."""

    names: Sequence[str]
    width: int
    word: int
    tag: int


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Sequence[str]


def is_one(path: Path) -> bool:
    """Is it such a file, by its name or, where that says nothing, by how it begins?"""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    if suffix in LINES:
        return _first_object(path) is not None
    # eng.train and the like have no suffix that says anything.
    return suffix in (".txt", ".tsv", ".train", ".testa", ".testb", ".test", ".dev", ".valid", "") and _looks_so(path)


def read(path: Path, *, label: str | None, text: str | None, notes: list[str]) -> tuple[list[Tagged], str]:
    """The sentences of a file, and which column the tags are from, in words.

    Args:
        path: the file.
        label: the tags' column, by name or by number from 1; the last by default.
        text: the words' column; the first by default.
        notes: told of oddities.

    Raises:
        BadSource: it cannot be read, is empty, or a line has another number of columns than those before; each with its
            line.
        UnknownName: no such column.
    """
    if path.suffix.lower() in LINES:
        return _objects(path, label, text)
    content, origin = _decoded(path, notes), printable(str(path))
    lines = content.split("\n")
    names = _names(path, lines)
    width = len(names) or _width(lines)
    if not width:
        raise BadSource("There is no word in the file", where=origin, expected=EXPECTED)
    word = _column(text, names, width, "1", origin) if text else (names.index("form") if "form" in names else 0)
    tag = _column(label, names, width, str(width), origin) if label else _usual(names, width)
    if width < 2 or word == tag:
        what = "has a single column" if width < 2 else "has one column for words and tags"
        raise BadSource(f"The file {what}", where=f"{origin}, line {_first(lines)}", expected=EXPECTED)
    found = list(_sentences(lines, _Columns(names, width, word, tag), origin))
    if not found:
        raise BadSource("There is no sentence in the file", where=origin, expected=EXPECTED)
    said = f"column {tag + 1} of {width}" + (f" ({names[tag]})" if names else "")
    return found, said


def _usual(names: Sequence[str], width: int) -> int:
    return names.index("upos") if "upos" in names else width - 1


def _sentences(lines: Sequence[str], columns: _Columns, origin: str) -> Iterator[Tagged]:
    document: int | None = None
    rows: list[_Row] = []
    for number, line in enumerate([*lines, ""], start=1):
        text = line.rstrip("\r")
        if text.strip() and not (not rows and _is_comment(text, columns)):
            cells = _cells(text)
            if cells[0] == DOCUMENT:
                document = 0 if document is None else document + 1
            elif not (columns.names and _INSIDE.fullmatch(cells[0])):
                rows.append(_row(number, text, cells, columns.width, origin))
        elif rows and not text.strip():
            yield _sentence(rows, columns, document, origin)
            rows = []


def _row(number: int, text: str, cells: Sequence[str], width: int, origin: str) -> _Row:
    if len(cells) != width:
        raise BadSource(
            f"This line has {count(len(cells), 'column')}, where the file has {width}: {printable(text)[:80]!r}",
            where=f"{origin}, line {number:,}",
            expected=EXPECTED,
            next_move="mend that line; where words have spaces in them, tabs must separate the columns",
        )
    return _Row(number, cells)


def _sentence(rows: Sequence[_Row], columns: _Columns, document: int | None, origin: str) -> Tagged:
    missing = "_" if columns.names else ""
    name = f"{origin}, line {rows[0].line:,}"
    tags = tuple(None if row.cells[columns.tag] in ("", missing) else row.cells[columns.tag] for row in rows)
    sentence = sentences.of_words([row.cells[columns.word] for row in rows], name)
    return Tagged(sentence, tags, tuple(row.line for row in rows), document)


def _is_comment(text: str, columns: _Columns) -> bool:
    # A word may begin with #, or be nothing else.
    named = bool(columns.names) or _COMMENT.match(text) is not None
    return text.startswith("#") and (named or len(_cells(text)) != columns.width)


def _cells(text: str) -> list[str]:
    return [cell.strip() for cell in text.split("\t")] if "\t" in text.strip() else text.split()


def _names(path: Path, lines: Sequence[str]) -> Sequence[str]:
    """Names of the columns, where the file has such."""
    for line in lines[:50]:
        found = _GLOBAL.match(line)
        if found:
            return [name.rpartition(":")[2].lower() for name in found[1].split()]
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return COLUMNS if path.suffix.lower() == ".conllu" or len(first.split("\t")) == len(COLUMNS) else ()


def _width(lines: Sequence[str]) -> int:
    """Columns of most of the first lines."""
    counts = Counter(len(_cells(line)) for line in lines[:2000] if line.strip() and not line.startswith(DOCUMENT))
    return max(counts, key=lambda width: (counts[width], width)) if counts else 0


def _first(lines: Sequence[str]) -> int:
    return next((number for number, line in enumerate(lines, start=1) if line.strip()), 1)


def _column(asked: str, names: Sequence[str], width: int, usual: str, origin: str) -> int:
    wanted = asked.strip().lower()
    if wanted in names:
        return names.index(wanted)
    if wanted.lstrip("-").isdigit():
        number = int(wanted)
        if 1 <= abs(number) <= width:
            return number - 1 if number > 0 else width + number
    known = [*names] or [str(number) for number in range(1, width + 1)]
    raise UnknownName("column", asked, known, next_move=f"{origin} has {count(width, 'column')}, counted from 1")


def _decoded(path: Path, notes: list[str]) -> str:
    origin = printable(str(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadSource(
            f"The file cannot be read: {error.strerror or error}", where=origin, next_move="allow reading it"
        ) from error
    if not data.strip():
        raise BadSource("The file is empty", where=origin, expected=EXPECTED)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        lines = [each for each in data.split(b"\n") if not each.isascii()]
        foreign = [each for each in lines if not _is_utf8(each)]
        if len(foreign) < len(lines):
            raise BadSource(
                f"Some lines are UTF-8 and {count(len(foreign), 'line is', 'lines are')} not",
                where=f"{origin}, line {line:,}, byte 0x{data[error.start]:02x}",
                expected="one encoding in the whole file",
                next_move="save it as UTF-8 from the program that wrote it, or mend these lines",
            ) from error
        notes.append(f"{origin} is no UTF-8 (line {line:,}); it is read as Windows-1252")
        return data.decode("cp1252", "replace")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _looks_so(path: Path) -> bool:
    """Do its first lines have words and tags with prefixes, as many columns each?"""
    try:
        with path.open("rb") as stream:
            head = stream.read(_LOOKED_AT)
    except OSError:
        return False
    if b"\x00" in head:
        return False
    text = head.decode("utf-8", "replace")
    lines = text.split("\n")[:-1] or [text]
    rows = [_cells(line) for line in lines if line.strip() and not line.startswith((DOCUMENT, "#"))]
    if len(rows) < 2 or not any(row[-1] != "O" for row in rows):
        return False
    width = Counter(map(len, rows)).most_common(1)[0][0]
    good = sum(len(row) == width and _TAG.fullmatch(row[-1]) is not None for row in rows)
    return width >= 2 and good >= _ENOUGH * len(rows)


def _first_object(path: Path) -> tuple[str, str] | None:
    """The names of the lists of words and of tags in the first object of a file; None where there are none."""
    try:
        with path.open("rb") as stream:
            head = stream.readline(4 * _LOOKED_AT)
        found = json.loads(head)
    except (OSError, ValueError, RecursionError):
        return None
    return _lists(found, None, None) if isinstance(found, dict) else None


def _lists(found: dict[str, Any], label: str | None, text: str | None) -> tuple[str, str] | None:
    lists = [name for name, value in found.items() if isinstance(value, list)]
    word = next((name for name in ([text] if text else WORDS) if name in lists), None)
    tag = next((name for name in ([label] if label else TAGS) if name in lists), None)
    return None if word is None or tag is None else (word, tag)


def _objects(path: Path, label: str | None, text: str | None) -> tuple[list[Tagged], str]:
    from headstart.data import objects

    origin = printable(str(path))
    columns = objects.read(path, [])
    rows = len(next(iter(columns.values()), []))
    names = _lists(
        {name: next((v for v in values if v is not None), None) for name, values in columns.items()}, label, text
    )
    if names is None:
        asked = label or text or ""
        known = [name for name, values in columns.items() if any(isinstance(value, list) for value in values)]
        raise UnknownName("list of words or tags", asked, known, next_move=f"{origin} has {listing(list(columns), 12)}")
    found = []
    for number in range(rows):
        words, tags = (columns[name][number] for name in names)
        where = f"{origin}, object {number + 1:,}"
        if not isinstance(words, list) or not isinstance(tags, list) or len(words) != len(tags):
            lengths = " and ".join(str(len(each)) if isinstance(each, list) else "none" for each in (words, tags))
            raise BadSource(
                f"Words and tags do not go together: there are {lengths}", where=where, expected="one tag a word"
            )
        if words:
            said = tuple(None if tag is None else str(tag) for tag in tags)
            sentence = sentences.of_words([str(word) for word in words], where)
            found.append(Tagged(sentence, said, (number + 1,) * len(words), None))
    if not found:
        raise BadSource("There is no sentence in the file", where=origin, expected=EXPECTED)
    return found, f"the list {names[1]!r}"


def within(folder: Path) -> list[Path]:
    """The files of labelled words in a folder: by their names, or those whose names say a part, by how they begin.

    Folders below it are not looked at.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []
    named = [path for path in paths if path.suffix.lower() in SUFFIXES or part(path) is not None]
    return [path for path in named if tree.holds(path.is_file) and path.suffix.lower() not in LINES and is_one(path)]


def part(file: Path) -> str | None:
    """The part that a file's name says: eng.testa, dev.conll, en_ewt-ud-train.conllu."""
    for word in re.split(r"[^a-z0-9]+", file.name.lower()):
        found = _PARTS.get(word) or part_of(word)
        if found is not None:
            return found
    return None
