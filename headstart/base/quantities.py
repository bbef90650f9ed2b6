"""Durations and sizes as people write them."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.base.errors import BadOption

DURATIONS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
"""What stands behind a number -> seconds; the longer names first, for they end alike."""
SIZES = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "b": 1.0, "": 1.0}
"""What stands behind a number -> bytes."""


def seconds(given: str | float, name: str = "budget") -> float:
    """A duration in seconds from "5ms", "90s", "10m", "1.5h" or a number; ``name`` is the option's, for the error.

    Raises:
        BadOption: for anything else, or nothing at all.
    """
    return _read(given, name, DURATIONS, "a duration above 0, such as 90s, 10m or 1.5h")


def size(given: str | float, name: str = "size") -> float:
    """A size in bytes from "20MB", "1.5 GB" or a number; ``name`` is the option's, for the error.

    Raises:
        BadOption: for anything else, or nothing at all.
    """
    return _read(given, name, SIZES, "a size above 0, such as 500kB, 20MB or 1GB")


def written(size: float) -> str:
    """Bytes in a few letters: ``31 B``, ``1.2 MB``."""
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f} {letters}"
    return f"{size:.0f} B"


def _read(given: str | float, name: str, units: Mapping[str, float], expected: str) -> float:
    text = str(given).strip().lower()
    unit = next(each for each in units if text.endswith(each))
    try:
        value = float(text.removesuffix(unit)) * units[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise BadOption(f"{name.capitalize().replace('_', ' ')} cannot be {given!r}", expected=expected)
    return value
