"""What a smaller export costs: its scores beside the exact one's on the same held-out items, its size, its time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base import discovery
from headstart.base.errors import ExportError, Undecodable
from headstart.base.manifest import plain
from headstart.base.vocabulary import Interval
from headstart.data.opening import open_source
from headstart.measure import intervals
from headstart.ship import evaluation
from headstart.ship.sealed import Model

if TYPE_CHECKING:
    from headstart.ship.exporting import Reloaded

ROUNDS = 15
"""Passes over the timed items, the two exports in turn."""
POINT = 0.01


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Items to measure on.

    Attributes:
        items: what the modality decodes.
        targets: of the n items.
        notes: what they are, and what was left out.
    """

    items: tuple[Any, ...]
    targets: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """The exact export and the smaller one, side by side.

    Attributes:
        size: bytes of the exact export, and of the smaller one.
        milliseconds: median time of an item in either, one at a time.
        scores: metric -> {"exact", "now", "gain"}; gain is how much better the smaller one is, paired, with its 95 %
            interval; empty if it was not measured.
        n: held-out items.
        notes: sentences that say all this.
    """

    size: tuple[int, int]
    milliseconds: tuple[float, float]
    scores: dict[str, dict[str, Any]]
    n: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: plain(getattr(self, name)) for name in self.__slots__}


def held_out(
    model: Model,
    source: Any = None,
    *,
    label: str | None = None,
    path: str | None = None,
    text: str | Sequence[str] | None = None,
) -> HeldOut | None:
    """The labelled items of a source, or the validation items that the model's run kept; None if there are none.

    Raises:
        DataError: when the source cannot be used.
    """
    if source is not None:
        given = evaluation.examples(open_source(source, label=label, path=path, text=text), model.task)
        return HeldOut(given.items, given.targets, given.notes)
    return kept(model)


def kept(model: Model) -> HeldOut | None:
    """The run's validation items that are still where they were, and what they were; None if there are none.

    Raises:
        RunError: when the run's files are damaged.
    """
    run = model.run
    rows = list(run.held_out.get("validation", ())) if run is not None else []
    targets = run.arrays("validation").get("targets") if run is not None and rows else None
    if targets is None or len(targets) != len(rows):
        return None
    digest = discovery.load("data", model.manifest.modality).digest
    found: list[int] = []
    gone = {"are no files": 0, "are no longer where they were": 0, "changed": 0}
    for number, row in enumerate(rows):
        path = row.get("path")
        if not isinstance(path, str):
            gone["are no files"] += 1
            continue
        try:
            if digest(path) == row.get("digest"):
                found.append(number)
            else:
                gone["changed"] += 1
        except Undecodable:
            gone["are no longer where they were"] += 1
    left_out = "".join(f", {count} {words}" for words, count in gone.items() if count)
    notes = [f"Those are {len(found):,} of the {len(rows):,} validation items of the fit{left_out}"]
    notes.append("The sealed model has learnt from them since, so both scores flatter it; their difference is the cost")
    if not found:
        return None
    return HeldOut(tuple(str(rows[number]["path"]) for number in found), targets[found], tuple(notes))


def cost(
    model: Model,
    exact: Reloaded,
    now: Reloaded,
    *,
    held: HeldOut | None,
    paths: tuple[Path, Path],
    timed: Sequence[Any],
) -> Cost:
    """Measure both exports.

    Args:
        model: what they come from.
        exact, now: the exact export and the smaller one.
        held: items to score them on.
        paths: their files.
        timed: raw items to time them with.

    Raises:
        ExportError: when the smaller one gives nothing usable.
    """
    size = (paths[0].stat().st_size, paths[1].stat().st_size)
    taken = _timed(exact, now, timed)
    said = [_sized(size, taken)]
    if taken[1] > taken[0]:
        said.append("It is slower than the exact export on this machine: here it gains room only")
    if held is None:
        said.append(
            "What it costs in accuracy was not measured: no validation items are at hand (--validate SOURCE names some)"
        )
        return Cost(size, taken, {}, 0, tuple(said))
    first, second = (_scored(each, held.items) for each in (exact, now))
    scores: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys((model.task.points, *model.task.shown[:2])):
        metric = model.task.metric(name)
        scores[name] = {
            "exact": metric.score(first, held.targets),
            "now": metric.score(second, held.targets),
            "gain": intervals.gain(metric, second, first, held.targets).as_dict(),
        }
    notes = (*_said(model, scores, len(held.items)), *held.notes, *said)
    return Cost(size, taken, scores, len(held.items), notes)


def _scored(export: Reloaded, items: Sequence[Any]) -> np.ndarray:
    found = export.score(items)
    if not np.isfinite(found).all():
        raise ExportError("The smaller export gives predictions that are no numbers", next_move="export without it")
    return found


def _said(model: Model, scores: dict[str, dict[str, Any]], n: int) -> list[str]:
    metric = model.task.metric(model.task.points)
    found = scores[metric.name]
    gain = Interval(**found["gain"])
    each = [metric.text(Interval(found[key], found[key], found[key])).split(" (")[0] for key in ("exact", "now")]
    points = tuple(100 * value for value in (gain.value, gain.low, gain.high))
    notes = [
        f"{metric.title} on {n:,} items: {each[1]}, where the exact export has {each[0]}; a difference of "
        f"{points[0]:+.1f} points (95 % interval {points[1]:+.1f} to {points[2]:+.1f})"
    ]
    if gain.value < -POINT:
        notes.append("That is more than a point: take the exact export unless size matters more")
    return notes


def _sized(size: tuple[int, int], taken: tuple[float, float]) -> str:
    return (
        f"{size[1] / 1e6:.1f} MB instead of {size[0] / 1e6:.1f} MB, {taken[1]:.1f} ms an item instead of "
        f"{taken[0]:.1f} ms (medians, one at a time)"
    )


def _timed(exact: Reloaded, now: Reloaded, items: Sequence[Any]) -> tuple[float, float]:
    """Median milliseconds of an item; the two take turns, so that a busy machine slows both."""
    found: tuple[list[float], list[float]] = ([], [])
    for item in items:
        for export in (exact, now):
            export.score([item])
    for _ in range(ROUNDS):
        for item in items:
            for export, times in zip((exact, now), found, strict=True):
                start = time.perf_counter()
                export.score([item])
                times.append(1000 * (time.perf_counter() - start))
    return statistics.median(found[0]), statistics.median(found[1])
