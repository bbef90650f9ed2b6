"""What every rung of the ladder stands on: the same development items, folds, scores and store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.backbones.chain import Backbone
from headstart.base import seeds
from headstart.base.machine import Machine
from headstart.base.progress import Reporter, Silent
from headstart.data.dataset import Dataset
from headstart.engine.journal import Journal
from headstart.features import units
from headstart.features.frozen import Augmentation, Frozen, usual
from headstart.features.store import Store
from headstart.tasks.task import Task
from headstart.tune.setting import Setting

SAMPLE = 64
"""Training items that steps are timed on."""


@dataclass(frozen=True)
class Ground:
    """The development part of a data set through one backbone; the test part is not in it.

    Attributes:
        dataset: the whole data set, for its names and its modality.
        items, digests, targets: of the development part, n items.
        folds: (train, held) positions in the development part.
        frozen: the backbone over these items.
        task: what is predicted.
        metric: decides.
        weights: weights (C,) of the outputs in the loss; None for equal ones.
        journal: where fits are recorded.
        again: further draws of the folds, when cross-validated.
    """

    dataset: Dataset
    items: tuple[Any, ...]
    digests: tuple[str, ...]
    targets: np.ndarray
    folds: Sequence[tuple[np.ndarray, np.ndarray]]
    frozen: Frozen
    task: Task
    metric: str
    weights: np.ndarray | None
    augmentation: Augmentation
    journal: Journal
    machine: Machine
    seed: int
    report: Reporter
    again: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]] = ()

    @property
    def outputs(self) -> int:
        """Width of the head, C."""
        return self.task.outputs

    @property
    def held(self) -> np.ndarray:
        """Positions of every held-out item, fold by fold: the items all rungs are compared on."""
        return np.concatenate([held for _, held in self.folds])

    @property
    def held_folds(self) -> np.ndarray:
        """Fold of every held-out item, in the order of ``held``."""
        return np.concatenate([np.full(len(held), fold) for fold, (_, held) in enumerate(self.folds)])

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> Mapping[str, float]:
        """The task's scores at the best temperature, which spares no method and favours none."""
        return self.task.score(self.task.predictions(outputs, self.task.temperature(outputs, targets)), targets)

    def tempered(self, outputs: np.ndarray) -> np.ndarray:
        """Predictions of held-out outputs (n, C), each at a temperature that other items than its own have set.

        The others are the other folds, or the other half where there is one fold: a temperature fitted on the items
        it is judged on would favour whatever has one over the baselines, which have none.
        """
        parts = self.held_folds if len(self.folds) > 1 else np.arange(len(outputs)) % 2
        targets = self.targets[self.held]
        predictions = np.empty((len(outputs), len(self.task.names)), dtype=np.float64)
        for part in np.unique(parts):
            own = parts == part
            heat = self.task.temperature(outputs[~own], targets[~own]) if (~own).any() else 1.0
            predictions[own] = self.task.predictions(outputs[own], heat)
        return self.task.settled(predictions, targets)

    def setting(
        self, name: str, train: np.ndarray, held: np.ndarray, frozen: Frozen | None = None, title: str = ""
    ) -> Setting:
        """One fold, or the refit when ``held`` is empty; fits go by ``name``, people read ``title``."""
        return Setting(
            frozen=frozen or self.frozen,
            targets=self.targets,
            outputs=self.outputs,
            train=train,
            held=held,
            task=self.task,
            score=self.score,
            watch=self.metric,
            minimise=not self.task.metric(self.metric).higher,
            weights=self.weights,
            augmentation=self.augmentation,
            seed=seeds.derive(self.seed, "fit"),
            name=name,
            choose=len(self.folds) == 1,
            title=title,
        )

    def with_augmentation(self, augmentation: Augmentation) -> Ground:
        """The same ground with other training views."""
        return replace(self, augmentation=augmentation)


def prepare(
    dataset: Dataset,
    backbone: Backbone,
    *,
    metric: str | None,
    journal: Journal,
    machine: Machine,
    store: Store,
    report: Reporter,
) -> Ground:
    """The ground for a data set and a backbone; decodes what the store does not have yet."""
    chosen = dataset.development
    place = {int(position): i for i, position in enumerate(chosen)}

    def positions(rows: np.ndarray) -> np.ndarray:
        return np.array([place[int(row)] for row in rows], dtype=np.int64)

    draws = [
        [(positions(train), positions(held)) for train, held in folds] for folds in (dataset.folds, *dataset.again)
    ]
    items = tuple(dataset.items[int(i)] for i in chosen)
    digests = tuple(dataset.digests[int(i)] for i in chosen)
    targets = dataset.targets[chosen]
    task: Task = dataset.task
    metric = task.metric(metric).name if metric else task.choose_metric(targets)
    pixels = units.of(items, digests, backbone.info.preprocessing, store, modality=dataset.modality, report=report)
    return Ground(
        dataset=dataset,
        items=items,
        digests=digests,
        targets=targets,
        folds=draws[0],
        frozen=Frozen(backbone, pixels, store, machine, seed=dataset.seed, report=report),
        task=task,
        metric=metric,
        weights=task.weights(targets, metric),
        augmentation=usual(dataset.modality),
        journal=journal,
        machine=machine,
        seed=dataset.seed,
        report=report,
        again=draws[1:],
    )


def small(ground: Ground, store: Store) -> Ground:
    """The same ground over a few items, in a store of its own: enough to time a step on."""
    found = prepare(
        sample(ground.dataset),
        ground.frozen.backbone,
        metric=ground.metric,
        journal=ground.journal,
        machine=ground.machine,
        store=store,
        report=Silent(),
    )
    return found.with_augmentation(ground.augmentation)


def sample(data: Dataset) -> Dataset:
    """A few development items in one fold, enough to time a step on."""
    train, held = data.folds[0]
    strata = np.unique(data.task.strata(data.targets), axis=0, return_inverse=True)[1].reshape(len(data))
    rows = np.concatenate([_spread(train, strata, SAMPLE), _spread(held, strata, SAMPLE // 3)])
    first = min(len(train), SAMPLE)
    positions = np.arange(len(rows))
    return replace(
        data,
        items=tuple(data.items[int(i)] for i in rows),
        digests=tuple(data.digests[int(i)] for i in rows),
        wheres=tuple(data.wheres[int(i)] for i in rows),
        targets=data.targets[rows],
        parts=np.where(positions < first, "train", "val"),
        folds=((positions[:first], positions[first:]),),
        again=(),
    )


def _spread(rows: np.ndarray, strata: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` rows, of as many strata as there is room for."""
    seen: dict[int, int] = {}
    turn = np.empty(len(rows), dtype=np.int64)
    for position, row in enumerate(rows):
        label = int(strata[row])
        turn[position] = seen.get(label, 0)
        seen[label] = seen.get(label, 0) + 1
    return rows[np.argsort(turn, kind="stable")[:most]]
