"""Unfamiliar items: how strange held-out and tested items are to the model, and where the line lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.ship.report.blocks import Axis, Card, Chart, Gallery, Panel, Point, Prose, Series
from headstart.ship.report.facts import Facts

PLACE = 82
TITLE = "Unfamiliar items"


def show(facts: Facts) -> Panel | None:
    """How strangeness is spread, what the line costs, and the strangest held-out items; or why nothing is measured."""
    found = facts.exhibits.get("unfamiliar")
    if not isinstance(found, Mapping):
        return None
    if found.get("missing"):
        return Panel(TITLE, PLACE, (Prose(f"The model does not tell unfamiliar items: {found['missing']}."),))
    try:
        blocks: list[Chart | Prose | Gallery] = [
            _spread(found),
            Prose(_tested(facts, found)),
            *_strangest(facts, found),
        ]
        return Panel(TITLE, PLACE, tuple(blocks), _lead(facts, found))
    except (KeyError, TypeError, ValueError, IndexError):
        # A run's files may be edited or of another version; the other panels are still worth showing.
        return Panel(TITLE, PLACE, (Prose("What the run kept of unfamiliar items cannot be read."),))


def _lead(facts: Facts, found: Mapping[str, Any]) -> str:
    rate = found["rate"]
    return (
        f"Strangeness is the distance from the nearest of {found['compared_with']:,} training {facts.modality}, in the "
        f"features of the network; above 1 the model calls an item unfamiliar. The line was drawn on "
        f"{found['held_out']:,} held-out {facts.modality}: about {_percent(rate['value'])} of {facts.modality} like "
        f"these will cross it (with so few held out it may be {_percent(rate['low'])} to {_percent(rate['high'])})."
    )


def _spread(found: Mapping[str, Any]) -> Chart:
    edges, tested = found["edges"], found.get("tested")
    series = [_bars("held-out items", found["held"], edges, "bar", "one")]
    if tested:
        series.append(_bars("test items", tested["counts"], edges, "line", "two"))
    return Chart(
        title="How strange items are",
        alt=f"Histogram of the strangeness of {sum(found['held']):,} held-out items; the line is at 1.",
        x=Axis("Strangeness; above 1 unfamiliar", low=0),
        y=Axis("Share of items, %", low=0),
        series=series,
        height=420,
    )


def _bars(name: str, counts: Sequence[int], edges: Sequence[float], mark: Any, colour: str) -> Series:
    whole = max(1, sum(counts))
    points = []
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        text = f"{low:.2f} to {high:.2f}\n{count:,} {name}"
        share = 100 * count / whole
        points.append(
            Point(low, share, text=text, wide=high) if mark == "bar" else Point((low + high) / 2, share, text=text)
        )
    return Series(name, points, mark, colour=colour)


def _tested(facts: Facts, found: Mapping[str, Any]) -> str:
    tested = found.get("tested")
    if not tested:
        return (
            "There is no test part, so nobody has counted how often the sealed model raises a false alarm: it is a "
            "network that was fitted once more, to all items."
        )
    share = tested["share"]
    counted = (
        f"Of {tested['items']:,} test {facts.modality}, which drew no line, {tested['flagged']:,} were called "
        f"unfamiliar: {_percent(share['value'])} (95 % interval {_percent(share['low'])} to {_percent(share['high'])})."
    )
    if not tested["flagged"] or "risk" not in tested:
        return counted
    return f"{counted} Of the others {_percent(tested['risk'])} were answered wrongly."


def _strangest(facts: Facts, found: Mapping[str, Any]) -> list[Chart | Prose | Gallery]:
    part = facts.held.get("validation")
    if part is None or not found["most"]:
        return []
    cards = []
    for each in found["most"]:
        item = facts.item(part, int(each["row"]))
        lines = (f"strangeness {each['strangeness']:.2f}", f"true: {item.truth}", f"said: {item.said}")
        alt = f"{item.where}: strangeness {each['strangeness']:.2f}"
        cards.append(Card(lines, ((item.picture, alt),) if item.picture else (), item.where))
    return [Prose("The strangest of the held-out items:"), Gallery(cards, "")]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
