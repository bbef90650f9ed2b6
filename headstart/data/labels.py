"""Raw labels become plain values - text, numbers, tuples of them - and say which task they are for."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from headstart.base import discovery, naming
from headstart.base.errors import DataError
from headstart.data.printable import listing, printable

_NUMBER = re.compile(r"[+-]?[0-9]+(\.0+)?")
_JOINED = re.compile(r"[\s_-]+")

DEFAULT = "classification"
"""The task of labels that no task recognises."""


ASKED = "as asked"
"""Why a task was chosen that the user named."""


def plain(labels: Sequence[Any]) -> list[Any]:
    """Each label as text, a number, a truth or a tuple of these; None where it is missing (None, NaN, NA, empty text).

    Text is stripped, made printable and brought to Unicode's composed form, for one folder name may be spelt in two
    ways on two systems. Lists, sets and one-dimensional arrays become tuples.

    Raises:
        DataError: when a label is a mapping, or a container of containers.
    """
    return [_plain(label) for label in labels]


def names(labels: Sequence[Any]) -> list[str | None]:
    """Each label as one name, None where it is missing; see ``plain`` and ``naming.names``.

    Raises:
        DataError: when a label is a list or another container.
    """
    found = plain(labels)
    several = next((label for label in found if isinstance(label, tuple)), None)
    if several is not None:
        raise DataError(f"Several names where one is wanted: {listing(list(map(str, several)))}", expected="one name")
    return naming.names(found)


def task_of(labels: Sequence[Any], asked: str = "auto", implied: str = "") -> tuple[str, str]:
    """The task that plain labels are for, and why, in words; empty where there is nothing to say.

    Args:
        labels: as ``plain`` gives them.
        asked: "auto", or the task that the user named.
        implied: the task that the source is for, where it says so: the names of folders are classes.

    Raises:
        UnknownName: no such task.
    """
    if asked != "auto":
        discovery.load("tasks", asked)
        return asked, ASKED
    if implied:
        return implied, ""
    for name, plugin in discovery.plugins("tasks").items():
        why = plugin.load().recognise(labels)
        if why:
            return name, str(why)
    present = [label for label in labels if label is not None]
    numbers = bool(present) and all(_NUMBER.fullmatch(str(label)) for label in present)
    return DEFAULT, "few of the numbers differ, so they are taken as names" if numbers else ""


def chosen(task: str, why: str) -> str:
    """A line that says which task the labels are for, and why, as ``task_of`` gives them."""
    because = f", because {why} (--task chooses another)" if why else ""
    return f"Task: {task}{', as --task says' if why == ASKED else because}"


def is_missing(value: Any) -> bool:
    """True for None, NaN and pandas' NA and NaT."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def alike(classes: Iterable[str]) -> list[str]:
    """Groups of class names that differ only by case, spaces, hyphens or underscores, each as "Cat / cat"."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        groups[_JOINED.sub("", name.casefold())].append(name)
    return [" / ".join(group) for key, group in groups.items() if key and len(group) > 1]


def _plain(label: Any, *, inside: bool = False) -> Any:
    if hasattr(label, "item") and not getattr(label, "ndim", 1):
        label = label.item()
    if is_missing(label):
        return None
    if getattr(label, "ndim", 0) == 1:
        label = label.tolist()
    if isinstance(label, list | tuple | set | frozenset) and not inside:
        ordered = sorted(label, key=str) if isinstance(label, set | frozenset) else label
        return tuple(_plain(each, inside=True) for each in ordered)
    if isinstance(label, list | tuple | set | frozenset | dict) or hasattr(label, "ndim"):
        raise DataError(
            f"A label is a {type(label).__name__}: {printable(repr(label)[:80])}",
            expected="one class per item: text or a number; a list of names for several labels an item",
            next_move="for one-hot rows pass labels.argmax(axis=1)",
        )
    if isinstance(label, bytes):
        label = label.decode("utf-8", "replace")
    if isinstance(label, str):
        return printable(unicodedata.normalize("NFC", label).strip()) or None
    return label if isinstance(label, bool | int | float) else printable(str(label))
