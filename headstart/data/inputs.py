"""What ``predict`` is pointed at: files, folders, patterns, or a list on standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from headstart.base import discovery, natural
from headstart.base.errors import BadOption, BadSource
from headstart.data import tree
from headstart.data.pixels import is_image_name
from headstart.data.printable import printable


def collected(
    args: Iterable[str], *, modality: str, stdin: BinaryIO | None = None, text: str | None = None
) -> list[Any]:
    """What the arguments of ``predict`` stand for, as items of a modality; ``text`` names a table's text column.

    Raises:
        BadSource: nothing usable was named.
        BadOption: a text column for items that have none.
    """
    own = getattr(discovery.load("data", modality, kind="modality"), "asked", None)
    if own is not None:
        return list(own(args, stdin=stdin, text=text))
    if text is not None:
        raise BadOption(f"A model of {modality} reads no text column", where="--text", expected="a model of texts")
    return list(inputs(args, stdin=stdin))


def inputs(args: Iterable[str], *, stdin: BinaryIO | None = None) -> list[str]:
    """Paths of the images that the arguments name, each once, in the order given; folders in natural order.

    A folder stands for the images in it and below it. A pattern (``new/**/*.jpg``) is expanded here too, for shells
    that do not. ``-`` reads one path a line, or NUL-separated paths as ``find -print0`` writes them; files of such a
    list are not checked here, so that one bad line does not lose the others.

    Args:
        args: what was typed.
        stdin: where ``-`` reads from; the process's standard input by default.

    Raises:
        BadSource: nothing was named, a named file does not exist, or there is no image in what was named.
    """
    args = list(args)
    found: list[str] = []
    for arg in args:
        found += _listed(stdin or sys.stdin.buffer) if arg == "-" else _expanded(arg)
    if not found:
        raise BadSource(
            "There is nothing to predict",
            where=printable(" ".join(args)),
            expected="image files, folders with images, patterns, or - for a list on standard input",
        )
    return list(dict.fromkeys(found))


def _listed(stream: BinaryIO) -> list[str]:
    data = stream.read()
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()
    found: list[str] = []
    for name in (os.fsdecode(line) for line in lines if line.strip()):
        path = Path(name)
        found += tree.items(path, tree.Tally()) if tree.holds(path.is_dir) else [name]
    return found


def _expanded(arg: str) -> list[str]:
    path = tree.as_path(arg)
    if path is None:
        raise BadSource("An empty name stands for no file")
    if tree.holds(path.is_dir):
        found = tree.items(path, tree.Tally())
        if not found:
            raise BadSource(
                "There are no images in this folder",
                where=printable(arg),
                expected="image files in it or below it",
            )
        return found
    if os.path.lexists(path):
        return [str(path)]
    if glob.has_magic(arg):
        return _matches(arg, str(path))
    raise BadSource(
        f"There is no file or folder {printable(arg)}",
        expected=tree.close(path) or "the path of an image, a folder or a pattern",
    )


def _matches(arg: str, pattern: str) -> list[str]:
    # "*.dat" asks for those files; "new/*" asks for the images among what is there.
    asked = not glob.has_magic(Path(pattern).suffix) and bool(Path(pattern).suffix)
    found: list[str] = []
    for name in sorted(glob.glob(pattern, recursive=True), key=natural.key):  # noqa: PTH207 - an absolute pattern
        if Path(name).is_dir():
            found += [] if "**" in pattern else tree.items(Path(name), tree.Tally())
        elif asked or is_image_name(name):
            found.append(name)
    if not found:
        raise BadSource(f"No image matches {printable(arg)}", expected="a pattern of image files, such as 'new/*.jpg'")
    return found
