"""More labels: how the score of a probe grows with the labels, and what twice as many are expected to bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.ship.report.blocks import Axis, Chart, Panel, Point, Prose, Series, figure
from headstart.ship.report.drawing import inside
from headstart.ship.report.facts import Facts

PLACE = 45


def show(facts: Facts) -> Panel | None:
    """The measured scores, the fitted curve with its band up to twice the labels, and the gain in words."""
    found = facts.learning
    if not found:
        return None
    if not found.get("curve"):
        why = str(found.get("why") or "it was not measured")
        return Panel("More labels", PLACE, (Prose(f"What more labels would bring cannot be told: {why}."),))
    factor = 100 if found.get("percent") else 1
    chart = _chart(found, factor)
    return Panel("More labels", PLACE, (chart, Prose(_words(found, factor))), _lead(found))


def _lead(found: Mapping[str, Any]) -> str:
    return (
        f"The curve of {found.get('by', 'a probe')}, not of the sealed network; beyond the measured sizes it is a "
        "power law, and the band holds 95 % of those that fit."
    )


def _words(found: Mapping[str, Any], factor: float) -> str:
    labels = f"the {int(found['labels']):,} labels"
    if not found.get("told"):
        return f"What twice {labels} would bring cannot be told: {found.get('why')}."
    name = inside(str(found["title"]))
    text = f"Twice {labels} are expected to bring the probe {_gain(found['gain'], factor)} of {name}"
    sealed = found.get("sealed")
    if isinstance(sealed, Mapping):
        text += f", and {sealed['candidate']} {_gain(sealed['gain'], factor)} if its errors shrink alike"
    return text + "."


def _gain(gain: Mapping[str, float], factor: float) -> str:
    digits = ".1f" if factor == 100 else ".3g"
    value, low, high = (format(factor * gain[end], digits) for end in ("value", "low", "high"))
    return f"{value}{' points' if factor == 100 else ''} ({low} to {high})"


def _chart(found: Mapping[str, Any], factor: float) -> Chart:
    title, labels = str(found["title"]), int(found["labels"])
    unit = ", %" if factor == 100 else ""

    def point(size: float, at: Mapping[str, float], text: str) -> Point:
        value, low, high = (factor * float(at[end]) for end in ("value", "low", "high"))
        return Point(size, value, low, high, f"{text}\n{figure(value)}{unit[1:]} ({figure(low)} to {figure(high)})")

    measured = [
        point(size, at, f"measured with {size:,} labels")
        for size, at in sorted(zip(found["sizes"], found["scores"], strict=True), key=lambda pair: pair[0])
    ]
    curve = [point(at["labels"], at, f"{at['labels']:,} labels") for at in found["curve"]]
    series = [
        Series("fitted curve", curve, colour="one"),
        Series("measured", measured, "dot", colour="four"),
        Series(f"now: {labels:,} labels", [point(labels, found["now"], "now, by the curve")], "dot", "two"),
        Series(
            f"twice: {2 * labels:,}", [point(2 * labels, found["doubled"], "with twice the labels")], "dot", "three"
        ),
    ]
    now, then = (figure(factor * found[name]["value"]) for name in ("now", "doubled"))
    return Chart(
        title=f"{title} by number of labels",
        alt=f"{title} of a probe against the number of labels; {now}{unit[1:]} at {labels:,}, {then}{unit[1:]} "
        f"expected at {2 * labels:,}.",
        x=Axis("Labels", low=0),
        y=Axis(title + unit),
        series=series,
    )
