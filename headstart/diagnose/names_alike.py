"""Class names that differ only in spelling, such as "Cat" and "cat ": probably one class."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data import labels
from headstart.data.printable import count, listing
from headstart.diagnose.evidence import Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Groups of names that are one but for case, spaces, hyphens and underscores."""
    groups = labels.alike(evidence.classes)
    if not groups:
        return None
    return Finding(
        name="names_alike",
        severity="warning",
        sentence=(
            f"{count(len(groups), 'group of class names differs', 'groups of class names differ')} only in spelling: "
            f"{listing(groups)}"
        ),
        number=len(groups),
        threshold=THRESHOLD,
        next_move="give them one name, if they are one class",
        evidence={"names": groups},
    )
