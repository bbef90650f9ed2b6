"""Nothing was learnt: the sealed model cannot be told from one answer for all items."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import finished

THRESHOLD = 0.0
"""The lower limit of the gain over guessing at or below which nothing was learnt that can be measured."""


def examine(evidence: Run) -> Finding | None:
    """The gain over the best single answer, where its interval reaches down to none."""
    found = finished(evidence)
    if found is None or found.over_guessing is None or found.learnt or found.tested is None:
        return None
    gain = found.over_guessing
    own = found.metric.stated(found.score(found.tested, found.metric))
    return Finding(
        name="nothing_learnt",
        severity="serious",
        sentence=(
            f"Nothing was learnt that can be measured: {found.sealed} reaches {own}, {found.metric.lead(gain)} "
            "one answer for all items"
        ),
        number=gain.value,
        threshold=THRESHOLD,
        next_move=(
            "see in the report whether the labels can be told from the items at all; if they can, more items, or "
            f"another backbone ({found.rank()} says which)"
        ),
        evidence={"gain": gain.as_dict(), "metric": found.metric.name, "items": len(found.tested[1])},
    )
