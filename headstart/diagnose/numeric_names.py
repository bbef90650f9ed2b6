"""Class names that look like amounts: a class each would forget that 12 lies between 11 and 13."""

from __future__ import annotations

import math

from headstart.base import discovery
from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import Inspection

THRESHOLD = 12
"""Classes; with fewer, numbers are more likely codes or grades."""


def examine(evidence: Inspection) -> Finding | None:
    """Many names that are all numbers, and are not simply counted through."""
    numbers = [_number(name) for name in evidence.classes]
    if len(numbers) < THRESHOLD or not all(math.isfinite(number) for number in numbers):
        return None
    low, high = min(numbers), max(numbers)
    if high - low + 1 == len(numbers):
        return None
    able = "regression" in discovery.plugins("tasks")
    return Finding(
        name="numeric_names",
        severity="warning",
        sentence=f"All {len(numbers)} class names are numbers, from {low:g} to {high:g}: these may be amounts",
        number=len(numbers),
        threshold=THRESHOLD,
        next_move="--task regression, if they are amounts" if able else "name another column with --label, if they are",
    )


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return math.nan
