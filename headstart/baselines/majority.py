"""The share of each class in the training items, whatever the item: what knowing nothing achieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.baselines import predictor
from headstart.baselines.predictor import Arrays, Meta
from headstart.measure import arrays as checks


@dataclass(frozen=True, slots=True)
class Majority:
    """The same probabilities for every item.

    Attributes:
        shares: (C,) smoothed by one item spread evenly over the classes, so that no class is impossible.
    """

    shares: NDArray[np.float64]
    name: str = "majority"

    def predict_proba(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """The class shares (C,) for each of n items, (n, C); the items are not read."""
        return np.tile(self.shares, (len(items), 1))

    def state(self) -> tuple[Arrays, Meta]:
        """The shares, and nothing else."""
        return {"shares": self.shares}, {}


def fit(items: Sequence[Any], targets: Any, classes: int, seed: int, *, modality: str = "images") -> Majority:
    """Count the classes; items, seed and modality do not matter.

    Args:
        targets: (n,) class indices.
        classes: number of classes, C.
    """
    counts = np.bincount(checks.labels(targets, classes=classes, n=len(items)), minlength=classes)
    return Majority((counts + 1 / classes) / (len(items) + 1))


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Majority:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    return Majority(predictor.array(arrays, "shares", (None,), np.float64))
