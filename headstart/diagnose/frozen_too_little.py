"""Frozen too little: moving more of the network made it worse, so its pretrained features were worth keeping.

Kumar et al., Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (2022, arXiv 2202.10054).
"""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import finished, strategy, turned, weights

THRESHOLD = 0.0
"""The lower limit of the gain of freezing more, above which moving more has hurt."""


def examine(evidence: Run) -> Finding | None:
    """The best transferred candidate against the one that moves most, where that one is measurably worse."""
    found = finished(evidence)
    if found is None or not found.learnt:
        return None
    best = found.rows.get(found.name_of("transfer"))
    tuned = [row for row in found.measured("transfer") if row.detail.get("strategy") != "probe"]
    if best is None or not tuned:
        return None
    most = max(tuned, key=lambda row: row.trainable)
    gain = found.gain(best.name, most.name)
    if gain is None or gain.low <= THRESHOLD or best.trainable >= most.trainable:
        return None
    probed = best.detail.get("strategy") == "probe"
    what = "Fine-tuning hurt" if probed else "Moving all of it hurt"
    below = found.in_points.lead(turned(gain))
    return Finding(
        name="frozen_too_little",
        severity="info",
        sentence=(f"{what}: {most.name}, {weights(most)}, is {below} {best.name}, {weights(best)}"),
        number=gain.value,
        threshold=THRESHOLD,
        next_move=f"nothing was lost, for the better one was chosen; to get it at once: {found.fit(*strategy(best))}",
        evidence={"gain": gain.as_dict(), "metric": found.in_points.name, "items": evidence.comparisons.get("items")},
    )
