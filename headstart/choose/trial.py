"""One candidate, measured on the held-out items of every fold: a row of the evidence table and what refits it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from headstart.base import discovery, seeds
from headstart.base.vocabulary import Evidence, Kind
from headstart.choose import rates
from headstart.choose.ground import Ground
from headstart.choose.rates import Sweep
from headstart.engine.drive import drive
from headstart.features.frozen import BATCH, Augmentation, Frozen
from headstart.features.network import Network
from headstart.measure import intervals
from headstart.measure.metric import Metric
from headstart.tune.setting import Setting, Tuned

SERVED = 16
"""Items in a batch that is timed."""


@dataclass(frozen=True)
class Trial:
    """A measured candidate.

    Attributes:
        row: its line in the evidence table.
        predictions: (n, K) for the held-out items of every fold, in the ground's order.
        strategy: plug-in of the tune room, or of the baselines room for a baseline.
        options: with which it is refitted on all development items.
        temperature: fitted on all held-out outputs, for the refitted model; ``predictions`` are tempered by other
            items than their own.
        frozen: the backbone it stands on, where that is not the ground's (a random copy).
        curves: of each fold's final fit.
        mix: share of the fine-tuned weights, the rest being those at the start; None for all of them.
        augmentation: the training views that were searched for it; None for the ground's.
        size: bytes of its weights.
        unfit: why it may not be sealed though it was measured; empty if it may.
        again: losses by the deciding score on further draws of the folds (``repeating.py``).
        begun: options that each fold was begun with.
        fits: the name under which its fits are found in the journal.
    """

    row: Evidence
    predictions: np.ndarray
    strategy: str
    options: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    frozen: Frozen | None = None
    curves: tuple[Any, ...] = ()
    mix: float | None = None
    augmentation: Augmentation | None = None
    size: int = 0
    unfit: str = ""
    begun: tuple[Mapping[str, Any], ...] = ()
    fits: str = ""
    again: tuple[float, ...] = ()

    def score(self, metric: str) -> float:
        """Its validation score."""
        return self.row.scores[metric].value

    def loss(self, metric: Metric) -> float:
        """Its validation score with its sign such that less is better."""
        return metric.loss(self.score(metric.name))

    def mean_loss(self, metric: Metric) -> float:
        """The same over every draw of the folds that it met, by the score that decides."""
        return float(np.mean([self.loss(metric), *self.again]))


def of_baseline(ground: Ground, name: str) -> Trial:
    """Fit a baseline on each fold and predict its held-out items."""
    started = time.perf_counter()
    room = discovery.load("baselines", name)
    ground.report.begin(f"baseline {name}", len(ground.folds))
    parts = []
    for fold, (train, held) in enumerate(ground.folds):
        predictor = fit_baseline(ground, room, train, seeds.derive(ground.seed, "baseline", fold))
        parts.append(predictor.predict([ground.items[i] for i in held]))
        ground.report.advance()
    ground.report.end()
    predictions = ground.task.settled(np.concatenate(parts), ground.targets[ground.held])
    row = row_of(ground, name, "baseline", predictions, time.perf_counter() - started)
    arrays, _ = predictor.state()
    size = sum(np.asarray(array).nbytes for array in arrays.values())
    return Trial(replace(row, serving_ms=_answering(ground, predictor)), predictions, name, size=size)


def fit_baseline(ground: Ground, room: Any, rows: np.ndarray, seed: int) -> Any:
    """A baseline fitted on the items at ``rows``."""
    items = [ground.items[i] for i in rows]
    return room.fit(items, ground.targets[rows], ground.task, seed, modality=ground.dataset.modality)


def of_strategy(
    ground: Ground,
    name: str,
    strategy: str,
    options: Mapping[str, Any],
    *,
    kind: Kind = "transfer",
    frozen: Frozen | None = None,
) -> Trial:
    """Run a strategy's plan on every fold.

    The first fold chooses the learning rate or the penalty; the others, and the refit, take over what it chose, so
    that cross-validation costs five fits and not five sweeps and four fifths of its items chose nothing. Where its
    held-out items are too few for that, all folds sweep the rate together (``rates.py``). In cross-validation no held-
    out item chooses an epoch either: every fit trains to the end of its schedule.
    """
    plugin, fixed = discovery.load("tune", strategy), dict(options)
    settings = [setting_of(ground, name, fold, frozen) for fold in range(len(ground.folds))]
    swept = rates.sweep(ground, settings, strategy, options) if rates.together(ground.folds) else Sweep()
    tuned: list[Tuned] = []
    begun: list[Mapping[str, Any]] = []
    for fold, setting in enumerate(settings):
        begun.append({**fixed, **(swept.best(ground, without=fold) if swept.steps else {})})
        result = drive(plugin.plan(setting, **begun[-1]), ground.journal, machine=ground.machine, report=ground.report)
        tuned.append(result)
        fixed = dict(tuned[0].options)
    fixed |= swept.best(ground) if swept.steps else {}
    tried = [dict(step.row) for step in swept.steps] or tuned[0].tried
    outputs = np.concatenate([part.outputs for part in tuned])
    row = row_of(ground, name, kind, ground.tempered(outputs), swept.seconds + sum(part.seconds for part in tuned))
    row = replace(
        row,
        serving_ms=serving(ground, tuned[0].network),
        trainable=tuned[0].trainable,
        status=_status(ground, tuned),
        detail={"strategy": strategy, "options": fixed, "tried": tried, "epochs": tuned[0].epochs},
    )
    temperature = ground.task.temperature(outputs, ground.targets[ground.held])
    curves = tuple(part.curve for part in tuned)
    size = weight(tuned[0].network)
    return Trial(
        row,
        ground.tempered(outputs),
        strategy,
        fixed,
        temperature,
        frozen,
        curves,
        size=size,
        begun=tuple(begun),
        fits=name,
    )


def setting_of(ground: Ground, name: str, fold: int, frozen: Frozen | None = None) -> Setting:
    """A candidate's setting on one fold; its fits are found in the journal by what it is called here."""
    title = f"{name}, fold {fold + 1} of {len(ground.folds)}" if len(ground.folds) > 1 else name
    train, held = ground.folds[fold]
    return ground.setting(f"{name}/fold{fold}/", train, held, frozen, title)


