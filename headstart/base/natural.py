"""Natural order: 2 before 10, numbers by value, the same on every machine and file system."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

_RUNS = re.compile(r"([0-9]+)")


def key(text: str) -> tuple[Any, ...]:
    """A sort key under which runs of digits compare by value and letters without case; ties go by the exact text.

    Digits are compared as (length, text) without leading zeros, so a run of any length is fine.
    """
    runs: list[tuple[int, int, str]] = []
    for run in _RUNS.split(text):
        if run[:1].isdigit() and run.isascii():
            value = run.lstrip("0")
            runs.append((0, len(value), value))
        elif run:
            runs.append((1, 0, run.casefold()))
    return (tuple(runs), text)


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct names in natural order; by value when every one of them is a number (-1, 0, 0.5, 10)."""
    distinct = set(names)
    values = {name: _number(name) for name in distinct}
    if any(value is None for value in values.values()):
        return tuple(sorted(distinct, key=key))
    return tuple(sorted(distinct, key=lambda name: (values[name], key(name))))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
