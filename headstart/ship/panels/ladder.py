"""The ladder: why each rung was climbed or not, its gain and what that cost, and what the textbook would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.base.vocabulary import Interval
from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Cell, Pairs, Panel, Table
from headstart.ship.report.drawing import drawn, ends, scaled, seconds, text_of
from headstart.ship.report.facts import Facts

PLACE = 32
UNITS = (("gain_per_second", 1.0), ("gain_per_trainable", 1e6), ("gain_per_flop", 1e12))
"""Entry of a rung, and the size of the unit that its gain is told for."""


def show(facts: Facts) -> Panel | None:
    """A row a rung, in the order of the climb; nothing for a run that kept no account of it."""
    rungs = [rung for rung in facts.ladder.get("rungs") or () if isinstance(rung, Mapping)]
    climbed = [rung for rung in rungs if rung.get("kind") == "transfer"]
    if not climbed:
        return None
    metric = facts.metrics.get(str(facts.ladder.get("metric")))
    stopped = text_of(facts.ladder.get("stopped"))
    lead = "Cheapest first; a gain is over the best transferred candidate before, on the same validation items."
    if stopped:
        lead += f" It stopped because {stopped}."
    if draws := text_of(facts.ladder.get("draws")):
        lead += f" {draws}."
    blocks = [_table(climbed, metric), *_textbook(facts.ladder.get("textbook"))]
    return Panel("The ladder", PLACE, tuple(blocks), lead)


def _table(rungs: Sequence[Mapping[str, Any]], metric: Metric | None) -> Table:
    gains = [gain for rung in rungs if (gain := _interval(rung.get("gain"), metric)) is not None]
    unit = "points" if metric is not None and metric.percent else "" if metric is None else metric.title
    heads = ["Rung", "Decision", f"Gain, {unit}" if unit else "Gain", "95 % interval"]
    heads += ["A second", "A million trainable", "1e12 multiply-adds"]
    rows = []
    for rung in rungs:
        gain = _interval(rung.get("gain"), metric)
        name = Cell(text_of(rung.get("name")), tag="sealed" if rung.get("sealed") else "")
        decision = Cell(text_of(rung.get("decision")), note=text_of(rung.get("why")))
        rows.append([name, decision, *_gain(gain, gains, rung), *_costs(rung, gain, metric)])
    strong = [place for place, rung in enumerate(rungs) if rung.get("sealed")]
    note = "What was gained for a second of training, a million parameters that moved, and 1e12 multiply-adds."
    return Table(heads, rows, "Every rung", (2, 4, 5, 6), strong, note)


def _gain(gain: Interval | None, all_of_them: Sequence[Interval], rung: Mapping[str, Any]) -> list[Cell]:
    if gain is None:
        spent = rung.get("seconds")
        return [Cell("–"), Cell("", note=f"{seconds(spent)} s" if isinstance(spent, int | float) and spent else "")]
    over = f"{gain.low:+.1f} to {gain.high:+.1f} over {text_of(rung.get('over'))}"
    return [Cell(f"{gain.value:+.1f}"), Cell(over, drawn=drawn(gain, ends(all_of_them), "transfer"))]


def _costs(rung: Mapping[str, Any], gain: Interval | None, metric: Metric | None) -> list[Cell]:
    scale = 100.0 if metric is not None and metric.percent else 1.0
    cells = []
    for name, size in UNITS:
        value = rung.get(name)
        if gain is None or gain.value <= 0 or not isinstance(value, int | float):
            cells.append(Cell("–"))
        else:
            found = scale * size * value
            cells.append(Cell(f"{found:,.3g}" if found < 1000 else f"{found:,.0f}"))
    return cells


def _textbook(rule: Any) -> list[Pairs]:
    if not isinstance(rule, Mapping) or not rule.get("cell"):
        return []
    agreed = rule.get("agreed")
    word = "It cannot tell" if agreed is None else "It agreed" if agreed else "It did not agree"
    return [
        Pairs(
            [
                ("The textbook's cell", text_of(rule.get("cell"))),
                ("Its advice", text_of(rule.get("advice"))),
                ("The measurement", f"{word}: {text_of(rule.get('why'))}"),
            ]
        )
    ]


def _interval(found: Any, metric: Metric | None) -> Interval | None:
    if not isinstance(found, Mapping):
        return None
    values = [found.get(name) for name in ("value", "low", "high")]
    if not all(isinstance(value, int | float) for value in values):
        return None
    gain = Interval(*map(float, values))  # type: ignore[arg-type]
    return gain if metric is None else scaled(metric, gain)
