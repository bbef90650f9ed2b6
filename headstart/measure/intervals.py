"""95 % intervals: Wilson's for a proportion, the percentile bootstrap for everything else, paired for differences.

An interval of no width would claim certainty that a finite test cannot give, so both kinds are kept open where a plain
bootstrap collapses:

- a proportion takes Wilson's interval (1927), which is open at 0 and at 1;
- a difference of bounded losses is never narrower than the adjusted Wald interval of Bonett and Price (2012,
  https://doi.org/10.3102/1076998611411915): two imagined items are added, one that each model alone gets right. With no
  disagreement on n items it is +-2.77 / (n + 2), close to the rule of three; with few, it stops a bootstrap from
  calling four items against none a difference (the exact McNemar test gives p = 0.125).

Bootstrap: Efron and Tibshirani, An Introduction to the Bootstrap (1993).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, scores
from headstart.measure.arrays import Floats

Z = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

REPLICATES = 2000
_DRAWS_AT_ONCE = 4_000_000
_DRAWS_IN_ALL = 400_000_000


def wilson(successes: float, n: float) -> Interval:
    """Wilson's 95 % interval of a proportion; ``n`` may be an effective, fractional number of items.

    Raises:
        DataError: not 0 <= successes <= n with n > 0.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise DataError(f"{successes} of {n} is no proportion", expected="0 <= successes <= n and n > 0")
    share, shrink = successes / n, 1 + Z * Z / n
    centre = (share + Z * Z / (2 * n)) / shrink
    half = Z / shrink * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return _around(share, max(0.0, centre - half), min(1.0, centre + half))


def bootstrap(name: str, probabilities: Any, targets: Any, *, seed: int = 0, replicates: int = REPLICATES) -> Interval:
    """A score with its 95 % interval.

    - ``accuracy``: Wilson's interval.
    - ``balanced_accuracy``, ``f1_macro``: percentile bootstrap; where every resample agrees (all right or all wrong),
      Wilson's at the number of items whose plain accuracy would be as certain, C^2 / sum(1 / n_c).
    - ``log_loss``: percentile bootstrap.
    - ``calibration_error``: chance alone makes an error, and resampling makes it once more. So the upper limit takes
      the replicates' spread above their median, and the lower one is that of the basic bootstrap, but below the value
      by at least what a perfectly calibrated model of the same confidences exceeds in only 2.5 % of draws.

    Over 200,000 items there are fewer replicates, so that the work is bounded.

    Args:
        probabilities: (n, C).
        targets: (n,) class indices.

    Raises:
        UnknownName, DataError: as ``scores.score`` does.
    """
    items = scores.terms(name, probabilities, targets)
    value, n = _scored(name, items), items.shape[0]
    if name == "accuracy":
        return wilson(round(value * n), n)
    found = np.concatenate([scores.from_totals(name, totals) for totals in _resampled(items, seed, replicates)])
    low, high = np.quantile(found, [0.025, 0.975])
    if name == "calibration_error":
        chance = _error_of_a_calibrated_model(probabilities, seed, replicates)
        low, high = max(0.0, value - max(high - value, chance)), min(1.0, value + high - float(np.median(found)))
    elif name in ("balanced_accuracy", "f1_macro") and low == high:
        effective = effective_items(targets)
        return wilson(value * effective, effective)
    return _around(value, float(low), float(high))


def paired(name: str, p_a: Any, p_b: Any, targets: Any, *, seed: int = 0, replicates: int = REPLICATES) -> Interval:
    """score(a) - score(b) on the same items, with its 95 % interval by a paired bootstrap.

    The sign is the score's own: for losses, negative means that a is better (``gain`` turns that round). Both models
    are resampled together. ``accuracy`` is widened as ``mean_difference`` says; ``balanced_accuracy`` and ``f1_macro``
    are at least as wide as two models that agree everywhere would be, +-2.77 / (m + 2) for m effective items.

    Args:
        p_a, p_b: (n, C) probabilities of the two models.
        targets: (n,) class indices.

    Raises:
        UnknownName, DataError: as ``scores.score`` does.
    """
    if name in ("accuracy", "log_loss"):
        a, b = scores.losses(name, p_a, targets), scores.losses(name, p_b, targets)
        if name == "accuracy":
            a, b = 1 - a, 1 - b
        return mean_difference(a, b, bounded=name == "accuracy", seed=seed, replicates=replicates)
    items_a, items_b = scores.terms(name, p_a, targets), scores.terms(name, p_b, targets)
    if items_a.shape != items_b.shape:
        raise DataError("The two models do not have the same classes", where=f"{items_a.shape} and {items_b.shape}")
    cut = items_a.shape[1]
    found = np.concatenate(
        [
            scores.from_totals(name, totals[:, :cut]) - scores.from_totals(name, totals[:, cut:])
            for totals in _resampled(sparse.csr_array(sparse.hstack([items_a, items_b])), seed, replicates)
        ]
    )
    value = _scored(name, items_a) - _scored(name, items_b)
    low, high = np.quantile(found, [0.025, 0.975])
    if scores.higher_is_better(name):
        half = Z * math.sqrt(2) / (effective_items(targets) + 2)
        low, high = min(low, value - half), max(high, value + half)
    return _around(value, float(max(low, -1.0)), float(min(high, 1.0)))


