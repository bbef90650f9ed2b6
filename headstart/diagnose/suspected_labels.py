"""Suspected labels: items whose label contradicts what models say that were not fitted to them."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import LISTED

THRESHOLD = 0.0
"""Share of suspected labels from which on they are named: a wrong one is worth a look."""
ALARMING = 0.03
"""Share beyond which wrong labels, and not the model, may be what limits the score."""


def examine(evidence: Run) -> Finding | None:
    """The share of labels that are probably wrong."""
    suspects, suspicion = evidence.exhibits.get("suspects"), evidence.exhibits.get("suspicion") or {}
    found, of = suspicion.get("found", 0), suspicion.get("of", 0)
    if not suspects or not found or not of:
        return None
    first = suspects[0]
    one = found == 1
    return Finding(
        name="suspected_labels",
        severity="warning" if found / of >= ALARMING else "info",
        sentence=(
            f"{found:,} of {of:,} labels {'is' if one else 'are'} probably wrong, such as {first['where']}: labelled "
            f"{first['said']}, likely {first['likely']} ({first['because']})"
        ),
        number=found / of,
        threshold=THRESHOLD,
        next_move=f"look at {'it' if one else 'them'} in the report, correct what is wrong, and fit again",
        evidence={"by": suspicion.get("by"), "items": [each["where"] for each in suspects[:LISTED]]},
    )
