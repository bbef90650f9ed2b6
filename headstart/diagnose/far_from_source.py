"""Far from the source: features of the target lie elsewhere than those that the network was trained on."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.base.run import Run
from headstart.base.vocabulary import Finding

THRESHOLD = 0.5
"""Fréchet distance beyond that of new items of the source, in units of the source's variance, that is called far.

A single family of the source's own generator stays below it; other pictures lie above (benchmarks/similarity.py)."""


def examine(evidence: Run) -> Finding | None:
    """The distance beyond the source's own; a warning where the pretraining does not surely help all the same."""
    found = evidence.similarity
    distances = found.get("distances")
    frechet = distances.get("frechet") if isinstance(distances, Mapping) else None
    if not isinstance(frechet, Mapping) or frechet["excess"] < THRESHOLD:
        return None
    over, against = found.get("over_random"), "random weights"
    helps = isinstance(over, Mapping) and over["low"] > 0
    return Finding(
        name="far_from_source",
        severity="info" if helps or over is None else "warning",
        sentence=(
            f"The items are far from what the network was pretrained on (Fréchet distance {frechet['value']:.2f} of "
            f"the source's variance, new items of the source {frechet['source_itself']:.2f}){_worth(over, against)}"
        ),
        number=round(float(frechet["excess"]), 4),
        threshold=THRESHOLD,
        next_move=(
            "nothing needs to be done; a backbone with a nearer source may do better still (headstart rank)"
            if helps
            else "a backbone with a nearer source (headstart rank, headstart pretrain), or deeper fine-tuning"
        ),
        evidence={
            "distances": dict(distances) if isinstance(distances, Mapping) else {},
            "probe_strength": found.get("probe_strength"),
            "best_stage": found.get("best_stage"),
            "over_random": over,
        },
    )


def _worth(over: object, against: str) -> str:
    if not isinstance(over, Mapping):
        return ""
    gain = f"{100 * over['value']:.1f} points ({100 * over['low']:.1f} to {100 * over['high']:.1f})"
    if over["low"] > 0:
        return f"; its features are worth {gain} over {against} all the same"
    return f", and its features are not surely worth more than {against}: {gain}"
