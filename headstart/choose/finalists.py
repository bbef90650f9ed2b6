"""Two networks that a probe cannot tell apart are both fine-tuned a little before one of them gets the ladder.

A probe on frozen features is a good but not a perfect guide to what fine-tuning makes of a network; the best of the
first by reputation and the first by a probe, both fine-tuned, regrets less than either (Renggli et al., Which Model to
Transfer?, 2022, arXiv 2010.06402). Each of the two sweeps its rate in the first rung that trains its layers; the
better held-out score at its best rate decides.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.backbones.chain import Backbone
from headstart.base.errors import DiskFull
from headstart.base.machine import Machine
from headstart.base.progress import Reporter
from headstart.base.ranked import Finalist
from headstart.choose import halving, planning, rates, rungs
from headstart.choose.ground import Ground, prepare, small
from headstart.choose.halving import Look
from headstart.choose.planning import Clock
from headstart.choose.rungs import Rung
from headstart.data.dataset import Dataset
from headstart.engine.journal import Journal
from headstart.features.store import Store

SHARE = 0.15
"""Of the budget that both of them may take together."""
LONGEST = 1800.0
"""Seconds that each of them takes at most, whatever the budget."""
LAYERS = ("partial", "lora", "full")
"""Strategies that train layers, not only norms or biases."""


def compare(
    dataset: Dataset,
    pair: Sequence[Backbone],
    *,
    metric: str | None,
    machine: Machine,
    store: Store,
    report: Reporter,
    budget: float,
) -> tuple[Finalist, ...]:
    """Fine-tune both as far as a sweep goes.

    Args:
        dataset: only its development part is read.
        pair: the two networks, the first by the comparison without training first.
        metric: decides; the task's own choice by default.
        machine, store, report: as everywhere.
        budget: seconds of the whole job.

    Returns:
        Both, the better one first; nothing where the budget or the disk has no room for the two of them.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
            given = {"metric": metric, "machine": machine, "store": store}
            return _compared(Path(folder), dataset, pair, report=report, budget=budget, **given)
    except (DiskFull, OSError) as error:
        # What was compared without training stands.
        report.detail(f"The first two networks were not fine-tuned for the comparison: {error}")
        return ()


def _compared(
    folder: Path, dataset: Dataset, pair: Sequence[Backbone], *, report: Reporter, budget: float, **given: Any
) -> tuple[Finalist, ...]:
    entered: list[tuple[Ground, Rung]] = []
    for number, backbone in enumerate(pair):
        journal = Journal(folder / str(number))
        journal.begin({"backbone": backbone.info.name})
        ground = prepare(dataset, backbone, journal=journal, report=report, **given)
        rung = _planned(ground, folder, SHARE * budget / len(pair))
        if rung is None:
            return ()
        entered.append((ground, rung))
    # Both get what the slower one has time for, so that they are compared and not their speeds.
    epochs = min(rung.options["epochs"] for _, rung in entered)
    looks = [(ground, halving.look(ground, rung, {**rung.options, "epochs": epochs})) for ground, rung in entered]
    # Of level ones the first stays first.
    return tuple(_finalist(*one) for one in sorted(looks, key=lambda one: one[1].loss))


def _finalist(ground: Ground, look: Look) -> Finalist:
    metric = ground.task.metric(ground.metric)
    value = metric.loss(look.loss) if math.isfinite(look.loss) else None
    return Finalist(ground.frozen.backbone.info.name, look.name, metric.name, value, look.seconds)


def _planned(ground: Ground, folder: Path, seconds: float) -> Rung | None:
    """The first rung that trains layers, with the epochs that there is time for; None where there is not enough."""
    climbing = rungs.chosen(ground.frozen.backbone, "auto", {}, scratch=False)
    rung = next((one for one in climbing.heavy if one.strategy in LAYERS), None)
    if rung is None:
        return None
    # A plan pays for a whole rung, of which no more than its sweep is run.
    sweep, folds = rates.cost(ground.dataset.folds), len(ground.dataset.folds)
    clock = Clock(min(seconds, LONGEST) * (sweep + folds) / sweep)
    timed = small(ground, Store(folder / "timing"))
    entry = planning.make(timed, [rung], clock, like=ground.dataset)["rungs"][rung.name]
    return Rung(rung.name, rung.strategy, entry["options"]) if entry["status"] == "planned" else None
