"""Classes of very unequal size: a model can score well by ignoring the small ones."""

from __future__ import annotations

import numpy as np

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import Inspection

THRESHOLD = 3.0
"""Items of the largest class for one of the smallest; from here on fit counts classes equally."""


def examine(evidence: Inspection) -> Finding | None:
    """The ratio of the largest to the smallest class."""
    if len(evidence.classes) < 2:
        return None
    counts = evidence.counts()
    if counts.max() < THRESHOLD * counts.min():
        return None
    large, small = int(np.argmax(counts)), int(np.argmin(counts))
    ratio = float(counts[large] / counts[small])
    return Finding(
        name="imbalance",
        severity="warning",
        sentence=(
            f"The largest class, {evidence.classes[large]} ({evidence.count(counts[large])}), is {ratio:.1f} times "
            f"the smallest, {evidence.classes[small]} ({counts[small]:,})"
        ),
        number=ratio,
        threshold=THRESHOLD,
        next_move=(
            "fit decides by balanced accuracy and gives rare classes more weight by itself; "
            f"more {evidence.modality} of {evidence.classes[small]} help most"
        ),
        evidence={"counts": dict(zip(evidence.classes, counts.tolist(), strict=True))},
    )
