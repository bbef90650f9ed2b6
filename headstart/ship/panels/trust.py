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
    lead = f"On {len(part):,} {part.words}. Confidence is {found['confidence']}.{_off(found['reliability'])}"
    charts = (_reliability(found["reliability"]), _coverage(found["selective"], str(found["risk"]), _flag(facts)))
    return Panel("Confidence", PLACE, charts, lead)


def _off(reliability: Mapping[str, Any]) -> str:
    """How far confidence is from the truth, and how sure that is."""
    found = reliability.get("interval")
    if not isinstance(found, Mapping):
        return ""
    return (
        f" It is {100 * found['value']:.1f} points off on average, of which {100 * found['low']:.1f} to "
        f"{100 * found['high']:.1f} are the model's own and not chance in so few items (95 % interval)."
    )


def _flag(facts: Facts) -> tuple[float, float] | None:
    """Coverage and risk of answering familiar test items only."""
    unfamiliar = facts.exhibits.get("unfamiliar")
    tested = unfamiliar.get("tested") if isinstance(unfamiliar, Mapping) else None
    if facts.judged is None or facts.judged.name != "tested" or not isinstance(tested, Mapping):
        return None
    coverage, risk = tested.get("coverage"), tested.get("risk")
    return (coverage, risk) if isinstance(coverage, float) and isinstance(risk, float) else None


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


def _coverage(found: Mapping[str, Any], risk: str, flag: tuple[float, float] | None) -> Chart:
    def points(name: str) -> list[Point]:
        return [
            Point(100 * share, 100 * each, text=f"answering the surest {100 * share:.0f} %\n{100 * each:.2f} % wrong")
            for share, each in zip(found["coverage"], found[name], strict=True)
        ]

    whole = 100 * found["risk"][-1]
    more = []
    if flag is not None:
        said = f"answering all but the unfamiliar, {100 * flag[0]:.1f} %\n{100 * flag[1]:.2f} % wrong"
        more = [Series("all but unfamiliar items", [Point(100 * flag[0], 100 * flag[1], text=said)], "dot", "two")]
    return Chart(
        title="Risk and coverage: answering only when sure",
        alt=f"Risk ({risk}) when only the surest items are answered, against how many are; {whole:.1f} % when all are.",
        x=Axis("Items answered, the surest first, %", low=0, high=100),
        y=Axis(f"{risk[:1].upper()}{risk[1:]}, %", low=0),
        series=[
            Series("this model", points("risk"), colour="one"),
            Series("if confidence ordered them perfectly", points("ideal"), colour="baseline", dashed=True),
            *more,
        ],
    )
