"""What every rung of the ladder stands on: the same development items, folds, scores and store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from headstart.backbones.chain import Backbone
from headstart.base import discovery, seeds
from headstart.base.machine import Machine
from headstart.base.progress import Reporter
from headstart.data.dataset import Dataset
from headstart.engine.journal import Journal
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.measure import calibration, scores
from headstart.tune.setting import Setting


@dataclass(frozen=True)
class Ground:
    """The development part of a data set through one backbone; the test part is not in it.

    Attributes:
        dataset: the whole data set, for its names and its modality.
        items, digests, targets: of the development part, n items.
        folds: (train, held) positions in the development part.
        frozen: the backbone over these items.
        task: a plug-in of the tasks room.
        metric: decides.
        weights: class weights of the loss; None for equal ones.
        journal: where fits are recorded.
    """

    dataset: Dataset
    items: tuple[Any, ...]
    digests: tuple[str, ...]
    targets: np.ndarray
    folds: Sequence[tuple[np.ndarray, np.ndarray]]
    frozen: Frozen
    task: ModuleType
    metric: str
    weights: np.ndarray | None
    augmentation: Augmentation
    journal: Journal
    machine: Machine
    seed: int
    report: Reporter

    @property
    def classes(self) -> int:
        """Number of classes, C."""
        return len(self.dataset.classes)

    @property
    def held(self) -> np.ndarray:
        """Positions of every held-out item, fold by fold: the items all rungs are compared on."""
        return np.concatenate([held for _, held in self.folds])

    def score(self, outputs: np.ndarray, targets: np.ndarray) -> Mapping[str, float]:
        """The task's metrics after temperature scaling, which spares no method and favours none."""
        probabilities = calibration.softmax(outputs / calibration.temperature(outputs, targets))
        return self.task.metrics(probabilities, targets)

    def setting(self, name: str, train: np.ndarray, held: np.ndarray, frozen: Frozen | None = None) -> Setting:
        """One fold, or the refit when ``held`` is empty."""
        return Setting(
            frozen=frozen or self.frozen,
            targets=self.targets,
            classes=self.classes,
            train=train,
            held=held,
            task=self.task,
            score=self.score,
            watch=self.metric,
            minimise=not scores.higher_is_better(self.metric),
            weights=self.weights,
            augmentation=self.augmentation,
            seed=seeds.derive(self.seed, "fit"),
            name=name,
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

    folds = [(positions(train), positions(held)) for train, held in dataset.folds]
    items = tuple(dataset.items[int(i)] for i in chosen)
    digests = tuple(dataset.digests[int(i)] for i in chosen)
    targets = dataset.targets[chosen]
    task = discovery.load("tasks", "classification")
    metric = metric or task.choose_metric(targets, len(dataset.classes))
    pixels = Pixels(items, digests, backbone.info.preprocessing, store, modality=dataset.modality, report=report)
    return Ground(
        dataset=dataset,
        items=items,
        digests=digests,
        targets=targets,
        folds=folds,
        frozen=Frozen(backbone, pixels, store, machine, seed=dataset.seed, report=report),
        task=task,
        metric=metric,
        weights=task.class_weights(targets, len(dataset.classes), metric),
        augmentation=Augmentation(),
        journal=journal,
        machine=machine,
        seed=dataset.seed,
        report=report,
    )
