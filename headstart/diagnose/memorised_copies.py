"""Leakage, seen in the scores: test items with a near duplicate in training are answered far better than the others.

Barz & Denzler, Do We Train on Test Data? Purging CIFAR of Near-Duplicates (2020).
"""

from __future__ import annotations

import numpy as np

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import LISTED
from headstart.diagnose.finished import finished, said
from headstart.measure import chance, intervals

THRESHOLD = 0.0
"""The lower limit of the difference between the two groups' scores above which the copies flatter."""
LEAST = 5
"""Items that each of the two groups must have."""


def examine(evidence: Run) -> Finding | None:
    """The score of test items with a twin in training, and without."""
    found = finished(evidence)
    if found is None or not found.verdict.get("tested") or found.tested is None:
        return None
    listed, (predictions, targets) = evidence.held_out.get("tested", ()), found.tested
    twin = np.array(["twin" in one for one in listed], dtype=bool)
    if len(twin) != len(targets) or twin.sum() < LEAST or (~twin).sum() < LEAST:
        return None
    metric = found.in_points
    all_of_it = found.score(found.tested, metric)
    of_twins, of_others = (intervals.bootstrap(metric, predictions[rows], targets[rows]) for rows in (twin, ~twin))
    ahead = chance.difference(of_twins, of_others)
    if ahead.low <= THRESHOLD:
        return None
    return Finding(
        name="memorised_copies",
        severity="serious",
        sentence=(
            f"The test score is flattered by copies: {int(twin.sum()):,} of {len(twin):,} test items look like one "
            f"that was learnt from; {metric.phrase.format(said(metric, of_twins))} on those, {metric.text(of_others)} "
            f"on the others, {said(metric, all_of_it)} on all"
        ),
        number=all_of_it.value - of_others.value,
        threshold=THRESHOLD,
        next_move="take the score on the others for the true one; move the copies to one side, and fit again",
        evidence={
            "ahead": ahead.as_dict(),
            "metric": metric.name,
            "items": [f"{one['where']} like {one['twin']}" for one in listed if "twin" in one][:LISTED],
        },
    )
