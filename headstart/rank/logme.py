"""LogME: the log evidence of a Bayesian linear model from features to labels, an item.

You, Liu, Wang and Long, 2021, https://arxiv.org/abs/2102.11005: targets are N(F m, 1 / b) with m ~ N(0, 1 / a), and the
evidence is maximised over a and b. Written for q = a / b alone it needs no fixed-point iteration: the best b has a
closed form, the features enter through their k = min(n - 1, d) singular values s, and the width d drops out,

    log p = -1/2 sum_j log(1 + s_j^2 / q) - m/2 log(E(q) / m) - m/2 (1 + log 2 pi),
    E(q) = sum_j x_j^2 q / (q + s_j^2) + r,

with x the targets in the left singular basis and r what lies outside of it. So it is right for n < d, where the
published code keeps d/2 log a but sums its log-determinant over min(n, d) values. An intercept with a flat prior is
integrated out (m = n - 1), so that shifting the features changes nothing; nor does scaling or rotating them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.measure.arrays import Floats
from headstart.measure.rotation import rotate
from headstart.rank import inputs

READS = "features"
TARGETS = ("classes", "values")

_STEPS = 241
"""Values of log10 q that are tried first, over 24 decades around the mean squared singular value."""
_REFINED = 5


def score(features: Any, labels: Any) -> float:
    """Mean over the classes (one-hot targets) of the maximum log evidence divided by n - 1, nats.

    Args:
        features: (n, d).
        labels: (n,) classes; or an array of floats, whose evidence is taken as it is.

    Raises:
        DataError: arrays that do not fit each other.
    """
    if inputs.are_values(labels):
        x, y = inputs.values(features, labels)
        targets = y[:, None]
    else:
        x, index, count = inputs.classes(features, labels)
        targets = inputs.one_hot(index, count)
    rotation = rotate(x)
    squares = rotation.spectrum
    targets = targets - targets.mean(axis=0)
    left = rotation.coordinates.astype(np.float64) / np.sqrt(squares) if len(squares) else np.zeros((len(x), 0))
    inside = (left.T @ targets) ** 2
    outside = np.maximum((targets**2).sum(axis=0) - inside.sum(axis=0), 0.0)
    freedom = len(x) - 1
    return float(np.mean([_evidence(squares, inside[:, c], outside[c], freedom) for c in range(targets.shape[1])]))


def _evidence(squares: Floats, inside: Floats, outside: float, freedom: int) -> float:
    """The highest log evidence over q, divided by the degrees of freedom."""
    if not len(squares):
        return _at(np.array([1.0]), squares, inside, outside, freedom).item()
    centre = np.log(squares.mean())
    grid = centre + np.log(10) * np.linspace(-12, 12, _STEPS)
    for _ in range(_REFINED):
        found = _at(np.exp(grid), squares, inside, outside, freedom)
        best = int(found.argmax())
        step = grid[1] - grid[0]
        grid = np.linspace(grid[best] - step, grid[best] + step, 41)
    return float(found.max())


def _at(q: Floats, squares: Floats, inside: Floats, outside: float, freedom: int) -> Floats:
    """Log evidence over degrees of freedom, for each ratio q (g,)."""
    shrunk = q[:, None] / (q[:, None] + squares)
    error = np.maximum(shrunk @ inside + outside, np.finfo(np.float64).tiny)
    spread = 0.5 * np.log(shrunk).sum(axis=1)
    return np.asarray((spread - 0.5 * freedom * (np.log(error / freedom) + 1 + np.log(2 * np.pi))) / freedom)
