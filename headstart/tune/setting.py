"""What a strategy is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.network import Network
from headstart.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Setting:
    """One training part and one held-out part of a data set, seen through one backbone.

    Attributes:
        frozen: the backbone and what it computed once.
        targets: target of every item, one row an item: class indices (N,), or whatever the task reads.
        outputs: width of the head, C.
        train, held: positions of the training and the held-out items; ``held`` is empty when refitting.
        task: what is predicted.
        score: (outputs (n, C), targets (n,)) -> {name: value}.
        watch: the score that decides.
        minimise: whether less of it is better.
        weights: weights (C,) of the outputs in the loss; None for equal ones.
        augmentation: how training views differ.
        seed: of everything random.
        name: prefix of the names of this setting's fits.
        choose: the held-out items choose the epoch; False where they are what the result is stated on.
        title: what people read of this setting's fits; what each strategy calls itself if it is empty.
    """

    frozen: Frozen
    targets: np.ndarray
    outputs: int
    train: np.ndarray
    held: np.ndarray
    task: Task
    score: Callable[[np.ndarray, np.ndarray], Mapping[str, float]]
    watch: str = "log_loss"
    minimise: bool = True
    weights: np.ndarray | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    name: str = ""
    choose: bool = True
    title: str = ""

    def draw(self, *name: str | int) -> int:
        """A seed for the draw called ``name`` in this setting."""
        return seeds.derive(self.seed, self.name, *name)

    def collapsed(self, outputs: np.ndarray | None) -> bool:
        """True if outputs (n, C) say the same of every held-out item, though the targets differ."""
        if outputs is None or len(outputs) == 0:
            return False
        return bool(self.task.collapsed(outputs, self.targets[self.held]))


@dataclass(slots=True)
class Tuned:
    """What a strategy arrived at.

    Attributes:
        network: the whole network, its head included.
        outputs: its outputs for the held-out items, (n, C).
        options: the options with which the same plan refits without a held-out part.
        epoch: the epoch that was kept; 0 for a closed-form solution.
        epochs: the most epochs it was allowed.
        trainable: parameters that moved.
        seconds: time spent training, in all of its fits.
        curve: of the fit that was kept.
        tried: one row a fit of the sweep: its rate and scores, and whether it diverged or collapsed.
        collapsed: every held-out item got the same answer, though their targets differ.
        diverged: the loss left the finite numbers.
    """

    network: Network
    outputs: np.ndarray
    options: dict[str, Any]
    trainable: int
    epoch: int = 0
    epochs: int = 0
    seconds: float = 0.0
    curve: Sequence[Mapping[str, Any]] = ()
    tried: list[dict[str, Any]] = field(default_factory=list)
    collapsed: bool = False
    diverged: bool = False
