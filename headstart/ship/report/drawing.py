"""Words, colours and scales that several panels share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headstart.base.vocabulary import Interval
from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Card, Drawn
from headstart.ship.report.facts import Item

COLOURS = {"transfer": "transfer", "scratch": "scratch", "baseline": "baseline"}
"""Kind of a candidate -> its colour everywhere on the page."""
KIND_WORDS = {"transfer": "transferred", "scratch": "from scratch", "baseline": "no network"}
"""Kind of a candidate -> what it is called, as on the command line."""
PALETTE = ("one", "two", "three", "four", "five", "six")
"""Colours of things that have no meaning of their own."""


def ends(scores: Sequence[Interval]) -> tuple[float, float]:
    """The ends of an axis that holds all the intervals, with a little room."""
    low, high = min(each.low for each in scores), max(each.high for each in scores)
    room = 0.04 * (high - low) or 0.5
    return low - room, high + room


def drawn(score: Interval, scale: tuple[float, float], colour: str) -> Drawn:
    """An interval on an axis."""
    low, high = scale
    left, middle, right = (
        round(min(1.0, max(0.0, (each - low) / (high - low))), 4) for each in (score.low, score.value, score.high)
    )
    return Drawn(left, middle, right, colour)


def scaled(metric: Metric, score: Interval) -> Interval:
    """A score in the unit that it is shown in."""
    factor = 100 if metric.percent else 1
    return Interval(factor * score.value, factor * score.low, factor * score.high)


def unit(metric: Metric) -> str:
    """What stands behind a title on an axis."""
    return ", %" if metric.percent else ""


def inside(title: str) -> str:
    """A title inside a sentence: ``Log loss`` has a small letter there, ``RMSE`` and ``R²`` have none."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def count(number: int) -> str:
    """A number of parameters in a few letters: ``11.2 M``."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return str(number)


def seconds(value: float) -> str:
    """A time for a table."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def card(item: Item, *more: str) -> Card:
    """An item with its picture, what it is and what was said."""
    alt = f"{item.where}: {item.truth}, predicted {item.said}"
    pictures = ((item.picture, alt),) if item.picture else ()
    return Card((f"true: {item.truth}", f"said: {item.said}", *more), pictures, item.where)


def text_of(value: Any) -> str:
    """What a run's file holds as text, whatever it is; "" for nothing."""
    return "" if value is None else str(value)
