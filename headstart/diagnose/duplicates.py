"""Exact copies: the same content several times, which counts for more than it is worth."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0
WORRYING = 0.05


def examine(evidence: Inspection) -> Finding | None:
    """Items whose content another item has already."""
    copies = evidence.copies()
    if not copies:
        return None
    extra = sum(len(positions) - 1 for positions in copies)
    share = extra / len(evidence)
    which = "is an exact copy of another" if extra == 1 else "are exact copies of others"
    return Finding(
        name="duplicates",
        severity="warning" if share > WORRYING else "info",
        sentence=f"{evidence.count(extra)} of {len(evidence):,} {which}",
        number=extra,
        threshold=THRESHOLD,
        next_move="none is needed: fit keeps copies on one side of every split",
        evidence={"contents": count(len(copies), "content"), "copies": [evidence.named(c) for c in copies[:LISTED]]},
    )
