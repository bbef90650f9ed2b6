"""A test part too small for the difference one wants to see.

Two models that disagree on a share d of m items differ by sqrt(d / m) for no reason at all; a gap of 2.8 times that is
seen in four of five repetitions at the 5 % level (Connor, Sample Size for Testing Differences in Proportions for the
Paired-Sample Design, 1987).
"""

from __future__ import annotations

import math

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import Inspection

THRESHOLD = 5.0
"""Percentage points between two models, which is what most comparisons are about."""
WORRYING = 10.0
DISAGREE = 0.1
"""Share of the items on which two good models differ; a guess, and said to be one."""
_SEEN = 2.8


def examine(evidence: Inspection) -> Finding | None:
    """The smallest gap between two models that these data can show; of numbers, whose errors have a unit, nothing."""
    if evidence.data is None or not evidence.data.task.words.counted:
        return None
    tested = len(evidence.data.test)
    items = tested or len(evidence.data)
    gap = 100 * smallest_gap(items)
    if gap <= THRESHOLD:
        return None
    needed = math.ceil(DISAGREE * (100 * _SEEN / THRESHOLD) ** 2)
    where = f"With {evidence.count(items)} to test on" if tested else f"With {evidence.count(items)}, cross-validated"
    return Finding(
        name="small_test",
        severity="warning" if gap > WORRYING else "info",
        sentence=(
            f"{where}, two models have to be about {gap:.0f} points apart to be told apart "
            f"(if they disagree on {DISAGREE:.0%} of the {evidence.modality})"
        ),
        number=round(gap, 1),
        threshold=THRESHOLD,
        next_move=f"about {needed} to test on show {THRESHOLD:g} points; until then read the intervals, not the ranks",
        evidence={"items": items, "needed": needed},
    )


def smallest_gap(items: int, disagree: float = DISAGREE) -> float:
    """The difference of two accuracies, in [0, 1], that ``items`` paired answers show four times out of five."""
    return min(1.0, _SEEN * math.sqrt(disagree / max(1, items)))
