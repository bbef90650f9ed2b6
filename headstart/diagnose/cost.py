"""Cost: a candidate that cannot be told from the sealed one is far cheaper to serve, or to train again."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding
from headstart.diagnose.finished import Finished, finished, strategy, turned

SERVING = 4.0
"""Times cheaper an answer has to be."""
TRAINING = 10.0
"""Times cheaper the training has to be, where the sealed candidate's took more than ``LONG``."""
LONG = 60.0
"""Seconds of training that nobody minds."""
LEVEL = 0.01
"""A point: what the cheaper one may be behind by, as far as it was measured."""


def examine(evidence: Run) -> Finding | None:
    """The cheapest candidate within noise of the sealed one, if the difference in cost is worth a word."""
    found = finished(evidence)
    if found is None or not found.learnt:
        return None
    row = found.rows.get(found.sealed)
    if row is None or row.kind == "baseline":
        return None
    level = [other for other in found.measured("transfer") if other is not row and _level(found, row, other)]
    best = max(level, key=lambda other: _ratio(row.serving_ms, other.serving_ms), default=None)
    ratio = 0.0 if best is None else _ratio(row.serving_ms, best.serving_ms)
    if best is not None and ratio >= SERVING:
        how = f"answers {ratio:.1f} times faster ({best.serving_ms:.2g} ms an item instead of {row.serving_ms:.2g})"
        return _finding(found, (row, best), how, number=ratio, threshold=SERVING)
    best = max(level, key=lambda other: _ratio(row.seconds, _seconds(found, other)), default=None)
    ratio = 0.0 if best is None or row.seconds < LONG else _ratio(row.seconds, _seconds(found, best))
    if best is not None and ratio >= TRAINING:
        how = f"took {_seconds(found, best):.2g} s to fit instead of {row.seconds:,.0f} s"
        return _finding(found, (row, best), how, number=ratio, threshold=TRAINING)
    return None


def _level(found: Finished, row: Evidence, other: Evidence) -> bool:
    gain = found.gain(row.name, other.name)
    return gain is not None and gain.low <= 0 and gain.value <= LEVEL


def _ratio(more: float, less: float) -> float:
    return more / less if less > 0 else 0.0


def _seconds(found: Finished, row: Evidence) -> float:
    """Seconds of its fits; of a probe, the passes through the network that its features took are counted in."""
    items = int(found.run.comparisons.get("items") or 0) if row.detail.get("strategy") == "probe" else 0
    return row.seconds + items * row.serving_ms / 1000


def _finding(found: Finished, pair: tuple[Evidence, Evidence], how: str, *, number: float, threshold: float) -> Finding:
    row, other = pair
    gain = found.gain(row.name, other.name)
    gap = "" if gain is None else f", {found.in_points.lead(turned(gain))} it on held-out items"
    return Finding(
        name="cost",
        severity="info",
        sentence=f"{other.name} is within noise of {row.name}{gap}, and {how}",
        number=number,
        threshold=threshold,
        next_move=f"if that counts: {found.fit(*strategy(other))}",
        evidence={
            "gain": None if gain is None else gain.as_dict(),
            "serving_ms": {row.name: row.serving_ms, other.name: other.serving_ms},
            "seconds": {row.name: row.seconds, other.name: _seconds(found, other)},
            "weights_moved": {row.name: row.trainable, other.name: other.trainable},
        },
    )
