"""Frozen too much: what the sealed candidate keeps fixed is what limits it, and nothing that moves more was measured.

Three signs: the score still rises where the ladder had to stop; features of an earlier stage beat those of the last
one; or most of the errors are there on the very items that it learnt from.
"""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding, Interval
from headstart.diagnose.finished import Finished, duration, finished, said, weights

THRESHOLD = 0.0
"""The lower limit of a gain above which it is measured."""
UNFITTED = 0.7
"""Share of the held-out errors that is there on the items that it learnt from, from which on fitting is what fails."""
NOTICED = 0.05
"""Held-out error below which there is too little left to be gained."""


def examine(evidence: Run) -> Finding | None:
    """The first of the three signs that the run shows."""
    found = finished(evidence)
    if found is None or not found.learnt:
        return None
    best = found.rows.get(found.name_of("transfer"))
    if best is None or _moved_more(found, best):
        return None
    return _still_rising(found, best) or _earlier(found, best) or _unfitted(found, best)


def _moved_more(found: Finished, best: Evidence) -> bool:
    """True if a candidate that moves more than the best one was measured: then the ladder has looked there."""
    if best.detail.get("strategy") in ("full", "scratch"):
        return True
    tuned = [row for row in found.measured("transfer") if row.detail.get("strategy") != "probe"]
    return any(row.trainable > best.trainable for row in tuned if row is not best)


def _still_rising(found: Finished, best: Evidence) -> Finding | None:
    """Each rung was better than the one before, and the next one was over budget."""
    left = [row.name for row in found.rows.values() if row.kind == "transfer" and row.status.startswith("over budget")]
    below = [row for row in found.measured("transfer") if row.trainable < best.trainable]
    entries = [(found.run.plan.get("rungs") or {}).get(name) or {} for name in left]
    if best.detail.get("strategy") == "probe" or not left or not below:
        return None
    gains = [(gain, row) for row in below if (gain := found.gain(best.name, row.name)) is not None]
    if not gains:
        return None
    gain, row = min(gains, key=lambda pair: pair[0].value)
    if gain.low <= THRESHOLD:
        return None
    budget = float(found.run.config.get("budget") or 0.0)
    needed = budget + sum(float(entry.get("least_seconds") or 0.0) for entry in entries) / 0.9
    return _finding(
        f"Moving more still helped where the budget ended: {best.name}, {weights(best)}, is "
        f"{found.in_points.lead(gain)} {row.name}, {weights(row)}; {', '.join(left)} had no room",
        gain,
        found.fit("--budget", duration(needed if needed > budget else 2 * budget)),
        found,
    )


def _earlier(found: Finished, best: Evidence) -> Finding | None:
    """A probe of an earlier stage is better than that of the last one."""
    stages = str((best.detail.get("options") or {}).get("stages", ""))
    gain = found.gain(best.name, "probe")
    if not stages.isdigit() or gain is None or gain.low <= THRESHOLD:
        return None
    return _finding(
        f"What the network does behind stage {stages} does not suit these items: {best.name} is "
        f"{found.in_points.lead(gain)} a probe of the last stage",
        gain,
        f"let the later stages move: {found.fit('--strategy', 'partial', '--depth', stages)}",
        found,
    )


def _unfitted(found: Finished, best: Evidence) -> Finding | None:
    """Most of the errors are there on the items that it was fitted to."""
    metric, score = found.in_points, (found.run.fitted.get("scores") or {}).get(found.in_points.name)
    if best.name != found.sealed or found.validation is None or not isinstance(score, dict):
        return None
    learnt, held = Interval(**score), found.score(found.validation, metric)
    error = 1 - held.value
    if error < NOTICED or 1 - learnt.high < UNFITTED * error:
        return None
    again = (
        found.fit("--strategy", "full")
        if best.detail.get("strategy") != "probe"
        else found.fit("--strategy", "partial")
    )
    return Finding(
        name="frozen_too_much",
        severity="info",
        sentence=(
            f"Too much may be frozen: {best.name}, {weights(best)}, gets {metric.phrase.format(said(metric, learnt))} "
            f"on the items that it learnt from, and {said(metric, held)} on others, so most of its errors are no "
            "matter of having seen too little"
        ),
        number=(1 - learnt.value) / error,
        threshold=UNFITTED,
        next_move=f"let more of the network move: {again}",
        evidence={"metric": metric.name, "learnt_from": dict(score), "held_out": held.as_dict()},
    )


def _finding(sentence: str, gain: Interval, move: str, found: Finished) -> Finding:
    return Finding(
        name="frozen_too_much",
        severity="warning",
        sentence=sentence,
        number=gain.value,
        threshold=THRESHOLD,
        next_move=move,
        evidence={
            "gain": gain.as_dict(),
            "metric": found.in_points.name,
            "items": found.run.comparisons.get("items"),
        },
    )