def gain(name: str, p_a: Any, p_b: Any, targets: Any, *, seed: int = 0, replicates: int = REPLICATES) -> Interval:
    """How much better a is than b: ``paired`` with its sign such that above 0 is always better."""
    found = paired(name, p_a, p_b, targets, seed=seed, replicates=replicates)
    if scores.higher_is_better(name):
        return found
    return Interval(-found.value, -found.high, -found.low)


def mean_difference(a: Any, b: Any, *, bounded: bool = True, seed: int = 0, replicates: int = REPLICATES) -> Interval:
    """mean(a) - mean(b) of paired values per item, with its 95 % interval.

    Args:
        a, b: (n,) values per item, or (k, n) for k repeats (initialisations, rounds of cross-validation), which are
            averaged per item: resampling items, not repeats, is what a new test set would vary.
        bounded: the values lie in [0, 1]; the interval then covers Bonett and Price's as well (see the module).

    Raises:
        DataError: different numbers of items, none, or values outside [0, 1] although bounded.
    """
    means = []
    for values in (a, b):
        found = arrays.matrix(np.atleast_2d(np.asarray(values, dtype=np.float64)), name="values per item")
        if bounded and not 0 <= found.min() <= found.max() <= 1:
            raise DataError("Values per item are out of range", expected="0 to 1, or bounded=False")
        means.append(found.mean(axis=0))
    if len(means[0]) != len(means[1]):
        raise DataError("The two models were not measured on the same items", where=f"{len(means[0])}, {len(means[1])}")
    difference = means[0] - means[1]
    n, value = len(difference), float(difference.mean())
    items = sparse.csr_array(difference[:, None])
    found = np.concatenate([totals[:, 0] / n for totals in _resampled(items, seed, replicates)])
    low, high = np.quantile(found, [0.025, 0.975])
    if bounded:
        centre = difference.sum() / (n + 2)
        half = Z * math.sqrt(((np.square(difference).sum() + 2) / (n + 2) - centre**2) / (n + 2))
        low, high = max(min(low, centre - half), -1.0), min(max(high, centre + half), 1.0)
    return _around(value, float(low), float(high))


def effective_items(targets: Any) -> float:
    """The number of items whose plain accuracy is as certain as this mean of per-class recalls: C^2 / sum(1 / n_c)."""
    counts = np.unique(np.asarray(targets), return_counts=True)[1]
    return float(len(counts) ** 2 / (1.0 / counts).sum())


def _scored(name: str, items: sparse.csr_array) -> float:
    return float(scores.from_totals(name, np.asarray(items.sum(axis=0), dtype=np.float64)[None])[0])


def _error_of_a_calibrated_model(probabilities: Any, seed: int, replicates: int) -> float:
    """The calibration error that chance alone exceeds in 2.5 % of draws, if every confidence were true."""
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    place, n = scores.bin_of(confidence), len(confidence)
    into_bins = sparse.csr_array((np.ones(n), (place, np.arange(n))), shape=(scores.BINS, n))
    draws, found = seeds.generator(seed, "calibrated"), []
    for now in _batches(n, replicates):
        gap = (draws.random((now, n)) < confidence) - confidence
        found.append(np.abs(into_bins @ gap.T).sum(axis=0) / n)
    return float(np.quantile(np.concatenate(found), 0.975))


def _around(value: float, low: float, high: float) -> Interval:
    return Interval(value, min(low, value), max(high, value))


def _resampled(items: sparse.csr_array, seed: int, replicates: int) -> Iterator[Floats]:
    """Totals (r, m) of resampled items, in batches that keep memory bounded."""
    n = items.shape[0]
    draws = seeds.generator(seed, "bootstrap")
    across = sparse.csr_array(items.T)
    for now in _batches(n, replicates):
        drawn = draws.integers(0, n, size=(now, n)) + n * np.arange(now)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=now * n).reshape(now, n)
        yield (across @ np.ascontiguousarray(counts.T, dtype=np.float64)).T


def _batches(n: int, replicates: int) -> Iterator[int]:
    """Sizes of batches of replicates that keep memory and work bounded."""
    left = min(replicates, max(200, _DRAWS_IN_ALL // n))
    while left:
        now = min(left, max(1, _DRAWS_AT_ONCE // n))
        yield now
        left -= now
