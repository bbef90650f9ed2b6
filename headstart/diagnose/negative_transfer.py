"""Negative transfer: with its source the network is worse than without it.

Wang et al., Characterizing and Avoiding Negative Transfer (2019, arXiv 1811.09751): the error with the source minus the
error of the same network and method without it, on the same items; a verdict is read off its paired interval.
"""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding, Interval
from headstart.diagnose.finished import finished

THRESHOLD = 0.0
"""The upper limit of the gap below which the source has hurt: then the whole 95 % interval is below it."""


def examine(evidence: Run) -> Finding | None:
    """The gap to the same network without its source, where the verdict is negative."""
    found = finished(evidence)
    if found is None or found.verdict.get("outcome") != "negative" or not found.verdict.get("gap"):
        return None
    gap = Interval(**found.verdict["gap"])
    transfer, scratch = found.name_of("transfer"), found.name_of("scratch")
    sealed = found.sealed == transfer
    kept = "it is sealed all the same, for it was the best on validation" if sealed else f"{found.sealed} is sealed"
    return Finding(
        name="negative_transfer",
        severity="serious",
        sentence=(
            f"The pretraining hurt: {transfer} is {found.metric.lead(gap)} the same network without it ({scratch}); "
            f"{kept}"
        ),
        number=gap.value,
        threshold=THRESHOLD,
        next_move=f"another backbone, pretrained on something closer: {found.rank()} says which",
        evidence={"gap": gap.as_dict(), "metric": found.metric.name, "items": found.verdict.get("items")},
    )
