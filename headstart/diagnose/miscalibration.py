"""Confidences that do not mean what they say: of the answers given with 90 %, far more or fewer than 90 % are right."""

from __future__ import annotations

import numpy as np

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import finished
from headstart.measure import chance

THRESHOLD = 0.04
"""Calibration error from which on people notice.

Networks that were never calibrated have 0.04 to 0.17, temperature-scaled ones 0.01 to 0.02 (Guo et al. 2017, table 1).
It must also exceed what a perfectly calibrated model of the same confidences exceeds in 2.5 % of draws.
"""
LEAST = 30
"""Items below which chance alone exceeds any error worth a word."""


def examine(evidence: Run) -> Finding | None:
    """The calibration error of the sealed model on the items of the verdict, where chance does not explain it."""
    found = finished(evidence)
    if found is None or found.tested is None or len(found.tested[1]) < LEAST:
        return None
    stated = found.task.confidences(*found.tested)
    if stated is None:
        return None
    confidence, true = stated
    measured = chance.calibration(np.clip(confidence, 0, 1), true)
    line = max(THRESHOLD, measured.chance)
    if measured.error <= line or not found.learnt:
        return None
    far = measured.confidence - measured.share
    word = "too high, " if far > measured.error / 2 else "too low, " if -far > measured.error / 2 else ""
    where = f"{len(true):,} {'test' if found.verdict.get('tested') else 'cross-validated'} items"
    return Finding(
        name="miscalibration",
        severity="warning",
        sentence=(
            f"Stated confidences are {word}off by {100 * measured.error:.1f} points on average on {where} "
            f"(chance alone makes at most {100 * measured.chance:.1f}): on average {found.sealed} says "
            f"{100 * measured.confidence:.1f} %, and {100 * measured.share:.1f} % comes true"
        ),
        number=measured.error,
        threshold=line,
        next_move=(
            "rank answers by their confidence, but do not read it as a probability; more labelled items let fit set it "
            "right, and headstart evaluate MODEL DATA measures it again"
        ),
        evidence={"chance": measured.chance, "mean_confidence": measured.confidence, "came_true": measured.share},
    )
