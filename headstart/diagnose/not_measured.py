"""Whether transfer helped was not measured, for the budget was too short for a fair comparison: what it would take."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import Finished, duration, finished

COPIES = 3
"""Random copies of the network that a probe has to be compared with."""
_SHARE = 0.3
"""Share of the time left that random copies may take, and of which a rung's own time may be nine tenths."""
_OF_BUDGET = 0.9


def examine(evidence: Run) -> Finding | None:
    """The seconds that the comparison lacked, as far as the plan says; nothing where the user wanted none."""
    found = finished(evidence)
    if found is None or found.verdict.get("outcome") != "not measured" or not evidence.config.get("baselines", True):
        return None
    if not found.name_of("transfer"):
        return None
    budget = float(evidence.config.get("budget") or 0.0)
    lacking, of_what = _lacking(found)
    needed = budget + lacking
    unknown = "" if lacking else " (how long it takes was not measured)"
    return Finding(
        name="not_measured",
        severity="info",
        sentence=(
            f"Whether the pretraining helped is not known: a budget of {duration(budget)} has no room for "
            f"{of_what}{unknown}"
        ),
        number=budget,
        threshold=needed,
        next_move=found.fit("--budget", duration(needed if lacking else 2 * budget)),
        evidence={"budget_seconds": budget, "needed_seconds": needed},
    )


def _lacking(found: Finished) -> tuple[float, str]:
    """Seconds that the comparison lacks beyond the budget, and what they are for; 0 where the plan does not say."""
    plan = found.run.plan
    row = found.rows.get(found.name_of("transfer"))
    if row is not None and row.detail.get("strategy") == "probe":
        return float(plan.get("extraction_seconds") or 0.0) * COPIES / _SHARE, f"{COPIES} random copies of the network"
    entry = (plan.get("rungs") or {}).get("scratch") or {}
    return float(entry.get("least_seconds") or 0.0) / _OF_BUDGET, "a fair training of the same network from scratch"
