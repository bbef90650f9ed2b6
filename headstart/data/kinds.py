"""Which files are items, by the endings of their names: pictures or texts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from headstart.data.pixels import is_image_name

TEXT_SUFFIXES = frozenset({".txt", ".text"})
"""File names that promise a text, lower case."""
OUTNUMBERED = 10
"""Texts for each picture of a folder from which on it is one of texts; captions are as many as their pictures."""
_LOOKED_AT = 4_000


def is_text_name(name: str) -> bool:
    """True if the name ends as a text file's does."""
    return Path(name).suffix.lower() in TEXT_SUFFIXES


@dataclass(frozen=True, slots=True)
class Kind:
    """Files that are items of one modality.

    Attributes:
        modality: its name.
        noun: what one item is called.
        suffix: what the name of such a file commonly ends in.
        owns: True for the names of such files.
    """

    modality: str
    noun: str
    suffix: str
    owns: Callable[[str], bool]


IMAGES = Kind("images", "image", ".jpg", is_image_name)
TEXTS = Kind("texts", "text", ".txt", is_text_name)
KINDS = (IMAGES, TEXTS)


def of_modality(name: str) -> Kind:
    """The kind of a modality's files; pictures for one that has none of its own."""
    return next((kind for kind in KINDS if kind.modality == name), IMAGES)


def within(folder: Path) -> Kind:
    """What the files in a folder and below it are, by the first 4,000 of them."""
    images = texts = 0
    for name in itertools.islice(_names(folder), _LOOKED_AT):
        images += is_image_name(name)
        texts += is_text_name(name)
    return TEXTS if texts >= OUTNUMBERED * images and texts else IMAGES


def _names(folder: Path) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    for at, folders, files in os.walk(folder, followlinks=True):
        status = Path(at).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link back to where we came from
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (name for name in files if not name.startswith("."))
