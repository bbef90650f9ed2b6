"""Leakage: near duplicates on both sides of a split that the source brings, so that scores on it are flattered.

Barz & Denzler, Do We Train on Test Data? Purging CIFAR of Near-Duplicates (2020).
"""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Clusters of near duplicates that lie in more than one given part."""
    near = evidence.data.near if evidence.data is not None else None
    if near is None or not near.across:
        return None
    places = near.listed["across_given_parts"]
    which = "lies" if len(near.across) == 1 else "lie"
    return Finding(
        name="leaking_near_copies",
        severity="serious",
        sentence=(
            f"{count(len(near.across), 'cluster')} of near duplicates {which} on both sides of the given split, "
            f"such as {' and '.join(places[0][:3])}: scores on this split are flattered"
        ),
        number=len(near.across),
        threshold=THRESHOLD,
        next_move="move each cluster to one side, or leave the split out so that fit draws one",
        evidence={"distance": near.threshold, "clusters": places[:LISTED]},
    )
