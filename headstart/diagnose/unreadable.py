"""Items that cannot be used: damaged, missing, of another kind, or without a label."""

from __future__ import annotations

from collections import Counter

from headstart.base.vocabulary import Finding
from headstart.data.dataset import MOST_BAD
from headstart.data.printable import listing
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """What was left out, by reason."""
    if not evidence.skipped:
        return None
    bad = len(evidence.skipped)
    reasons = Counter(one.why for one in evidence.skipped)
    shown = [f"{why} ({number:,})" if len(reasons) > 1 else why for why, number in reasons.most_common()]
    return Finding(
        name="unreadable",
        severity="serious" if bad > MOST_BAD * evidence.total else "warning",
        sentence=f"{evidence.count(bad)} of {evidence.total:,} cannot be used: {listing(shown, 3)}",
        number=bad,
        threshold=THRESHOLD,
        next_move="mend or remove them; fit leaves them out, and stops if they are over a tenth",
        evidence={"items": [{"where": one.where, "why": one.why} for one in evidence.skipped[:LISTED]]},
    )
