"""What an option of a strategy may be: checked before anything is written or computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headstart.base.errors import BadOption

Limits = Mapping[str, tuple[Callable[[Any], bool], str]]

LIMITS: Limits = {
    "rate": (lambda value: 0 < value <= 10, "a learning rate above 0, such as 0.001"),
    "epochs": (lambda value: value >= 1, "1 or more"),
    "batch_size": (lambda value: value >= 2, "2 or more"),
    "decay": (lambda value: 0 < value <= 1, "a factor above 0 and up to 1"),
    "weight_decay": (lambda value: 0 <= value <= 10, "0 or more"),
    "views": (lambda value: 1 <= value <= 64, "1 to 64"),
    "patience": (lambda value: value >= 0, "0 (never stop early) or more"),
    "statistics": (lambda value: value in ("auto", "kept", "updated"), "auto, kept or updated"),
    "penalty": (lambda value: 0 < value < float("inf"), "scikit-learn's C, above 0"),
}
"""Option name -> (what holds, in words), of the options that several strategies share."""


def check(options: Mapping[str, Any], own: Limits | None = None, *, group: str = "strategy") -> None:
    """Refuse values that cannot be trained with.

    Args:
        options: values by option name.
        own: limits of a strategy's own options, the ``LIMITS`` of its file.
        group: what stands before the name in ``--set``.

    Raises:
        BadOption: naming the option, its value and what was expected.
    """
    limits = {**LIMITS, **(own or {})}
    for name, value in options.items():
        if name not in limits or value is None:
            continue
        holds, expected = limits[name]
        if not holds(value):
            raise BadOption(f"Option {name} cannot be {value}", where=f"{group}.{name}", expected=expected)


def check_task(kind: str, tasks: Sequence[str] | None, strategy: str) -> None:
    """Refuse a task that a strategy is not for.

    Args:
        kind: of the task.
        tasks: the ``TASKS`` of the strategy's file; None is for all of them.
        strategy: its name.

    Raises:
        BadOption: naming the task, and what to do instead.
    """
    if tasks is not None and kind not in tasks:
        raise BadOption(
            f"Strategy {strategy} is not for {kind}",
            where="strategy",
            expected=f"a task of {' or '.join(tasks)}",
            next_move="--strategy partial, or auto",
        )
