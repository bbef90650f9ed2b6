"""Text of unknown origin made safe to show: file names and labels may hold line breaks, escapes and stray bytes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

LONGEST = 400
"""Characters of a name in a list of them."""
_JOINERS = "\u200c\u200d"
_QUIET = "\u00ad\u200b\u200e\u200f\u061c\u2060\ufeff"
"""Characters that are not seen and turn nothing round: hyphens at the end of a line, marks of direction, no-breaks."""


def printable(text: str) -> str:
    """The text with control, bidirectional-override and undecodable characters written as escapes.

    Right-to-left letters and the joiners that Persian, Indic scripts and emoji need stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _JOINERS else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def readable(text: str) -> str:
    """A text to be read, with its lines: what ``printable`` escapes is escaped, but spaces of every kind are spaces.

    Nothing of it can turn round what stands beside it on a page, or run there.
    """
    if text.isprintable():
        return text
    return "".join(_readable(char) for char in text)


def _readable(char: str) -> str:
    if char.isprintable() or char == "\n" or char in _JOINERS:
        return char
    if char in _QUIET:
        return ""
    if char in "\u2028\u2029\x0b\x0c\x85\r":
        return "\n"
    return " " if char.isspace() else char.encode("unicode_escape").decode("ascii")


def where(item: Any, position: int) -> str:
    """How a message names an item: its path, its own name, or its place in the source (counted from 1)."""
    if isinstance(item, PurePath):
        item = str(item)
    name = item if isinstance(item, str) else getattr(item, "name", None)
    return printable(name) if isinstance(name, str) and name else f"item {position + 1}"


def listing(names: list[str], most: int = 5) -> str:
    """The first names, comma separated, and how many more there are; of a name that is a text, its beginning."""
    shown = ", ".join(name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, as in "1 image" or "1,200 images"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Iterable[str]) -> str:
    """All names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    found = list(names)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
