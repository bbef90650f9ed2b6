"""Reliability and risk against coverage: whether stated confidences mean what they say, and what they are good for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.ship.report.blocks import Axis, Chart, Panel, Point, Prose, Series
from headstart.ship.report.facts import Facts

PLACE = 80


def show(facts: Facts) -> Panel | None:
    """Two curves for a task whose answers have confidences; else the sentence why there are none."""
    part, found = facts.judged, facts.trust
    if part is None:
        return None
    if "reliability" not in found or "selective" not in found:
        return None if not found.get("missing") else Panel("Confidence", PLACE, (Prose(str(found["missing"])),))
    lead = f"On {len(part):,} {part.words}. Confidence is {found['confidence']}."
    charts = (_reliability(found["reliability"]), _coverage(found["selective"], str(found["risk"])))
    return Panel("Confidence", PLACE, charts, lead)


def _reliability(found: Mapping[str, Any]) -> Chart:
    points = [
        Point(
            100 * each["confidence"],
            100 * each["share"]["value"],
            100 * each["share"]["low"],
            100 * each["share"]["high"],
            f"said {100 * each['confidence']:.1f} %, true {100 * each['share']['value']:.1f} %\n"
            f"{each['count']:,} answers, from {100 * each['low']:.1f} to {100 * each['high']:.1f} %",
        )
        for each in found["bins"]
    ]
    error = 100 * found["error"]
    return Chart(
        title="Reliability: how often what was said is so",
        alt=f"Share of answers that are true against their stated confidence, in {len(points)} bins of about as many "
        f"answers each; the mean distance from the diagonal is {error:.1f} points.",
        x=Axis("Stated confidence, %", high=100),
        y=Axis("True, %", high=100),
        series=[Series(f"{error:.1f} points off on average", points, "dot", colour="one")],
        diagonal="as often as was said",
    )


def _coverage(found: Mapping[str, Any], risk: str) -> Chart:
    def points(name: str) -> list[Point]:
        return [
            Point(100 * share, 100 * each, text=f"answering the surest {100 * share:.0f} %\n{100 * each:.2f} % wrong")
            for share, each in zip(found["coverage"], found[name], strict=True)
        ]

    whole = 100 * found["risk"][-1]
    return Chart(
        title="Risk and coverage: answering only when sure",
        alt=f"Risk ({risk}) when only the surest items are answered, against how many are; {whole:.1f} % when all are.",
        x=Axis("Items answered, the surest first, %", low=0, high=100),
        y=Axis(f"{risk[:1].upper()}{risk[1:]}, %", low=0),
        series=[
            Series("this model", points("risk"), colour="one"),
            Series("if confidence ordered them perfectly", points("ideal"), colour="baseline", dashed=True),
        ],
    )
