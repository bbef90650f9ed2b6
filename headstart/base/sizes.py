"""Sizes as people write them."""

from __future__ import annotations

from headstart.base.errors import BadOption

UNITS = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "b": 1.0, "": 1.0}
"""What stands behind a number -> bytes; the longer names first, for they end alike."""


def number(given: str | float, name: str = "size") -> float:
    """A size in bytes from "20MB", "1.5 GB" or a number; ``name`` is the option's, for the error.

    Raises:
        BadOption: for anything else, or nothing at all.
    """
    text = str(given).strip().lower()
    unit = next(each for each in UNITS if text.endswith(each))
    try:
        value = float(text.removesuffix(unit)) * UNITS[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise BadOption(
            f"{name.capitalize().replace('_', ' ')} cannot be {given!r}",
            expected="a size above 0, such as 500kB, 20MB or 1GB",
        )
    return value


def text(size: float) -> str:
    """Bytes in a few letters: ``31 B``, ``1.2 MB``."""
    for unit, letters in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f} {letters}"
    return f"{size:.0f} B"
