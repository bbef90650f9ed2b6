"""The share of each class, or the mean, of the training items, whatever the item: what knowing nothing achieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from headstart.base.errors import DataError
from headstart.base.vocabulary import Preprocessing
from headstart.baselines import predictor
from headstart.baselines.predictor import Arrays, Graph, Meta
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

    def graph(self) -> Graph:
        """The same on tensors; of the items it reads how many there are."""
        return Graph(Preprocessing(1, interpolation="nearest"), _Constant(self.shares))

    def state(self) -> tuple[Arrays, Meta]:
        """The shares, and nothing else."""
        return {"shares": self.shares}, {}


class _Constant(nn.Module):
    """One row for every item of a batch."""

    def __init__(self, shares: NDArray[np.float64]) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.from_numpy(shares.copy()), requires_grad=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        # Times nothing: what does not depend on its input has no place in a graph.
        return self.shares + 0.0 * pixels.double().flatten(1)[:, :1]


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
