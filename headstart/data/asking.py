"""Texts that a model is asked about: strings and files of a program; files, tables, lines, sentences of a command."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from headstart.base import discovery, natural
from headstart.base.errors import BadSource
from headstart.data import kinds, tree, written
from headstart.data.passages import Passage
from headstart.data.printable import printable

EXPECTED = "a sentence in quotes, text files, folders of them, tables (.csv, .jsonl), patterns, or - for lines"


def items(given: Any) -> list[Any]:
    """What ``Model.predict`` is given, as items: one text, or a list of texts, pairs of texts or paths of text files.

    A string is a text, unless it ends as a text file's name does. A folder stands for the text files in it.

    Raises:
        BadSource: when there is nothing to predict.
    """
    if isinstance(given, os.PathLike):
        path = Path(given)
        return _within(path) if tree.holds(path.is_dir) else [path]
    if isinstance(given, str | bytes | Passage):
        given = [given]
    found = list(given)
    if not found:
        raise BadSource("There is nothing to predict", expected="at least one text")
    texts = written.passages(found)
    # Texts stay what they were given as, so that answers show them.
    return texts.items if texts is not None and any(isinstance(each, Path) for each in texts.items) else found


def inputs(args: Iterable[str], *, stdin: BinaryIO | None = None, text: str | None = None) -> list[Any]:
    """The texts that arguments stand for, in the order given.

    Args:
        args: what was typed: a file, a folder, a table, a pattern, ``-`` for lines (or NUL-separated texts) on standard
            input, or, where it has a space in it and is no file, the text itself.
        stdin: where ``-`` reads from; the process's standard input by default.
        text: the text column of a table, or two with a comma between.

    Raises:
        BadSource: nothing was named, or what was named is not there.
        UnknownName: a table has no such column.
    """
    args = list(args)
    found: list[Any] = []
    for arg in args:
        found += _lines(stdin or sys.stdin.buffer) if arg == "-" else _meant(arg, text, several=len(args) > 1)
    if not found:
        raise BadSource("There is nothing to predict", where=printable(" ".join(args)), expected=EXPECTED)
    return found


def _lines(stream: BinaryIO) -> list[Any]:
    data = stream.read()
    whole = b"\0" in data
    lines = data.split(b"\0") if whole else data.splitlines()
    word = "text" if whole else "line"
    return [Passage((line,), f"{word} {number}") for number, line in enumerate(lines, start=1) if line.strip()]


def _meant(arg: str, text: str | None, *, several: bool) -> list[Any]:
    path = tree.as_path(arg)
    if path is None:
        raise BadSource("An empty name stands for no text")
    table = discovery.load("data.sources", "tablefile")
    if table.claims(arg):
        rows = table.texts(arg, text=text)
        return [Passage(row.texts, f"{arg}, {row.name}") for row in rows] if several else list(rows)
    if tree.holds(path.is_dir):
        return _within(path)
    if tree.holds(path.exists):
        return [path]
    if glob.has_magic(arg) and (matches := sorted(glob.glob(str(path), recursive=True), key=natural.key)):  # noqa: PTH207
        return [Path(name) for name in matches if Path(name).is_file()]
    if any(char.isspace() for char in arg.strip()) and not kinds.is_text_name(arg):
        return [Passage((arg,), arg)]
    raise BadSource(f"There is no file or folder {printable(arg)}", expected=tree.close(path) or EXPECTED)


def _within(folder: Path) -> list[Any]:
    found: Sequence[str] = tree.items(folder, tree.Tally(kind=kinds.TEXTS))
    if not found:
        raise BadSource(
            "There are no text files in this folder",
            where=printable(str(folder)),
            expected=".txt files in it or below it",
        )
    return [Path(name) for name in found]
