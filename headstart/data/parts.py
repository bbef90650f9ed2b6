"""The names under which people keep the parts of a split."""

from __future__ import annotations

from typing import Any

from headstart.base.vocabulary import Part

_NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def part_of(name: Any) -> Part | None:
    """The part that a folder or a cell names, case and spaces aside; None if it names none."""
    return _NAMES.get(name.strip().casefold()) if isinstance(name, str) else None
