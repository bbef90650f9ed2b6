"""The share of each class, or the mean, of the training items, whatever the item: what knowing nothing achieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base.errors import DataError
from headstart.baselines import predictor
from headstart.baselines.predictor import Arrays, Meta
from headstart.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Majority:
    """The same prediction for every item.

    Attributes:
        shares: (K,) the task's constant prediction: shares of classes or labels, or a mean.
    """

    shares: NDArray[np.float64]
    name: str = "majority"

    def predict(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """The same row (K,) for each of n items, (n, K); the items are not read."""
        return np.tile(self.shares, (len(items), 1))

    def state(self) -> tuple[Arrays, Meta]:
        """The shares, and nothing else."""
        return {"shares": self.shares}, {}


def fit(items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "images") -> Majority:
    """Take the task's constant prediction; items, seed and modality do not matter.

    Args:
        targets: n targets of the task.
        task: what is predicted.

    Raises:
        DataError: not one target an item.
    """
    if len(targets) != len(items):
        raise DataError("Targets do not fit the items", expected=f"{len(items)} of them, not {len(targets)}")
    return Majority(np.asarray(task.constant(np.asarray(targets)), dtype=np.float64))


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> Majority:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    return Majority(predictor.array(arrays, "shares", (len(task.names),), np.float64))
