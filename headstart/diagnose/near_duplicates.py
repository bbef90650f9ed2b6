"""Near duplicates: one item compressed, resized or relit into several, which count for more than they are worth."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Items in clusters of which every two look alike."""
    if evidence.data is None or not evidence.data.near.clusters:
        return None
    near, total = evidence.data.near, len(evidence.data)
    alike = sum(len(cluster) for cluster in near.clusters)
    worth = total - alike + len(near.clusters)
    return Finding(
        name="near_duplicates",
        severity="info",
        sentence=(
            f"{evidence.count(alike)} of {total:,} are near duplicates, in {count(len(near.clusters), 'cluster')}: "
            f"in effect there are {worth:,}"
        ),
        number=alike,
        threshold=THRESHOLD,
        next_move="none is needed: fit keeps them on one side of every split (--no-near-duplicates lets them go apart)",
        evidence={"clusters": near.listed.get("on_one_side", [])[:LISTED], "distance": near.threshold},
    )
