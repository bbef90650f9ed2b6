"""What an option of a pretraining method may be: checked before anything is read or written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headstart.base.errors import BadOption

LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "epochs": (lambda value: value >= 1, "1 or more"),
    "batch_size": (lambda value: value >= 2, "2 or more"),
    "rate": (lambda value: 0 < value <= 10, "a learning rate above 0, such as 0.002"),
    "weight_decay": (lambda value: 0 <= value <= 10, "0 or more"),
    "smoothing": (lambda value: 0 <= value < 1, "0 up to, but not, 1"),
    "patience": (lambda value: value >= 0, "0 (never stop early) or more"),
    "strength": (lambda value: 0 <= value <= 2, "0 to 2"),
    "average": (lambda value: 0 <= value < 1, "0 up to, but not, 1"),
    "share": (lambda value: 0 < value <= 0.5, "above 0, up to 0.5; 0.15 is usual"),
    "length": (lambda value: 8 <= value <= 8192, "8 to 8192 tokens"),
    "vocabulary": (lambda value: 50 <= value <= 250_000, "50 to 250000 tokens"),
    "width": (lambda value: value >= 2, "2 or more"),
}
"""Option name -> (what holds, in words)."""


def check(options: Mapping[str, Any]) -> None:
    """Refuse values that cannot be trained with.

    Raises:
        BadOption: naming the option, its value and what was expected.
    """
    for name, value in options.items():
        if name not in LIMITS or value is None:
            continue
        holds, expected = LIMITS[name]
        if not holds(value):
            raise BadOption(f"Option {name} cannot be {value}", where=name, expected=expected)
