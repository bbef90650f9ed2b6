"""How long the network from scratch trains: five times the winner's epochs, and no longer than there is time for.

The plan allots its epochs before anything is trained, from steps timed on a sample. By the time its turn comes, two
things are known: how many epochs the best transferred network keeps, and how fast this machine really was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.choose.planning import LEAST_EPOCHS, SCRATCH_LIFE
from headstart.choose.trial import Trial

SLACK = 0.25
"""Share of the budget that a verdict may cost beyond it: one that is not measured helps nobody."""
REFIT = 1.2
"""A refit on train + validation, in final fits."""


@dataclass(frozen=True)
class Life:
    """What is decided.

    Attributes:
        epochs: at most; 0 gives it up.
        why: it was given up; empty if not.
    """

    epochs: int
    why: str = ""


def needed(best: Trial | None, planned: int) -> int:
    """Epochs for a fair comparison with the best transferred candidate; what was planned beside one that has none."""
    if best is None or best.strategy == "probe":
        return planned
    return min(planned, SCRATCH_LIFE * int(best.options.get("epochs", planned)))


def pace(plan: Mapping[str, Any], seconds: Mapping[str, float], fits: float) -> float:
    """How much longer fits take than planned, by the rungs that were measured; 1 where none was."""
    rungs = {name: plan["rungs"][name] for name in seconds if name in plan["rungs"]}
    expected = sum(_epochs(one) * float(one["epoch_seconds"]) * fits for one in rungs.values())
    spent = sum(seconds[name] for name in rungs)
    return spent / expected if expected > 0 and spent > 0 else 1.0


def decide(
    entry: Mapping[str, Any], best: Trial | None, *, pace: float, left: float, budget: float, fits: float
) -> Life:
    """The epochs of training from scratch, given what is left of the budget.

    Args:
        entry: what the plan says of it.
        best: the best transferred candidate.
        pace: of this machine, against what was planned.
        left: seconds.
        budget: seconds in all.
        fits: final fits that measuring a rung takes: one a fold, and its sweep.
    """
    epochs = needed(best, _epochs(entry))
    each = float(entry["epoch_seconds"]) * pace * (fits + REFIT)
    room = left + SLACK * budget
    if epochs * each <= room:
        return Life(epochs)
    fair = best is not None and best.strategy != "probe"
    able = int(room / each) if each > 0 else epochs
    if not fair and able >= LEAST_EPOCHS:
        return Life(able)
    return Life(0, f"over budget: {epochs} epochs need {epochs * each:.0f} s, and {max(0.0, left):.0f} s are left")


def _epochs(entry: Mapping[str, Any]) -> int:
    return int(entry["options"].get("epochs", LEAST_EPOCHS))
