"""The step plan: what each rung may cost, in epochs, so that the whole job fits its budget.

Made once, from steps timed on this machine, and written down before anything is trained; ``--resume`` and re-runs
replay the plan and not the clock, so the same plan gives the same numbers. Past its budget a run starts no further
rung, and the plan records which ones were given up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.vocabulary import Kind
from headstart.choose.ground import Ground
from headstart.data.dataset import Dataset
from headstart.engine.timing import seconds_per_step
from headstart.features.frozen import BATCH

STEPS = 1200
"""Steps that a fine-tuning fit gets where the budget allows; more gained nothing on small data."""
LEAST_EPOCHS = 3
RANDOM_COPIES = 3
"""Random initialisations of the network that probes are fitted on, where the budget allows."""
SCRATCH_LIFE = 5
"""Scratch may train this many times the epochs of the fine-tuned network (DESIGN, section 4)."""


@dataclass(frozen=True)
class Rung:
    """A candidate that trains by gradient steps.

    Attributes:
        name: its row in the evidence table.
        strategy: plug-in of the tune room.
        options: its options; ``epochs`` is set by the plan unless the user set it.
        kind: "transfer" or "scratch".
    """

    name: str
    strategy: str
    options: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "transfer"


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

    Args:
        ground: where steps are timed.
        rungs: what wants to train.
        clock: the budget.
        like: plan for this data set, though only the ground's sample of it is timed.

    Returns:
        Plain data: under ``rungs``, for each name its options and "planned" or why it is given up; ``seconds``, the
        estimate for all of them.
    """
    work = _Work.of(like or ground.dataset)
    extraction = _extraction_seconds(ground, work)
    copies = max(1, min(RANDOM_COPIES, int(0.15 * clock.left / max(extraction, 1e-9))))
    plan: dict[str, Any] = {
        "random_copies": copies,
        "budget": clock.budget,
        "machine": ground.machine.as_dict(),
        "rungs": {},
        "seconds": 0.0,
    }
    plan["extraction_seconds"] = extraction
    costs = {rung.name: _epoch_seconds(ground, rung, work) for rung in rungs}
    left = 0.9 * clock.left - copies * extraction
    waiting = list(rungs)
    while waiting:
        rung = waiting.pop(0)
        share = left / (len(waiting) + 1)
        entry, spent = _entry(rung, costs[rung.name], share, work)
        plan["rungs"][rung.name] = entry
        plan["seconds"] += spent
        left -= spent
    return plan


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

    @classmethod
    def of(cls, data: Dataset) -> _Work:
        train, held = data.folds[0]
        return cls(len(data.development), len(train), len(held), len(data.folds))

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
    return (time.perf_counter() - started) / len(rows) * work.items


def _entry(rung: Rung, cost: float, share: float, work: _Work) -> tuple[dict[str, Any], float]:
    wanted = max(8, min(40, STEPS // work.steps(rung)))
    if rung.kind == "scratch":
        wanted = min(120, wanted * SCRATCH_LIFE)
    # A sweep is three or four fits of half the epochs; the refit on train + validation is one more, a fifth longer.
    fits = work.folds + (0.0 if "rate" in rung.options else 1.75) + 1.2
    epochs = int(rung.options.get("epochs", min(wanted, share / (cost * fits))))
    options = {**rung.options, "batch_size": work.batch(rung), "epochs": epochs}
    entry = {"strategy": rung.strategy, "kind": rung.kind, "options": options, "wanted": wanted, "status": "planned"}
    entry["epoch_seconds"] = cost
    if epochs < LEAST_EPOCHS and "epochs" not in rung.options:
        entry["status"] = f"over budget: {LEAST_EPOCHS} epochs need {cost * fits * LEAST_EPOCHS:.0f} s"
        return entry, 0.0
    return entry, epochs * cost * fits


def _epoch_seconds(ground: Ground, rung: Rung, work: _Work) -> float:
    """Seconds of one epoch of a rung on the first fold, judging included."""
    train, held = ground.folds[0]
    setting = ground.setting(f"timing/{rung.name}/", train, held)
    options = {**rung.options, "batch_size": work.batch(rung), "epochs": 1}
    fit = next(discovery.load("tune", rung.strategy).plan(setting, **options))
    step = seconds_per_step(fit, ground.machine)
    forward = step / 3 * work.held / work.batch(rung)
    return step * work.steps(rung) + forward
