"""Names of classes or labels that differ only in spelling, such as "Cat" and "cat ": probably one."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data import labels
from headstart.data.printable import count, listing
from headstart.diagnose.evidence import Inspection

THRESHOLD = 0.0


def examine(evidence: Inspection) -> Finding | None:
    """Groups of names that are one but for case, spaces, hyphens and underscores."""
    groups = labels.alike(evidence.names)
    if not groups:
        return None
    one, _ = evidence.task.words.noun
    return Finding(
        name="names_alike",
        severity="warning",
        sentence=(
            f"{count(len(groups), f'group of {one} names differs', f'groups of {one} names differ')} only in spelling: "
            f"{listing(groups)}"
        ),
        number=len(groups),
        threshold=THRESHOLD,
        next_move=f"give them one name, if they are one {one}",
        evidence={"names": groups},
    )
