"""Leakage: items of a given validation or test part that are in train as well, so that scores on them are memory.

Barz & Denzler, Do We Train on Test Data? Purging CIFAR of Near-Duplicates (2020).
"""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0
_RANK = {"train": 0, "val": 1, "test": 2}


def examine(evidence: Inspection) -> Finding | None:
    """Contents that the source's own split has on two sides."""
    torn = []
    for positions in evidence.copies():
        parts = {evidence.given[position] or "train" for position in positions}
        if len(parts) > 1:
            torn.append((positions, max(parts, key=_RANK.__getitem__)))
    if not torn:
        return None
    leaked = sum(evidence.given[p] == highest for positions, highest in torn for p in positions)
    which = "is" if leaked == 1 else "are"
    return Finding(
        name="leaking_copies",
        severity="serious",
        sentence=(
            f"{evidence.count(leaked)} of the given validation or test part {which} also in a part that is learnt "
            "from: scores on this split are flattered"
        ),
        number=leaked,
        threshold=THRESHOLD,
        next_move="fit leaves the copies out of the lower part; remove them, and distrust earlier scores on this split",
        evidence={"copies": [evidence.named(positions) for positions, _ in torn[:LISTED]]},
    )
