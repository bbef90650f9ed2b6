"""Why each rung of the ladder was climbed or not, in 80 columns: what ``fit --explain`` and ``runs explain`` print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.base import discovery
from headstart.base.errors import RunError
from headstart.base.manifest import plain
from headstart.base.run import Run
from headstart.base.vocabulary import Interval
from headstart.cli import tables
from headstart.data.printable import printable

if TYPE_CHECKING:
    from headstart.measure.metric import Metric

INDENT = "    "
_COSTS = (
    ("A second", "gain_per_second", 1.0),
    ("A million", "gain_per_trainable", 1e6),
    ("A TFLOP", "gain_per_flop", 1e12),
)
"""Column, entry of a rung, and the size of the unit; a million trainable parameters, 1e12 multiply-adds."""


def run_in(folder: Path) -> Run:
    """The run of a model folder, or the run directory itself.

    Raises:
        RunError: when there is none, or it kept no account of its ladder.
    """
    run = next((run for run in (Run(folder / "run"), Run(folder)) if run.exists()), None)
    if run is None:
        raise RunError(f"There is no run in {folder}", expected="a folder that headstart fit wrote")
    if not run.ladder.get("rungs"):
        raise RunError(
            f"The run in {folder} kept no account of its ladder",
            next_move="it is from an earlier version, or was stopped before the first rung; fit again",
        )
    return run


def show(run: Run, *, as_json: bool = False) -> None:
    """Print the account of a run's ladder."""
    ladder = run.ladder
    if as_json:
        print(json.dumps(plain(ladder), ensure_ascii=False))
        return
    metric = _metric(run, str(ladder.get("metric", "")))
    for line in lines(ladder, metric):
        print(printable(line) if line else "")
    rows = _costs(ladder.get("rungs", []), metric)
    if rows:
        unit = "points" if metric is not None and metric.percent else metric.title if metric is not None else ""
        said = f"What was gained, {unit}, and that a second, a million trainable parameters, and 1e12 multiply-adds:"
        print("\n" + tables.wrapped(said) + "\n")
        tables.show(("Rung", "Gain", *(head for head, _, _ in _COSTS)), rows, right=(1, 2, 3, 4), fold=(0,))


def lines(ladder: Mapping[str, Any], metric: Metric | None) -> list[str]:
    """The account as lines of text."""
    found = ["Why each rung was climbed or not:", ""]
    for rung in ladder.get("rungs", []):
        found += [*_wrapped(_headline(rung, metric)), *_wrapped(f"{INDENT}{rung.get('why') or ''}", INDENT)]
    if ladder.get("stopped"):
        found += ["", *_wrapped(f"Then it stopped: {ladder['stopped']}.", INDENT)]
    if ladder.get("draws"):
        found += ["", *_wrapped(f"{ladder['draws']}.", INDENT)]
    found += _textbook(ladder.get("textbook") or {})
    return found


def _headline(rung: Mapping[str, Any], metric: Metric | None) -> str:
    parts = [f"{rung.get('name')}: {rung.get('decision')}"]
    gain = _interval(rung.get("gain"))
    if gain is not None and metric is not None:
        parts.append(f"{metric.lead(gain)} {rung.get('over')}")
    if rung.get("seconds"):
        parts.append(f"{rung['seconds']:.1f} s")
    if rung.get("sealed"):
        parts.append("this one is sealed")
    return ", ".join(parts)


def _textbook(rule: Mapping[str, Any]) -> list[str]:
    if not rule:
        return []
    agreed = rule.get("agreed")
    word = "cannot tell" if agreed is None else "agreed" if agreed else "did not agree"
    return [
        "",
        *_wrapped(f"The textbook's rule for data that are {rule.get('cell')}: {rule.get('advice')}.", INDENT),
        *_wrapped(f"The measurement {word}: {rule.get('why')}", INDENT),
    ]


def _costs(rungs: Sequence[Mapping[str, Any]], metric: Metric | None) -> list[tuple[str, ...]]:
    """The rungs that gained something, in points or the score's own unit."""
    scale = 100.0 if metric is not None and metric.percent else 1.0
    rows = []
    for rung in rungs:
        gain = _interval(rung.get("gain"))
        if gain is not None and gain.value > 0:
            each = (_number(rung.get(name), scale * size) for _, name, size in _COSTS)
            rows.append((str(rung.get("name")), f"{scale * gain.value:+.1f}", *each))
    return rows


def _number(value: Any, scale: float) -> str:
    if not isinstance(value, int | float):
        return "-"
    found = scale * value
    return f"{found:,.3g}" if found < 1000 else f"{found:,.0f}"


def _interval(found: Any) -> Interval | None:
    return Interval(found["value"], found["low"], found["high"]) if isinstance(found, Mapping) else None


def _metric(run: Run, name: str) -> Metric | None:
    kind = str(run.config.get("task", ""))
    known = discovery.load("tasks", kind).METRICS if kind in discovery.plugins("tasks") else {}
    return known.get(name)


def _wrapped(text: str, indent: str = "") -> list[str]:
    return tables.wrapped(text, indent=indent or INDENT).split("\n")
