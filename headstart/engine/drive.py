"""Drive a plan: execute each fit it yields, journal it, send the outcome back.

A plan is a generator, pure in (configuration, seed, outcomes); resuming replays it over the journal, so a fit that
finished before is recalled and the first one that did not is trained, from its checkpoint if there is one.
"""

from __future__ import annotations

from typing import Any

from headstart.base.errors import RunError
from headstart.base.machine import Machine, here
from headstart.base.progress import Reporter, Silent
from headstart.base.work import Outcome, Plan
from headstart.engine import loop
from headstart.engine.checkpoint import EVERY
from headstart.engine.journal import Journal


def drive(
    plan: Plan,
    journal: Journal | None = None,
    *,
    machine: Machine | None = None,
    report: Reporter | None = None,
    train: bool = True,
) -> Any:
    """Run a plan to its end and return its result.

    Args:
        plan: what a method's ``plan(...)`` returned.
        journal: where finished fits are recorded and recalled; None keeps nothing.
        machine: where to train.
        report: told of progress.
        train: train what the journal does not have; False only recalls.

    Raises:
        RunError: when a fit would have to be trained and may not be.
    """
    machine, report = machine or here(), report or Silent()
    outcome: Outcome | None = None
    while True:
        try:
            fit = next(plan) if outcome is None else plan.send(outcome)
        except StopIteration as stop:
            return stop.value
        recalled = journal.recall(fit) if journal else None
        if recalled is not None:
            outcome = recalled
            report.detail(f"{fit.said}: recalled from the journal")
            continue
        if not train:
            raise RunError(f"The run has no record of the fit {fit.name}")
        at, every = (journal.checkpoint, journal.every) if journal else (None, EVERY)
        outcome = loop.train(
            fit,
            machine=machine,
            report=report,
            checkpoint_at=at,
            every=every,
            epochs_at=journal.epochs_at if journal else None,
        )
        if journal:
            journal.record(fit, outcome)
