"""Source and target: what the pretrained features are worth here, stage by stage, and how far away the source is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.ship.report.blocks import Axis, Chart, Pairs, Panel, Point, Prose, Series, figure
from headstart.ship.report.facts import Facts

PLACE = 35


def show(facts: Facts) -> Panel | None:
    """The depth profile of the probe strength, the gains, and the distances where the source left statistics."""
    found = facts.similarity
    stages = found.get("stages")
    if not stages:
        return None
    rows = [*_gains(found), *_slope(found), *_distances(found.get("distances"))]
    lead = (
        f"Probe strength is 0 for what guessing scores and 1 for no mistake, on {int(found['items']):,} development "
        "items, each answered by a probe that was fitted to others."
    )
    return Panel("Source and target", PLACE, (_profile(found, stages), Pairs(rows), *_missing(found)), lead)


def _profile(found: Mapping[str, Any], stages: list[Mapping[str, Any]]) -> Chart:
    points = [
        Point(
            each["stage"],
            each["value"],
            each["low"],
            each["high"],
            f"stage {each['stage']}, {each['name']}\n{figure(each['value'])} ({figure(each['low'])} to "
            f"{figure(each['high'])})",
        )
        for each in stages
    ]
    best = found["best_stage"]
    return Chart(
        title="Probe strength by stage",
        alt=f"Probe strength after each of {len(stages)} stages; the best is stage {best}, "
        f"{figure(found['probe_strength']['value'])}.",
        x=Axis("Stage", low=1, high=len(stages), whole=True),
        y=Axis(f"Strength of {found['title'].lower()}", high=1),
        series=[Series(f"best at stage {best} of {len(stages)}", points, colour="transfer")],
        height=260,
    )


def _gains(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    words = {"over_random": "Over random weights", "over_raw": "Over no network"}
    rows = []
    for name, word in words.items():
        gain = found.get(name)
        if isinstance(gain, Mapping):
            value, low, high = (f"{100 * gain[end]:.1f}" for end in ("value", "low", "high"))
            rows.append((word, f"{value} points ({low} to {high}), against {gain['against']}"))
        else:
            rows.append((word, "not measured"))
    return rows


def _slope(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    slope = found.get("slope")
    if slope is None:
        return []
    return [("A doubling of the labels", f"has taken {100 * slope:.0f} % of the probe's squared error away so far")]


def _distances(found: Any) -> list[tuple[str, str]]:
    if not isinstance(found, Mapping) or "frechet" not in found:
        return []
    far, apart, proxy = found["frechet"], found["mmd"], found["proxy_a"]
    sure = "; it tells nearly every item, so a larger value would mean nothing" if proxy.get("saturated") else ""
    return [
        (
            "Fréchet distance",
            f"{far['value']:.3g} of the source's variance; {far['source_itself']:.3g} for new items of the source",
        ),
        ("MMD²", f"{apart['value']:.2g}; chance alone stays below {apart['noise']:.2g} (p = {apart['p']:.3f})"),
        (
            "Proxy A-distance",
            f"{proxy['value']:.2f} ({proxy['low']:.2f} to {proxy['high']:.2f}) of at most 2{sure}",
        ),
    ]


def _missing(found: Mapping[str, Any]) -> tuple[Prose, ...]:
    distances = found.get("distances")
    why = distances.get("missing") if isinstance(distances, Mapping) else None
    return (Prose(f"No distance to the source: {why}.", "quiet"),) if why else ()
