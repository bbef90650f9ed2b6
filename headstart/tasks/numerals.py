"""Texts and numbers of a label column as numbers: points, decimal commas, exponents; nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

_POINT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]+(,[0-9]+)?")


def read(labels: Sequence[Any]) -> list[float | None] | None:
    """Every label as a number, None for one that is missing; None altogether if one of them is no finite number.

    Commas are decimal ones if all texts have at most one of them and no point: 1,5 is one and a half.
    """
    texts = [label for label in labels if isinstance(label, str)]
    commas = any("," in text for text in texts)
    pattern = _COMMA if commas else _POINT
    found: list[float | None] = []
    for label in labels:
        value = _number(label, pattern)
        if value is None and label is not None:
            return None
        found.append(value)
    return found


def _number(label: Any, pattern: re.Pattern[str]) -> float | None:
    if isinstance(label, bool) or not isinstance(label, int | float | str):
        return None
    if isinstance(label, str):
        if not pattern.fullmatch(label.strip()):
            return None
        label = label.strip().replace(",", ".")
    try:
        value = float(label)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None
