"""What a strategy is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.network import Network


@dataclass(frozen=True, slots=True)
class Setting:
    """One training part and one held-out part of a data set, seen through one backbone.

    Attributes:
        frozen: the backbone and what it computed once.
        targets: class of every item, (N,).
        classes: number of classes, C.
        train, held: positions of the training and the held-out items; ``held`` is empty when refitting.
        task: a plug-in of the tasks room.
        score: (outputs (n, C), targets (n,)) -> {name: value}.
        watch: the score that decides.
        minimise: whether less of it is better.
        weights: class weights (C,) for the loss; None for equal ones.
        augmentation: how training views differ.
        seed: of everything random.
        name: prefix of the names of this setting's fits.
        choose: the held-out items choose the epoch; False where they are what the result is stated on.
    """

    frozen: Frozen
    targets: np.ndarray
    classes: int
    train: np.ndarray
    held: np.ndarray
    task: ModuleType
    score: Callable[[np.ndarray, np.ndarray], Mapping[str, float]]
    watch: str = "log_loss"
    minimise: bool = True
    weights: np.ndarray | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    name: str = ""
    choose: bool = True

    def draw(self, *name: str | int) -> int:
        """A seed for the draw called ``name`` in this setting."""
        return seeds.derive(self.seed, self.name, *name)


@dataclass(slots=True)
class Tuned:
    """What a strategy arrived at.

    Attributes:
        network: the whole classifier.
        outputs: its outputs for the held-out items, (n, C).
        options: the options with which the same plan refits without a held-out part.
        epoch: the epoch that was kept; 0 for a closed-form solution.
        epochs: the most epochs it was allowed.
        trainable: parameters that moved.
        seconds: time spent training, in all of its fits.
        curve: of the fit that was kept.
        tried: one row a fit of the sweep: its rate and scores, and whether it diverged or collapsed.
        collapsed: every held-out item got the same class, though there are several.
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


def one_class(outputs: np.ndarray | None, targets: np.ndarray) -> bool:
    """True if all outputs name one class while the targets have several: the mark of a rate that was too high."""
    if outputs is None or len(outputs) == 0:
        return False
    return len(np.unique(outputs.argmax(axis=1))) == 1 and len(np.unique(targets)) > 1
