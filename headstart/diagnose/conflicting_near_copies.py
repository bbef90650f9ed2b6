"""Near duplicates under two labels: the same thing twice, as it seems, and one of the labels is wrong."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Clusters of near duplicates whose labels differ."""
    near = evidence.data.near if evidence.data is not None else None
    if near is None or not near.torn:
        return None
    named = near.listed["different_labels"]
    what = count(len(near.torn), "cluster of near duplicates has", "clusters of near duplicates have")
    return Finding(
        name="conflicting_near_copies",
        severity="warning",
        sentence=f"{what} more than one label, such as {' and '.join(named[0][:3])}",
        number=len(near.torn),
        threshold=THRESHOLD,
        next_move="look at them and keep the right label of each",
        evidence={"distance": near.threshold, "clusters": named[:LISTED]},
    )
