"""Whether items in memory are texts: strings that are no paths, pairs of strings, or paths of text files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data import tree
from headstart.data.kinds import is_text_name
from headstart.data.passages import Passage
from headstart.data.pixels import is_image_name
from headstart.data.printable import count

LONGEST = 1_024
"""Letters beyond which a string is no path."""
_LOOKED_AT = 400


@dataclass(frozen=True, slots=True)
class Written:
    """The items as the modality takes them, and how they were read, in words."""

    items: list[Any]
    how: str


def passages(items: Sequence[Any]) -> Written | None:
    """The items as texts; None where they are something else.

    Strings are decided on together: they are paths if at least half of them end as an image's or a text's file does, or
    lead to a file. So a text is never opened as a file by chance.

    Args:
        items: values in memory, None where there is none.
    """
    there = [item for item in items if item is not None]
    if there and all(_is_pair(item) for item in there):
        made = [Passage(_pair(item), f"item {place}") for place, item in enumerate(items, start=1)]
        return Written(made, f"{count(len(there), 'pair')} of texts that belong together")
    strings = [os.fspath(item) for item in there if isinstance(item, (str, os.PathLike))]
    if not strings or len(strings) < len(there):
        return None
    if _mostly(strings, looks_like_path):
        if not _mostly(strings, is_text_name):
            return None
        paths = [None if item is None else Path(item) for item in items]
        return Written(paths, f"with {count(len(there), 'path')} of text files as items")
    made = [Passage((item,), f"item {place}") for place, item in enumerate(items, start=1)]
    return Written(made, "read as texts, for the strings are no paths of files")


def looks_like_path(text: str) -> bool:
    """True if it ends as an image's or a text's file does, or leads to a file."""
    if len(text) > LONGEST or "\n" in text:
        return False
    return is_image_name(text) or is_text_name(text) or tree.holds(Path(text).is_file)


def is_pairs(values: np.ndarray) -> bool:
    """True for an array (n, 2) of strings."""
    return values.ndim == 2 and values.shape[1] == 2 and (values.dtype.kind == "U" or all(map(_is_pair, values)))


def _mostly(strings: Sequence[str], check: Callable[[str], bool]) -> bool:
    looked_at = strings[:: max(1, len(strings) // _LOOKED_AT)]
    return 2 * sum(map(check, looked_at)) >= len(looked_at)


def _is_pair(item: Any) -> bool:
    if isinstance(item, np.ndarray) and item.ndim == 1:
        item = item.tolist()
    return isinstance(item, (tuple, list)) and len(item) == 2 and all(isinstance(each, str) for each in item)


def _pair(item: Any) -> tuple[Any, ...]:
    return (None, None) if item is None else tuple(str(each) for each in item)
