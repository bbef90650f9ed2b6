"""Whether transfer helped was not measured, for the budget was too short for a fair comparison: what it would take."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import Finished, duration, finished, listed

COPIES = 3
"""Random copies of the network that a probe has to be compared with."""
_SHARE = 0.3
"""Of the time left, that random copies may take."""
_OF_BUDGET = 0.9
"""Of the time left, that is planned for training."""


def examine(evidence: Run) -> Finding | None:
    """The seconds that the comparison lacked, as far as the plan says; nothing where the user wanted none."""
    found = finished(evidence)
    if found is None or found.verdict.get("outcome") != "not measured" or not evidence.config.get("baselines", True):
        return None
    lacking, of_what = _lacking(found)
    if not of_what:
        return None
    budget = float(evidence.config.get("budget") or 0.0)
    needed = budget + lacking
    unknown = "" if lacking else " (how long it takes was not measured)"
    return Finding(
        name="not_measured",
        severity="info" if found.name_of("transfer") else "warning",
        sentence=(
            f"Whether the pretraining helped is not known: a budget of {duration(budget)} had no room for "
            f"{of_what}{unknown}"
        ),
        number=budget,
        threshold=needed,
        next_move=found.fit("--budget", duration(needed if lacking else 2 * budget)),
        evidence={"budget_seconds": budget, "needed_seconds": needed},
    )


def _lacking(found: Finished) -> tuple[float, str]:
    """Seconds that the comparison lacks beyond the budget, and what they are for; 0 where the plan does not say."""
    plan, row = found.run.plan, found.rows.get(found.name_of("transfer"))
    if row is not None and row.detail.get("strategy") == "probe":
        return float(plan.get("extraction_seconds") or 0.0) * COPIES / _SHARE, f"{COPIES} random copies of the network"
    scratch = _least(found, "scratch") / _OF_BUDGET
    if row is not None:
        return scratch, "a fair training of the same network from scratch"
    left = [name for name, one in found.rows.items() if one.kind == "transfer" and one.status.startswith("over budget")]
    if not left:
        return 0.0, ""
    return scratch + min(_least(found, name) for name in left) / _OF_BUDGET, listed(left)


def _least(found: Finished, name: str) -> float:
    """Seconds of the shortest training of a rung that is worth it, as the plan has it."""
    return float(((found.run.plan.get("rungs") or {}).get(name) or {}).get("least_seconds") or 0.0)
