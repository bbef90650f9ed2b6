"""Ridge regression on small pictures, no network: what the colours and their places alone achieve.

At most 20,000 training items, drawn by class where there are more. The penalty and the calibration come from exact
leave-one-out predictions (``measure/ridge.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from headstart.base.errors import BadOption
from headstart.base.vocabulary import Preprocessing
from headstart.baselines import flat, predictor
from headstart.baselines.predictor import Arrays, Graph, Meta
from headstart.tasks.task import Task

MODALITIES = ("images",)
"""What it reads."""
MOST_ITEMS = 20_000
_FLOOR = 0.3
"""A pixel in the margin, hardly ever inked, is not scaled up; this share was best on digits, from 50 to 800 of them."""


@dataclass(frozen=True, slots=True)
class PixelRidge:
    """Outputs that are linear in the pixels: calibrated logits, or values.

    Attributes:
        weight: (C, d) float32, for pixels in [0, 1].
        bias: (C,) float32.
        size: side of the pictures, pixels.
        grey: d = size^2 of the mean channel instead of 3 size^2.
        modality: who decodes the items.
        task: says what the outputs mean.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    size: int
    grey: bool
    modality: str
    task: Task
    name: str = "pixels"

    def predict(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """The task's predictions (n, K) of items.

        Raises:
            Undecodable: when an item cannot be read.
        """
        features = flat.rows(flat.read(items, modality=self.modality, size=self.size), grey=self.grey)
        return self.task.predictions(features @ self.weight.T + self.bias)

    def graph(self) -> Graph:
        """The same on tensors."""
        return Graph(Preprocessing(self.size), _Linear(self))

    def state(self) -> tuple[Arrays, Meta]:
        """Weight and bias; how items become features."""
        meta = {"size": self.size, "grey": self.grey, "modality": self.modality}
        return {"weight": self.weight, "bias": self.bias}, meta


class _Linear(nn.Module):
    """What ``PixelRidge.predict`` does to pixels (n, 3, s, s)."""

    def __init__(self, ridge: PixelRidge) -> None:
        super().__init__()
        self.grey, self.task = ridge.grey, ridge.task
        self.weight = nn.Parameter(torch.from_numpy(ridge.weight.copy()), requires_grad=False)
        self.bias = nn.Parameter(torch.from_numpy(ridge.bias.copy()), requires_grad=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        values = flat.features(pixels, grey=self.grey)
        return self.task.in_graph(nn.functional.linear(values, self.weight, self.bias), 1.0)


def fit(
    items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "images", size: int = 32
) -> PixelRidge:
    """Fit a ridge regression to the pixels.

    Args:
        items: training items, as the modality takes them.
        targets: n targets of the task.
        task: what is predicted.
        seed: draws the training items if there are more than 20,000.
        modality: plug-in of the data room.
        size: side that the pictures are scaled to, pixels, 4 to 64.

    Raises:
        BadOption: a size out of range.
        Undecodable: when an item cannot be read.
    """
    if not 4 <= size <= 64:
        raise BadOption(f"size cannot be {size}", expected="4 to 64 pixels")
    y = np.asarray(targets)
    chosen = flat.at_most(MOST_ITEMS, task.strata(y), seed)
    pixels = flat.read([items[i] for i in chosen], modality=modality, size=size)
    grey = flat.is_grey(pixels)
    linear = task.simple(flat.rows(pixels, grey=grey), y[chosen], floor=_FLOOR)
    weight = np.ascontiguousarray(linear.weight, dtype=np.float32)
    return PixelRidge(weight, linear.bias.astype(np.float32), size, grey, modality, task)


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> PixelRidge:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    size, grey = predictor.number(meta, "size", 4, 64), bool(meta.get("grey"))
    weight = predictor.array(arrays, "weight", (task.outputs, size * size * (1 if grey else 3)), np.float32)
    bias = predictor.array(arrays, "bias", (len(weight),), np.float32)
    return PixelRidge(weight, bias, size, grey, str(meta.get("modality", "images")), task)
