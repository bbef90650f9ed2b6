"""Durations as people write them."""

from __future__ import annotations

from headstart.base.errors import BadOption


def seconds(given: str | float, name: str = "budget") -> float:
    """A duration in seconds from "5ms", "90s", "10m", "1.5h" or a number; ``name`` is the option's, for the error.

    Raises:
        BadOption: for anything else, or nothing at all.
    """
    text = str(given).strip().lower()
    unit = next((name for name in ("ms", "s", "m", "h") if text.endswith(name)), "")
    try:
        value = float(text.removesuffix(unit)) * {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise BadOption(
            f"{name.capitalize().replace('_', ' ')} cannot be {given!r}",
            expected="a duration above 0, such as 90s, 10m or 1.5h",
        )
    return value
