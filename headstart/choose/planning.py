"""The step plan: what each rung may cost, in epochs, so that the whole job fits its budget.

Made once, from steps timed on this machine, and written down before anything is trained; ``--resume`` and re-runs
replay the plan and not the clock, so the same plan gives the same numbers. Past its budget a run starts no further
rung, and the plan records which ones were given up.

Where the budget has room for every rung at all the epochs it wants, every rung is measured. Elsewhere half of them are
(successive halving: Jamieson and Talwalkar, 2016, arXiv 1502.07943): each begins with the sweep of its rate, at half
of the epochs, and only the better half goes on; what the others would have cost becomes epochs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.choose import rates, searching
from headstart.choose.ground import Ground
from headstart.choose.rungs import Rung
from headstart.data.dataset import Dataset
from headstart.engine.timing import seconds_per_step
from headstart.features.frozen import BATCH

STEPS = 1200
"""Steps that a fine-tuning fit gets where the budget allows; more gained nothing on small data."""
LEAST_EPOCHS = 3
RANDOM_COPIES = 3
"""Random initialisations of the network that probes are fitted on, where the budget allows."""
REPEATED = 0.15
"""Share of the budget for further draws of the folds, where candidates are cross-validated (``repeating.py``)."""
SCRATCH_LIFE = 5
"""Scratch may train this many times the epochs of the fine-tuned network (DESIGN, section 4)."""


class Clock:
    """The budget, in wall time from the start of the job."""

    def __init__(self, budget: float, started: float | None = None) -> None:
        self.budget = budget
        self.started = time.perf_counter() if started is None else started

    @property
    def left(self) -> float:
        """Seconds left; negative past the budget."""
        return self.budget - (time.perf_counter() - self.started)


def batch_size(items: int) -> int:
    """Items in a step: 32, or an eighth of a very small training part, but at least 8."""
    return max(8, min(32, items // 8))


def make(ground: Ground, rungs: Sequence[Rung], clock: Clock, like: Dataset | None = None) -> dict[str, Any]:
    """Time a step of each rung and share out what is left of the budget.

    Every transferred rung gets the same number of epochs and scratch five times as many, so that the verdict is fair
    by construction. Where that leaves too few, the dearest rungs go first, then scratch: a verdict that is not
    measured is better than one on a network that was cut short.

    Args:
        ground: where steps are timed.
        rungs: what wants to train.
        clock: the budget.
        like: plan for this data set, though only the ground's sample of it is timed.

    Returns:
        Plain data: under ``rungs``, for each name its options and "planned" or why it is given up; ``keep``, how many
        of the transferred rungs go on after their sweeps; ``trials`` of a search within the best of them; ``seconds``,
        the estimate for all of it.
    """
    work = _Work.of(like or ground.dataset)
    extraction = _extraction_seconds(ground, work)
    copies = max(1, min(RANDOM_COPIES, int(0.3 * clock.left / max(extraction, 1e-9))))
    compared = any(rung.kind == "transfer" for rung in rungs)
    asked = [_Asked(rung, work, _epoch_seconds(ground, rung, work), compared) for rung in rungs]
    able = (0.9 - _reserved(rungs, like or ground.dataset)) * clock.left - copies * extraction
    asked, epochs, keep = halve(asked, able)
    left = able - sum(one.seconds(epochs[one.rung.name]) for one in asked)
    return {
        "budget": clock.budget,
        "machine": ground.machine.as_dict(),
        "random_copies": copies,
        "extraction_seconds": extraction,
        "keep": keep,
        "trials": trials(asked, epochs, left),
        "rungs": {one.rung.name: one.entry(epochs[one.rung.name]) for one in asked},
        "seconds": sum(one.seconds(epochs[one.rung.name]) for one in asked),
    }


def _reserved(rungs: Sequence[Rung], data: Dataset) -> float:
    several = sum(rung.kind == "transfer" for rung in rungs) > 1
    return REPEATED if several and len(data.folds) > 1 else 0.0


def trials(asked: Sequence[_Asked], epochs: Mapping[str, int], left: float) -> int:
    """How many trials of a search within the best rung there is time for, where everything else has all it wants.

    Whichever rung that is, the plan pays for the dearest: a trial has about half of its epochs, and the best settings
    are measured on every fold. There is none where a fold has too few held-out items to choose a rate by: the best of
    many settings would be the luckiest.
    """
    climbing = [one for one in asked if one.climbs and one.fixed is None]
    if len(climbing) < 2 or climbing[0].work.sweep > rates.SWEEP:
        return 0
    if any(epochs[one.rung.name] < one.most or not one.goes_on for one in asked):
        return 0
    dearest = max(one.cost * epochs[one.rung.name] for one in climbing)
    able = int((left - dearest * climbing[0].work.folds) / (0.5 * dearest))
    return min(able, searching.MOST) if able >= searching.FEWEST else 0


def halve(asked: Sequence[_Asked], seconds: float) -> tuple[list[_Asked], dict[str, int], int]:
    """Epochs of each rung with everything measured where there is time, else with half of the rungs going on.

    Which half is not known yet, so the plan pays for the dearest.

    Returns:
        What is asked for, epochs by name, and how many transferred rungs go on.
    """
    everything, epochs = list(asked), share(asked, seconds)
    climbing = [one for one in everything if one.climbs]
    if len(climbing) < 2 or all(epochs[one.rung.name] == one.most for one in everything):
        return everything, epochs, sum(epochs[one.rung.name] > 0 for one in climbing)
    standing = {one.rung.name for one in everything}
    while True:
        able = sorted((one for one in everything if one.climbs and one.rung.name in standing), key=lambda one: one.cost)
        keep = -(-len(able) // 2)
        looked = {one.rung.name for one in able[: len(able) - keep]}
        halved = [replace(one, goes_on=one.rung.name not in looked) for one in everything]
        epochs = share([one for one in halved if one.rung.name in standing], seconds)
        left = {name for name, count in epochs.items() if count}
        if left == standing or not left:
            return halved, {one.rung.name: epochs.get(one.rung.name, 0) for one in halved}, keep
        standing = left


def share(asked: Sequence[_Asked], seconds: float) -> dict[str, int]:
    """Epochs of each rung, 0 for one that is given up, such that all of them take at most ``seconds``."""
    standing = sorted(asked, key=lambda one: one.seconds(1))
    while True:
        epochs = _common(standing, seconds)
        if not standing or epochs >= LEAST_EPOCHS:
            break
        climbing = [one for one in standing if one.ratio == 1]
        scratch = [one for one in standing if one.ratio > 1]
        if len(climbing) > 1 or not scratch:
            standing.remove(climbing[-1])
        else:
            # Even beside one rung scratch is too dear: without it all of them get another chance.
            standing = [one for one in sorted(asked, key=lambda one: one.seconds(1)) if one.ratio == 1]
    found = {one.rung.name: 0 for one in asked}
    return found | {one.rung.name: one.capped(epochs) for one in standing}


def _common(standing: Sequence[_Asked], seconds: float) -> float:
    """The number of epochs of a transferred rung that fills the time; what a cap leaves over is shared again."""
    free, left = list(standing), seconds
    while free:
        epochs = left / sum(one.seconds(one.ratio) for one in free)
        capped = [one for one in free if one.fixed is not None or one.ratio * epochs >= one.wanted]
        if not capped:
            return epochs
        left -= sum(one.seconds(one.capped(epochs)) for one in capped)
        free = [one for one in free if one not in capped]
    return float("inf") if left >= 0 or all(one.fixed is not None for one in standing) else 0.0


def give_up(plan: dict[str, Any], name: str, why: str) -> None:
    """Record that a rung is not run."""
    plan["rungs"][name]["status"] = why


@dataclass(frozen=True, slots=True)
class _Work:
    """The sizes that a plan is made for."""

    items: int
    train: int
    held: int
    folds: int
    sweep: float = rates.SWEEP

    @classmethod
    def of(cls, data: Dataset) -> _Work:
        (train, held), wholes = data.folds[0], data.wholes
        # Items that are read together are one piece of work.
        items, fitted, judged = (len(np.unique(wholes[rows])) for rows in (data.development, train, held))
        return cls(items, fitted, judged, len(data.folds), rates.cost(data.folds))

    def batch(self, rung: Rung) -> int:
        return int(rung.options.get("batch_size", batch_size(self.train)))

    def steps(self, rung: Rung) -> int:
        return max(1, round(self.train / self.batch(rung)))


def _extraction_seconds(ground: Ground, work: _Work) -> float:
    """Seconds to push every item through the network once."""
    rows = np.arange(min(BATCH, len(ground.items)))
    inputs = ground.frozen.pixels[rows]
    ground.frozen.run(ground.frozen.backbone, inputs)
    started = time.perf_counter()
    ground.frozen.run(ground.frozen.backbone, inputs)
    return (time.perf_counter() - started) / len(inputs) * work.items


@dataclass(frozen=True)
class _Asked:
    """A rung with what one epoch of it costs.

    ``compared`` if there is a transferred rung to be fair to; ``goes_on`` unless it is expected to be dropped after its
    sweep.
    """

    rung: Rung
    work: _Work
    cost: float
    compared: bool = True
    goes_on: bool = True

    @property
    def climbs(self) -> bool:
        """Whether it is a transferred rung."""
        return self.rung.kind == "transfer"

    @property
    def ratio(self) -> int:
        """Epochs for each epoch of a transferred rung."""
        return SCRATCH_LIFE if self.rung.kind == "scratch" and self.compared else 1

    @property
    def wanted(self) -> int:
        """Epochs beyond which more gain nothing."""
        return self.ratio * max(8, min(40, STEPS // self.work.steps(self.rung)))

    @property
    def most(self) -> int:
        """Its epochs where there is all the time in the world."""
        return self.wanted if self.fixed is None else self.fixed

    @property
    def fixed(self) -> int | None:
        """Epochs that the user set."""
        return int(self.rung.options["epochs"]) if "epochs" in self.rung.options else None

    def capped(self, epochs: float) -> int:
        """Its epochs where a transferred rung gets ``epochs``."""
        return self.fixed if self.fixed is not None else int(min(self.wanted, self.ratio * epochs))

    def seconds(self, epochs: float) -> float:
        """Time for that many epochs in each of its fits: the folds, the sweep, the refit on train + validation."""
        sweep = 0.0 if "rate" in self.rung.options else self.work.sweep
        return epochs * self.cost * (sweep + (self.work.folds + 1.2 if self.goes_on else 0.0))

    def entry(self, epochs: int) -> dict[str, Any]:
        """What the plan says of it."""
        options = _declared(self.rung, {"batch_size": self.work.batch(self.rung), "epochs": epochs})
        least = LEAST_EPOCHS * self.ratio
        why = f"over budget: {least} epochs need {self.seconds(least):.0f} s"
        return {
            "strategy": self.rung.strategy,
            "kind": self.rung.kind,
            "options": options,
            "epoch_seconds": self.cost,
            "least_seconds": self.seconds(least),
            "status": "planned" if epochs else why,
        }


def _declared(rung: Rung, planned: Mapping[str, Any]) -> dict[str, Any]:
    """The rung's own options, and of the planned ones those that its strategy has."""
    known = discovery.options(discovery.load("tune", rung.strategy).plan)
    return {**rung.options, **{name: value for name, value in planned.items() if name in known}}


def _epoch_seconds(ground: Ground, rung: Rung, work: _Work) -> float:
    """Seconds of one epoch of a rung on the first fold, judging included."""
    train, held = ground.folds[0]
    setting = ground.setting(f"timing/{rung.name}/", train, held)
    plan = discovery.load("tune", rung.strategy).plan
    options = _declared(rung, {"batch_size": work.batch(rung), "epochs": 1, "views": 1})
    fit = next(plan(setting, **options), None)
    if fit is None:
        # Nothing is trained by steps; what it costs is not counted in epochs.
        return 1e-6
    step = seconds_per_step(fit, ground.machine)
    forward = step / 3 * work.held / work.batch(rung)
    return step * work.steps(rung) + forward
