"""Successive halving: every rung begins with the sweep of its rate, and the better half goes on.

Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization (2016, arXiv 1502.07943).
The sweep's fits have half of the epochs, and a rung that goes on takes them over from the journal: nothing is trained
twice. All rungs are compared on the same held-out items, each at its best rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.base import discovery
from headstart.base.work import Plan
from headstart.choose import rates, trial
from headstart.choose.ground import Ground
from headstart.choose.rungs import Rung
from headstart.engine.drive import drive
from headstart.tune import finetune
from headstart.tune.setting import Setting


@dataclass(frozen=True)
class Look:
    """A rung after its sweep.

    Attributes:
        name: the rung's.
        loss: the least held-out loss of its fits, in the unit of the deciding score; infinite if none can be used.
        seconds: spent.
        fits: how many there were.
    """

    name: str
    loss: float
    seconds: float
    fits: int


def look(ground: Ground, rung: Rung, options: Mapping[str, Any]) -> Look:
    """Sweep the rung's rate and train nothing to the end; from the journal if that was done before.

    The sweep is on the first fold, or on all of them where it has too few items (``rates.py``).

    A rung whose rate is given has no sweep, and thus nothing to be dropped for: its loss is minus infinity.
    """
    if rates.together(ground.folds):
        settings = [trial.setting_of(ground, rung.name, fold) for fold in range(len(ground.folds))]
        swept = rates.sweep(ground, settings, rung.strategy, options)
        return _looked(rung, [(step.loss if step.usable else math.inf, step.seconds) for step in swept.steps])
    setting = trial.setting_of(ground, rung.name, 0)
    found: list[tuple[float, float]] = []
    plan = _sweep(discovery.load("tune", rung.strategy).plan(setting, **options), setting, found)
    drive(plan, ground.journal, machine=ground.machine, report=ground.report)
    return _looked(rung, found)


def _looked(rung: Rung, found: Sequence[tuple[float, float]]) -> Look:
    """A rung by the (loss, seconds) of the fits of its sweep."""
    if not found:
        return Look(rung.name, -math.inf, 0.0, 0)
    return Look(rung.name, min(loss for loss, _ in found), sum(spent for _, spent in found), len(found))


def _sweep(plan: Plan, setting: Setting, found: list[tuple[float, float]]) -> Plan:
    """A strategy's plan up to the first fit whose weights are kept."""
    fit = next(plan, None)
    while fit is not None and not fit.keep:
        outcome = yield fit
        row = finetune.record(setting, outcome)
        usable = not (row["collapsed"] or row["diverged"])
        found.append((finetune.loss(row, setting) if usable else math.inf, outcome.seconds))
        fit = plan.send(outcome)
    plan.close()


def dropped(looks: Sequence[Look], keep: int) -> dict[str, Look]:
    """The rungs that do not go on, by name; of equal ones the cheaper, which stands first, stays."""
    order = sorted(looks, key=lambda one: one.loss)
    return {one.name: one for one in order[keep:]}


def why(ground: Ground, one: Look, looks: Sequence[Look], keep: int) -> str:
    """Why a rung was dropped, in words."""
    if not math.isfinite(one.loss):
        return "dropped after its sweep: at no rate did it learn anything"
    best = min(looks, key=lambda each: each.loss)
    return (
        f"dropped after its sweep ({_where(ground)}): {_text(ground, one)}, where {best.name} has "
        f"{_text(ground, best)}; {keep} of {len(looks)} go on"
    )


def because(ground: Ground, one: Look, looks: Sequence[Look], keep: int) -> str:
    """Why a rung goes on, in words."""
    return f"among the better {keep} of {len(looks)} after their sweeps ({_where(ground)}): {_text(ground, one)}"


def _where(ground: Ground) -> str:
    where = "on every fold, " if rates.together(ground.folds) else "on the first fold, "
    return f"{where if len(ground.folds) > 1 else ''}at half of the epochs"


def _text(ground: Ground, one: Look) -> str:
    metric = ground.task.metric(ground.metric)
    return f"{metric.words} {metric.number(metric.loss(one.loss))}"
