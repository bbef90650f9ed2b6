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
        sentence=f"fit would stop: {_in_one_line(refusal.what)}",
        number=1,
        threshold=0,
        next_move=refusal.next_move or refusal.expected,
        evidence={"where": refusal.where, "expected": refusal.expected},
    )


def _in_one_line(what: str) -> str:
    """What an error says, its list of items told one after the other."""
    head, *items = (line.strip() for line in what.splitlines())
    said = f"{head} {'; '.join(items)}" if items else head
    return f"{said[:1].lower()}{said[1:]}"
