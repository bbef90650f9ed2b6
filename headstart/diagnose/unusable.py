"""Data that fit would refuse, in the words in which it would."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import Inspection


def examine(evidence: Inspection) -> Finding | None:
    """The error that fit would stop with."""
    refusal = evidence.refusal
    if refusal is None:
        return None
    return Finding(
        name="unusable",
        severity="serious",
        sentence=f"fit would stop: {refusal.what[:1].lower()}{refusal.what[1:]}",
        number=1,
        threshold=0,
        next_move=refusal.next_move or refusal.expected,
        evidence={"where": refusal.where, "expected": refusal.expected},
    )
