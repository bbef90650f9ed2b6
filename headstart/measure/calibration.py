"""From outputs to probabilities that mean what they say: softmax, temperature, reliability.

Temperature scaling: Guo et al. 2017 (https://arxiv.org/abs/1706.04599); smoothed targets against overconfidence on a
few, perfectly separated items: Platt 1999, Probabilistic Outputs for Support Vector Machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from headstart.measure import arrays, scores
from headstart.measure.arrays import Floats, Ints

IMAGINED = 10
"""Items that a temperature of 1 counts for, beside those that it is fitted to."""
COLDEST, HOTTEST = 1e-3, 1e3
"""Bounds of the temperature, in standard deviations of the logits."""


def softmax(logits: Any) -> Floats:
    """Probabilities (n, C) of logits (n, C), float64, without overflow."""
    values = np.asarray(logits, dtype=np.float64)
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def temperature(logits: Any, y: Any, *, weights: Any = None, offset: Any = None) -> float:
    """The temperature T at which softmax(offset + logits / T) has the lowest log loss.

    The loss is convex in 1 / T; its minimum is found by Newton steps inside a shrinking bracket. The targets are
    smoothed by 1 / (n + 1), the error rate that n right answers leave plausible, so a perfect separation keeps a finite
    T. Logits that say nothing get T = 1000 standard deviations (the offset alone remains). T scales with the logits.

    Args:
        logits: (n, C), taken on items that the logits were not fitted to.
        y: (n,) class indices.
        weights: (n,) of the items; all 1 by default.
        offset: (n, C) or (C,) logits that keep their scale, such as log priors; none by default.

    Raises:
        DataError: arrays that do not fit each other.
    """
    z = arrays.matrix(logits, name="logits")
    z = z - z.mean(axis=1, keepdims=True)
    n, classes = z.shape
    targets = np.full((n, classes), 1 / (n + 1) / classes)
    targets[np.arange(n), arrays.labels(y, classes=classes, n=n)] += n / (n + 1)
    share = arrays.item_weights(weights, n)
    share = share / share.sum()
    scale = float(np.sqrt((share[:, None] * z**2).sum() / classes))
    if scale < np.finfo(np.float64).tiny:
        return 1.0
    fixed = np.zeros(classes) if offset is None else np.asarray(offset, dtype=np.float64)
    return scale / _sharpness(z / scale, targets, share, fixed)


def towards_one(found: float, n: int) -> float:
    """A temperature that n items have set, drawn towards 1 as if ``IMAGINED`` items had asked for that.

    On a handful of items the best temperature is mostly luck, and what is trained by the log loss is seldom far from 1:
    on simulated logits this costs at most 0.02 nats where the true one is 0.6 or 2, and saves up to 0.15 where it is 1.
    """
    return float(found ** (n / (n + IMAGINED)))


def sigmoid(logits: Any) -> Floats:
    """Probabilities of logits of any shape, float64, each by itself."""
    return expit(np.asarray(logits, dtype=np.float64))


def sigmoid_temperature(logits: Any, y: Any) -> float:
    """The temperature T at which sigmoid(logits / T) has the lowest log loss over all answers.

    A sigmoid is the softmax of its logit against 0, so this is ``temperature`` with as many items as there are answers.

    Args:
        logits: (n, L), taken on items that the logits were not fitted to.
        y: (n, L) truths.

    Raises:
        DataError: arrays that do not fit each other.
    """
    z = arrays.matrix(logits, name="logits")
    truths = arrays.truths(y, shape=z.shape).ravel().astype(np.int64)
    return temperature(np.stack([np.zeros(z.size), z.ravel()], axis=1), truths)


def _sharpness(z: Floats, targets: Floats, share: Floats, offset: Floats) -> float:
    """The b in [1 / HOTTEST, 1 / COLDEST] at which softmax(offset + b z) is closest to the targets."""
    low, high = 1 / HOTTEST, 1 / COLDEST
    wanted = share @ (targets * z).sum(axis=1)

    def slope_and_curvature(b: float) -> tuple[float, float]:
        p = softmax(offset + b * z)
        mean = (p * z).sum(axis=1)
        return float(share @ mean - wanted), float(share @ ((p * z**2).sum(axis=1) - mean**2))

    if slope_and_curvature(low)[0] >= 0:
        return low
    if slope_and_curvature(high)[0] <= 0:
        return high
    b = 1.0
    for _ in range(200):
        slope, curvature = slope_and_curvature(b)
        low, high = (b, high) if slope < 0 else (low, b)
        step = b - slope / curvature if curvature > 0 else low
        following = step if low < step < high else float(np.sqrt(low * high))
        if abs(following - b) <= 1e-12 * b:
            return following
        b = following
    return b


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often a confidence was right, over equal-width bins.

    Attributes:
        edges: (bins + 1,) limits of the bins, from 0 to 1.
        count: (bins,) items in each.
        confidence: (bins,) mean confidence of the top label; NaN in an empty bin.
        accuracy: (bins,) share of right answers; NaN in an empty bin.
    """

    edges: Floats
    count: Ints
    confidence: Floats
    accuracy: Floats

    @property
    def error(self) -> float:
        """The expected calibration error: mean |accuracy - confidence|, weighted by count."""
        filled = self.count > 0
        gap = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float((self.count[filled] * gap).sum() / self.count.sum())


def reliability(p: Any, y: Any, bins: int = scores.BINS) -> Reliability:
    """The reliability diagram of probabilities (n, C) against class indices (n,)."""
    probabilities, targets = arrays.predictions(p, y)
    confidence = probabilities.max(axis=1)
    place = scores.bin_of(confidence, bins)
    count = np.bincount(place, minlength=bins)
    right = np.bincount(place, weights=probabilities.argmax(axis=1) == targets, minlength=bins)
    sure = np.bincount(place, weights=confidence, minlength=bins)
    hollow = np.where(count > 0, count, np.nan)
    return Reliability(np.linspace(0, 1, bins + 1), count.astype(np.int64), sure / hollow, right / hollow)
