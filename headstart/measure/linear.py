"""A linear classifier as two arrays, and the standardisation of features that can be folded into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base import scratch
from headstart.measure import arrays, calibration
from headstart.measure.arrays import Floats

FLOOR = 0.1
"""Least scale of a feature in a standardisation, as a share of the root mean square scale of all features."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Logits that are linear in the features.

    Attributes:
        weight: (C, d).
        bias: (C,).
    """

    weight: Floats
    bias: Floats

    def outputs(self, features: Any) -> Floats:
        """Logits (n, C) of features (n, d)."""
        return np.asarray(features) @ self.weight.T + self.bias

    def probabilities(self, features: Any) -> Floats:
        """Softmax of the logits, (n, C)."""
        return calibration.softmax(self.outputs(features))

    def folded(self, scaling: Scaling) -> Linear:
        """The same function of raw features, when this one was fitted to ``scaling.apply(features)``."""
        weight = self.weight / scaling.scale
        return Linear(weight, self.bias - weight @ scaling.mean)

    def scaled(self, factor: float, shift: Any = 0.0) -> Linear:
        """Logits times a factor, plus a shift (C,)."""
        return Linear(self.weight * factor, self.bias * factor + shift)


@dataclass(frozen=True, slots=True)
class Scaling:
    """A standardisation of features: (x - mean) / scale.

    Attributes:
        mean: (d,).
        scale: (d,), positive.
    """

    mean: Floats
    scale: Floats

    def apply(self, features: Any) -> Any:
        """Standardised features (n, d), in the features' own floating type."""
        values = np.asarray(features)
        kind = values.dtype if values.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        mean, scale = self.mean.astype(kind), self.scale.astype(kind)
        if not len(values):
            return (values - mean) / scale
        return scratch.by_rows(len(values), lambda rows: (values[rows] - mean) / scale)


def standardisation(features: Any, *, floor: float = FLOOR, weights: Any = None) -> Scaling:
    """The scaling to zero mean and unit variance of features (n, d).

    Args:
        features: (n, d).
        floor: a feature's scale is at least this share of the root mean square scale, so that noise in an almost
            constant feature (a unit that hardly ever fires, a pixel in the margin) is not blown up; with nothing
            that varies, the scale is 1.
        weights: (n,) of the items, in mean and variance; all 1 by default.

    Raises:
        DataError: no finite matrix, or unfitting weights.
    """
    values = arrays.matrix(features, dtype=None)
    share = arrays.item_weights(weights, len(values))
    mean = arrays.average(values, share)
    spread = np.sqrt(arrays.average(values, share, lambda rows: np.square(rows - mean)))
    least = floor * float(np.sqrt((spread**2).mean()))
    return Scaling(mean, np.maximum(spread, least) if least > 0 else np.ones_like(mean))
