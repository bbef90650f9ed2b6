"""Which rate a rung is trained at, where the held-out items of one fold are too few to say: all folds answer together.

The sweep is the strategy's own. The plans of all folds walk in step, each of them told what was found on the held-out
items of all, so that all try the same rates. No item chooses the rate that it is judged at: each fold trains to the end
at the rate that the other folds chose, and the refit has the one that all of them chose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.work import Fit, Outcome, Plan
from headstart.choose.ground import Ground
from headstart.engine.drive import drive
from headstart.tune import finetune
from headstart.tune.setting import Setting

FEW = 50
"""Held-out items of a fold below which its choice of a rate is mostly chance."""
SWEEP = 2.0
"""What a sweep costs on one fold, in final fits: about four fits of half the epochs."""
SWEPT = ("rate", "statistics")
"""What a sweep varies, as it stands in the details of a fit."""


@dataclass(frozen=True)
class Step:
    """One rate on every fold.

    Attributes:
        options: what was tried.
        outputs: (n, C) of the held-out items of every fold; None if a fit had none to give.
        row: what is kept of it for people.
        loss: on all held-out items, in the unit of the deciding score; infinite where it cannot win.
        seconds: spent.
    """

    options: Mapping[str, Any]
    outputs: np.ndarray | None
    row: Mapping[str, Any]
    loss: float
    seconds: float

    @property
    def usable(self) -> bool:
        """Whether it learned something on every fold."""
        return self.outputs is not None and not (self.row["diverged"] or self.row["collapsed"])


@dataclass(frozen=True)
class Sweep:
    """What was tried on all folds; no step where the strategy had nothing to try.

    Attributes:
        steps: in the order they were taken.
    """

    steps: Sequence[Step] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Spent."""
        return sum(step.seconds for step in self.steps)

    def best(self, ground: Ground, *, without: int | None = None) -> Mapping[str, Any]:
        """The options of the best step, by all held-out items or by those of all folds but one."""
        rows = np.ones(len(ground.held), dtype=bool) if without is None else ground.held_folds != without
        losses = [_loss(ground, step, rows) for step in self.steps]
        return self.steps[int(np.argmin(losses))].options


def together(folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
    """Whether the rate is chosen by all folds, and not by the first one alone."""
    return len(folds) > 1 and min(len(held) for _, held in folds) < FEW


def cost(folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """What a sweep costs, in final fits."""
    return SWEEP * (len(folds) if together(folds) else 1)


def sweep(ground: Ground, settings: Sequence[Setting], strategy: str, options: Mapping[str, Any]) -> Sweep:
    """Try the rates of a strategy on every fold; from the journal where that was done before.

    Args:
        ground: the folds.
        settings: of each fold, in their order.
        strategy: plug-in of the tune room.
        options: of that plug-in.
    """
    plugin = discovery.load("tune", strategy)
    plan = _in_step(ground, settings, [plugin.plan(setting, **options) for setting in settings])
    found: Sweep = drive(plan, ground.journal, machine=ground.machine, report=ground.report)
    return found


def _in_step(ground: Ground, settings: Sequence[Setting], plans: Sequence[Plan]) -> Plan:
    """The plans of all folds up to the first fit whose weights are kept, each told the same after every step."""
    steps: list[Step] = []
    fits: list[Fit | None] = [next(plan, None) for plan in plans]
    while (tried := [fit for fit in fits if fit is not None and not fit.keep]) and len(tried) == len(plans):
        outcomes = []
        for fit in tried:
            outcomes.append((yield fit))
        told = _pooled(ground, outcomes)
        options = {name: tried[0].detail[name] for name in SWEPT if name in tried[0].detail}
        row = finetune.record(settings[0], told, **options)
        loss = finetune.loss(row, settings[0])
        steps.append(Step(options, told.outputs, row, loss, sum(each.seconds for each in outcomes)))
        fits = [plan.send(replace(told, seconds=own.seconds)) for plan, own in zip(plans, outcomes, strict=True)]
    for plan in plans:
        plan.close()
    return Sweep(steps)


def _pooled(ground: Ground, outcomes: Sequence[Outcome]) -> Outcome:
    """What one rate came to on the held-out items of every fold."""
    parts = [outcome.outputs for outcome in outcomes if outcome.outputs is not None]
    diverged = any(outcome.diverged for outcome in outcomes)
    if len(parts) < len(outcomes):
        return replace(outcomes[0], outputs=None, scores={}, diverged=diverged)
    outputs = np.concatenate(parts)
    scores = ground.score(outputs, ground.targets[ground.held])
    return replace(outcomes[0], outputs=outputs, scores=scores, diverged=diverged)


def _loss(ground: Ground, step: Step, rows: np.ndarray) -> float:
    """The loss of a step on some of the held-out items; its own where that cannot be asked."""
    if step.outputs is None or not step.usable:
        return step.loss
    metric = ground.task.metric(ground.metric)
    return float(metric.loss(ground.score(step.outputs[rows], ground.targets[ground.held][rows])[metric.name]))
