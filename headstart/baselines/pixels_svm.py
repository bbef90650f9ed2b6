"""Support vector machine with a Gaussian kernel on small pictures, no network: the strongest simple baseline.

At most 5,000 training items, drawn by class where there are more. One machine for each pair of classes
(scikit-learn's ``SVC``); a class's output is its mean margin against the others, each clipped to [-1, 1], which is the
share of duels it wins outside the margins. C and the temperature come from predictions on held-out folds.
Cortes and Vapnik 1995, https://doi.org/10.1007/BF00994018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.svm import SVC
from torch import nn

from headstart.base import scratch
from headstart.base.errors import BadOption, ModelFolderError
from headstart.base.vocabulary import Preprocessing
from headstart.baselines import flat, predictor
from headstart.baselines.predictor import Arrays, Graph, Meta
from headstart.measure import arrays as checks
from headstart.measure import calibration, scores
from headstart.measure.folds import stratified
from headstart.measure.linear import Scaling, standardisation
from headstart.tasks.task import Task

TASKS = ("classification",)
"""What it can be asked for."""
MODALITIES = ("images",)
"""What it reads."""

MOST_ITEMS = 5_000
COSTS = (1.0, 10.0)
"""Values of C that are compared on held-out folds."""

_FLOOR = 0.3
_NUMBERS_AT_ONCE = 20_000_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Duels:
    """The machines of all pairs of the classes that occur, on one set of support vectors.

    Attributes:
        support: (m,) positions of the support vectors among the training items, class after class.
        count: (c,) support vectors of each occurring class.
        dual: (c - 1, m) coefficients: row j of a vector of class i is for the duel with the j-th other class.
        intercept: (c (c - 1) / 2,) of the duels, in the order (0, 1), (0, 2), ..., (1, 2), ...
        present: (c,) the classes that occur.
    """

    support: NDArray[np.int64]
    count: NDArray[np.int64]
    dual: Floats
    intercept: Floats
    present: NDArray[np.int64]

    def margins(self, kernel: Floats) -> Floats:
        """Margins (n, c, c) of kernel values (n, m) with the support vectors; [i, j] > 0 where class i beats j."""
        c = len(self.present)
        ends = np.cumsum(self.count)
        pull = np.zeros((len(kernel), c, c))
        for i in range(c):
            own = slice(ends[i] - self.count[i], ends[i])
            pull[:, i, np.arange(c) != i] = kernel[:, own] @ self.dual[:, own].T
        offset = np.zeros((c, c))
        offset[np.triu_indices(c, 1)] = self.intercept
        # A vector's coefficient has the sign of the duel's first class, whichever of the two is its own.
        won = np.triu(pull + pull.transpose(0, 2, 1) + offset, 1)
        return won - won.transpose(0, 2, 1)

    def outputs(self, kernel: Floats, classes: int) -> Floats:
        """Mean clipped margin (n, classes); -1 for a class that did not occur."""
        c = len(self.present)
        found = np.full((len(kernel), classes), -1.0)
        rows = max(1, _NUMBERS_AT_ONCE // (c * c))
        for start in range(0, len(kernel), rows):
            part = slice(start, start + rows)
            clipped = np.clip(self.margins(kernel[part]), -1, 1)
            found[part, self.present] = clipped.sum(axis=2) / max(1, c - 1)
        return found


@dataclass(frozen=True, slots=True)
class PixelSVM:
    """The fitted machines with what they need of their training items.

    Attributes:
        duels: the machines; their ``support`` counts the rows of ``vectors``.
        vectors: (m, 3, size, size) pixels of the support vectors.
        scaling: standardisation of the features.
        gamma: of the kernel exp(-gamma ||x - y||^2).
        temperature: of the outputs.
        classes: C.
        grey: features are the mean channel.
        modality: who decodes the items.
    """

    duels: Duels
    vectors: flat.Pixels
    scaling: Scaling
    gamma: float
    temperature: float
    classes: int
    grey: bool
    modality: str
    name: str = "pixels_svm"

    def outputs(self, pixels: flat.Pixels) -> Floats:
        """Uncalibrated outputs (n, C) of pixels (n, 3, s, s)."""
        known = self.scaling.apply(flat.rows(self.vectors, grey=self.grey))
        features = self.scaling.apply(flat.rows(pixels, grey=self.grey))
        return self.duels.outputs(kernel(features, known, self.gamma), self.classes)

    def predict(self, items: Sequence[Any]) -> Floats:
        """Probabilities (n, C) of items.

        Raises:
            Undecodable: when an item cannot be read.
        """
        pixels = flat.read(items, modality=self.modality, size=self.vectors.shape[-1])
        return calibration.softmax(self.outputs(pixels) / self.temperature)

    def graph(self) -> Graph:
        """The same on tensors."""
        return Graph(Preprocessing(self.vectors.shape[-1]), _Machines(self))

    def state(self) -> tuple[Arrays, Meta]:
        """Support vectors, coefficients and scaling; the kernel's and the calibration's numbers."""
        found = {
            "vectors": self.vectors,
            "count": self.duels.count,
            "dual": self.duels.dual,
            "intercept": self.duels.intercept,
            "present": self.duels.present,
            "mean": self.scaling.mean,
            "scale": self.scaling.scale,
        }
        meta = {
            "gamma": self.gamma,
            "temperature": self.temperature,
            "classes": self.classes,
            "grey": self.grey,
            "modality": self.modality,
        }
        return {name: np.ascontiguousarray(array) for name, array in found.items()}, meta


class _Machines(nn.Module):
    """What ``PixelSVM.predict`` does to pixels (n, 3, s, s), in the same precision."""

    known: torch.Tensor
    square: torch.Tensor
    mean: torch.Tensor
    scale: torch.Tensor
    dual: torch.Tensor
    offset: torch.Tensor
    place: torch.Tensor
    absent: torch.Tensor

    def __init__(self, machine: PixelSVM) -> None:
        super().__init__()
        duels, c = machine.duels, len(machine.duels.present)
        self.grey, self.gamma, self.temperature = machine.grey, machine.gamma, machine.temperature
        self.counts, self.c = duels.count.tolist(), c
        known = machine.scaling.apply(flat.rows(machine.vectors, grey=machine.grey)).astype(np.float64)
        offset = np.zeros((c, c))
        offset[np.triu_indices(c, 1)] = duels.intercept
        place = np.zeros((c, machine.classes))
        place[np.arange(c), duels.present] = 1 / max(1, c - 1)
        held = {
            "known": known.T,
            "square": np.einsum("ij,ij->i", known, known),
            "mean": machine.scaling.mean.astype(np.float32),
            "scale": machine.scaling.scale.astype(np.float32),
            "dual": duels.dual,
            "offset": offset,
            "place": place,
            "absent": np.where(np.isin(np.arange(machine.classes), duels.present), 0.0, -1.0),
        }
        for name, array in held.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        rows = ((flat.features(pixels, grey=self.grey) - self.mean) / self.scale).double()
        apart = rows.square().sum(1, keepdim=True) + self.square - 2 * (rows @ self.known)
        values = torch.exp(-self.gamma * torch.clamp(apart, min=0.0))
        if self.c < 2:
            return torch.softmax((self.absent + values.sum(1, keepdim=True) * 0.0) / self.temperature, 1)
        pull, start = [], 0
        for i, count in enumerate(self.counts):
            own = slice(start, start + count)
            against = values[:, own] @ self.dual[:, own].T
            nobody = torch.zeros_like(against[:, :1])
            pull.append(torch.cat([against[:, :i], nobody, against[:, i:]], 1))
            start += count
        stacked = torch.stack(pull, 1)
        won = torch.triu(stacked + stacked.transpose(1, 2) + self.offset, 1)
        clipped = torch.clamp(won - won.transpose(1, 2), -1.0, 1.0)
        outputs = clipped.sum(2) @ self.place + self.absent
        return torch.softmax(outputs / self.temperature, 1)


def kernel(x: Any, y: Any, gamma: float) -> Floats:
    """exp(-gamma ||x_i - y_j||^2), (n, m), of features (n, d) and (m, d)."""
    b = checks.matrix(y) if len(y) else np.asarray(y, dtype=np.float64)
    square = np.einsum("ij,ij->i", b, b)

    def values(rows: slice) -> Floats:
        a = np.asarray(x[rows], dtype=np.float64)
        apart = np.square(a).sum(axis=1)[:, None] + square - 2 * (a @ b.T)
        return np.exp(-gamma * np.maximum(apart, 0.0))

    return scratch.by_rows(len(x), values)


def fit(
    items: Sequence[Any], targets: Any, task: Task, seed: int, *, modality: str = "images", size: int = 32
) -> PixelSVM:
    """Fit a Gaussian support vector machine to the pixels.

    Args:
        items: training items, as the modality takes them.
        targets: (n,) class indices.
        task: what is predicted, a classification.
        seed: draws the folds, and the training items if there are more than 5,000.
        modality: plug-in of the data room.
        size: side that the pictures are scaled to, pixels, 4 to 64.

    Raises:
        BadOption: a size out of range.
        Undecodable: when an item cannot be read.
    """
    if not 4 <= size <= 64:
        raise BadOption(f"size cannot be {size}", expected="4 to 64 pixels")
    classes = len(task.names)
    y = checks.labels(targets, classes=classes, n=len(items))
    chosen = flat.at_most(MOST_ITEMS, y, seed)
    y = y[chosen]
    pixels = flat.read([items[i] for i in chosen], modality=modality, size=size)
    grey = flat.is_grey(pixels)
    features = flat.rows(pixels, grey=grey)
    scaling = standardisation(features, floor=_FLOOR)
    scaled = scaling.apply(features)
    even = np.ones(len(scaled))
    middle = checks.average(scaled, even)
    gamma = 1 / max(float(checks.average(scaled, even, lambda rows: np.square(rows - middle)).sum()), 1e-12)
    values = kernel(scaled, scaled, gamma)
    cost, temperature = _choose(values, y, classes, seed)
    duels = solve(values, y, cost)
    return PixelSVM(duels, pixels[duels.support], scaling, gamma, temperature, classes, grey, modality)


def solve(values: Floats, y: NDArray[np.int64], cost: float) -> Duels:
    """The machines of all pairs of classes, from the kernel (n, n) of the training items with themselves."""
    present, short = np.unique(y, return_inverse=True)
    if len(present) < 2:
        nothing = np.zeros(0, dtype=np.int64)
        return Duels(nothing, np.zeros(len(present), np.int64), np.zeros((0, 0)), np.zeros(0), present)
    machine = SVC(C=cost, kernel="precomputed").fit(values, short)
    # For two classes scikit-learn turns the sign round, so that above 0 is its second class.
    sign = -1.0 if len(present) == 2 else 1.0
    count = machine.n_support_.astype(np.int64)
    support = machine.support_.astype(np.int64)
    return Duels(support, count, sign * machine.dual_coef_, sign * machine.intercept_, present)


def _choose(values: Floats, y: NDArray[np.int64], classes: int, seed: int) -> tuple[float, float]:
    """The C with the lowest held-out log loss, and the temperature of the outputs at it."""
    folds, found = stratified(y, seed=seed), []
    for cost in COSTS:
        outputs = np.zeros((len(y), classes))
        for train, held in folds:
            duels = solve(_part(values, train, train), y[train], cost)
            outputs[held] = duels.outputs(_part(values, held, train[duels.support]), classes)
        heat = calibration.temperature(outputs, y)
        loss = scores.score("log_loss", calibration.softmax(outputs / heat), y)
        found.append((loss, cost, heat))
    _, cost, heat = min(found)
    return cost, heat


def _part(values: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    return scratch.by_rows(len(rows), lambda block: np.ascontiguousarray(values[np.ix_(rows[block], columns)]))


def restore(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], task: Task) -> PixelSVM:
    """Inverse of ``state``.

    Raises:
        ModelFolderError: the state is incomplete or not that of this baseline.
    """
    classes, grey = predictor.number(meta, "classes", len(task.names), len(task.names)), bool(meta.get("grey"))
    present = predictor.array(arrays, "present", (None,), np.int64)
    c = len(present)
    vectors = predictor.array(arrays, "vectors", (None, 3, None, None), np.uint8)
    m, size = len(vectors), vectors.shape[-1]
    d = size * vectors.shape[-2] * (1 if grey else 3)
    duels = Duels(
        np.arange(m),
        predictor.array(arrays, "count", (c,), np.int64),
        predictor.array(arrays, "dual", (max(0, c - 1), m), np.float64),
        predictor.array(arrays, "intercept", (c * (c - 1) // 2,), np.float64),
        present,
    )
    if duels.count.sum() != m or (duels.count < 0).any() or not c or not 0 <= present.min() <= present.max() < classes:
        raise ModelFolderError("The baseline's support vectors and classes do not fit each other")
    scaling = Scaling(
        predictor.array(arrays, "mean", (d,), np.float64), predictor.array(arrays, "scale", (d,), np.float64)
    )
    gamma, heat = (predictor.number(meta, name, 1e-300, 1e300) for name in ("gamma", "temperature"))
    return PixelSVM(duels, vectors, scaling, gamma, heat, classes, grey, str(meta.get("modality", "images")))
