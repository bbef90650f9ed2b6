"""A model without any network is as good: then the network costs time and memory and brings nothing."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding, Interval
from headstart.diagnose.finished import finished

THRESHOLD = 0.01
"""What the network must bring to be worth a word against it: a point of a percentage. In another unit, anything."""


def examine(evidence: Run) -> Finding | None:
    """The gain of the best network over the best model without one, where there is none to speak of."""
    found = finished(evidence)
    if found is None or not found.verdict.get("gap_to_baseline") or not found.learnt:
        return None
    gain = Interval(**found.verdict["gap_to_baseline"])
    sealed = found.verdict.get("winner") == "baseline"
    least = THRESHOLD if found.metric.percent else 0.0
    # What validation preferred may be the worse one on these items; the verdict says so, and it is no win.
    if gain.low > 0 or (gain.value >= least and not sealed):
        return None
    network, simple = found.name_of("transfer"), found.name_of("baseline")
    worse = gain.high < 0
    word = "worse" if worse else "not measurably better"
    end = "is sealed" if sealed else f"would do {'better' if worse else 'as well'}"
    return Finding(
        name="simple_baseline_wins",
        severity="warning" if sealed or worse else "info",
        sentence=(
            f"A network is {word} than a simple model: {network} is {found.metric.lead(gain)} {simple}, which needs no "
            f"network and {end}"
        ),
        number=gain.value,
        threshold=least,
        next_move=f"another backbone may bring more ({found.rank()} says which); if none does, keep the simple model",
        evidence={"gain": gain.as_dict(), "metric": found.metric.name, "items": found.verdict.get("items")},
    )
