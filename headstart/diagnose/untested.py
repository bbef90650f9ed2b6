"""Classes, or labels, that a given test part lacks: its scores say nothing of them."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count, listing
from headstart.diagnose.evidence import Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Names of train without an item in the given test part."""
    tested = [position for position, part in enumerate(evidence.given) if part == "test"]
    counts = evidence.counts(tested)
    if not tested or counts.all():
        return None
    lacking = [name for name, number in zip(evidence.names, counts, strict=True) if not number]
    one, many = evidence.task.words.noun
    what = count(len(lacking), f"{one} is", f"{many} are")
    return Finding(
        name="untested",
        severity="warning",
        sentence=f"{what} not in the given test part: {listing(lacking)}",
        number=len(lacking),
        threshold=THRESHOLD,
        next_move=f"add test {evidence.modality} of them, or give no test part and let fit set one apart",
        evidence={"classes": lacking},
    )
