"""One content under different labels: at least one of them is wrong, and no model can learn both."""

from __future__ import annotations

from headstart.base.vocabulary import Finding
from headstart.data.printable import count, listing
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.0
WORRYING = 0.01


def examine(evidence: Inspection) -> Finding | None:
    """Exact copies whose labels differ."""
    torn = [positions for positions in evidence.copies() if len({evidence.said[p] for p in positions}) > 1]
    if not torn:
        return None
    touched = sum(len(positions) for positions in torn)

    def shown(positions: list[int]) -> str:
        names = " / ".join(dict.fromkeys(evidence.stated(p) for p in positions))
        return f"{evidence.items[positions[0]]} ({names})"

    return Finding(
        name="conflicting_labels",
        severity="serious" if touched > WORRYING * len(evidence) else "warning",
        sentence=(
            f"{count(len(torn), 'content is', 'contents are')} there under different labels: "
            f"{listing([shown(positions) for positions in torn], 3)}"
        ),
        number=len(torn),
        threshold=THRESHOLD,
        next_move="keep the right one of each and remove the other",
        evidence={"contents": [evidence.named(positions) for positions in torn[:LISTED]]},
    )
