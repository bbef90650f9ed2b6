"""Classes that a given test part lacks: its scores say nothing of them."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count, listing
from headstart.diagnose.evidence import Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Classes of train without an item in the given test part."""
    tested = {int(label) for label, part in zip(evidence.labels, evidence.given, strict=True) if part == "test"}
    if not tested or len(tested) == len(evidence.classes):
        return None
    lacking = [name for label, name in enumerate(evidence.classes) if label not in tested]
    what = count(len(lacking), "class is", "classes are")
    return Finding(
        name="untested",
        severity="warning",
        sentence=f"{what} not in the given test part: {listing(lacking)}",
        number=len(lacking),
        threshold=THRESHOLD,
        next_move=f"add test {evidence.modality} of them, or give no test part and let fit set one apart",
        evidence={"classes": lacking},
    )