def _status(ground: Ground, tuned: list[Tuned]) -> str:
    if any(part.diverged for part in tuned):
        return "diverged"
    # In a fold with a handful of held items one answer for all of them can be chance; in every fold it is none.
    return ground.task.words.collapsed if all(part.collapsed for part in tuned) else "measured"


def weight(network: Network) -> int:
    """Bytes of a network's weights and buffers, as they are sealed."""
    return sum(value.nbytes for value in network.state_dict().values())


def _answering(ground: Ground, predictor: Any) -> float:
    """Milliseconds in which a baseline predicts one item, in a batch; reading the items is part of what it does."""
    items = ground.items[: min(BATCH, len(ground.items))]
    times = []
    for _ in range(2):
        started = time.perf_counter()
        predictor.predict(items)
        times.append(time.perf_counter() - started)
    return 1000 * min(times) / len(items)


def serving(ground: Ground, network: Network) -> float:
    """Milliseconds to predict one item in float32, in batches, decoding left out; the faster of two batches."""
    inputs = ground.frozen.pixels[np.arange(min(SERVED, len(ground.items)))].to(ground.machine.device)
    network.eval().to(ground.machine.device)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        with torch.inference_mode():
            network(inputs).cpu()
        times.append(time.perf_counter() - started)
    return 1000 * min(times) / len(inputs)


def row_of(ground: Ground, name: str, kind: Kind, predictions: np.ndarray, seconds: float) -> Evidence:
    """A line of the evidence table for predictions (n, K) of the held-out items."""
    targets = ground.targets[ground.held]
    wanted = [ground.task.metric(metric) for metric in dict.fromkeys((*ground.task.shown, ground.metric))]
    found = {each.name: intervals.bootstrap(each, predictions, targets, seed=ground.seed) for each in wanted}
    return Evidence(name, kind, found, seconds)
