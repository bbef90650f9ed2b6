"""95 % intervals: Wilson's for a proportion, the percentile bootstrap for everything else, paired for differences.

An interval of no width would claim certainty that a finite test cannot give, so both kinds are kept open where a plain
bootstrap collapses:

- a proportion takes Wilson's interval (1927), which is open at 0 and at 1;
- a difference of bounded losses is never narrower than the adjusted Wald interval of Bonett and Price (2012,
  https://doi.org/10.3102/1076998611411915): two imagined items are added, one that each model alone gets right. With no
  disagreement on n items it is +-2.77 / (n + 2), close to the rule of three; with few, it stops a bootstrap from
  calling four items against none a difference (the exact McNemar test gives p = 0.125).

Items that come in clusters, as the words of a sentence do, are no independent draws: whole clusters are resampled then
(Field and Welsh, Bootstrapping clustered data, 2007), and no closed form is taken.

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
from headstart.measure.arrays import Floats, Ints
from headstart.measure.metric import Metric

Z = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

REPLICATES = 2000
_DRAWS_AT_ONCE = 1_000_000
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


def bootstrap(
    name: str | Metric, probabilities: Any, targets: Any, *, seed: int = 0, replicates: int = REPLICATES
) -> Interval:
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
    metric = scores.named(name)
    score, n = metric.prepare(probabilities, targets), len(np.asarray(targets))
    value = float(score(np.ones((1, n)))[0])
    if metric.proportion and metric.clusters is None:
        return wilson(round(value * n), n)
    work = n * metric.effort(probabilities)
    drawn = _resampled(n, seed, replicates, work, _clusters(metric, targets))
    found = np.concatenate([score(counts) for counts in drawn])
    low, high = np.quantile(found, [0.025, 0.975])
    if metric.name == "calibration_error":
        chance = _error_of_a_calibrated_model(probabilities, seed, replicates)
        low, high = max(0.0, value - max(high - value, chance)), min(1.0, value + high - float(np.median(found)))
    elif metric.bounded and low == high:
        effective = _effective(metric, targets)
        return wilson(value * effective, effective)
    return _around(value, float(low), float(high))


def paired(
    name: str | Metric, p_a: Any, p_b: Any, targets: Any, *, seed: int = 0, replicates: int = REPLICATES
) -> Interval:
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
    metric = scores.named(name)
    if metric.values is not None and metric.clusters is None:
        a, b = metric.values(p_a, targets), metric.values(p_b, targets)
        return mean_difference(a, b, bounded=metric.bounded, seed=seed, replicates=replicates)
    if np.shape(p_a) != np.shape(p_b):
        raise DataError("The two models do not have the same outputs", where=f"{np.shape(p_a)} and {np.shape(p_b)}")
    score_a, score_b, n = metric.prepare(p_a, targets), metric.prepare(p_b, targets), len(np.asarray(targets))
    drawn = _resampled(n, seed, replicates, 2 * n * metric.effort(p_a), _clusters(metric, targets))
    found = np.concatenate([score_a(counts) - score_b(counts) for counts in drawn])
    whole = np.ones((1, n))
    value = float(score_a(whole)[0] - score_b(whole)[0])
    low, high = np.quantile(found, [0.025, 0.975])
    if metric.bounded:
        if metric.higher:
            half = Z * math.sqrt(2) / (_effective(metric, targets) + 2)
            low, high = min(low, value - half), max(high, value + half)
        low, high = max(low, -1.0), min(high, 1.0)
    return _around(value, float(low), float(high))


def gain(
    name: str | Metric, p_a: Any, p_b: Any, targets: Any, *, seed: int = 0, replicates: int = REPLICATES
) -> Interval:
    """How much better a is than b: ``paired`` with its sign such that above 0 is always better."""
    found = paired(name, p_a, p_b, targets, seed=seed, replicates=replicates)
    if scores.named(name).higher:
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
    found = np.concatenate([counts @ difference / n for counts in _resampled(n, seed, replicates, n)])
    low, high = np.quantile(found, [0.025, 0.975])
    if bounded:
        centre = difference.sum() / (n + 2)
        half = Z * math.sqrt(((np.square(difference).sum() + 2) / (n + 2) - centre**2) / (n + 2))
        low, high = max(min(low, centre - half), -1.0), min(max(high, centre + half), 1.0)
    return _around(value, float(low), float(high))


def _effective(metric: Metric, targets: Any) -> float:
    return metric.effective(targets) if metric.effective is not None else float(len(np.asarray(targets)))


def _error_of_a_calibrated_model(probabilities: Any, seed: int, replicates: int) -> float:
    """The calibration error that chance alone exceeds in 2.5 % of draws, if every confidence were true."""
    confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
    place, n = scores.bin_of(confidence), len(confidence)
    into_bins = sparse.csr_array((np.ones(n), (place, np.arange(n))), shape=(scores.BINS, n))
    draws, found = seeds.generator(seed, "calibrated"), []
    for now in _batches(n, replicates, n):
        gap = (draws.random((now, n)) < confidence) - confidence
        found.append(np.abs(into_bins @ gap.T).sum(axis=0) / n)
    return float(np.quantile(np.concatenate(found), 0.975))


def _around(value: float, low: float, high: float) -> Interval:
    return Interval(value, min(low, value), max(high, value))


def _clusters(metric: Metric, targets: Any) -> Ints | None:
    return None if metric.clusters is None else np.unique(metric.clusters(targets), return_inverse=True)[1]


def _resampled(n: int, seed: int, replicates: int, work: float, clusters: Ints | None = None) -> Iterator[Floats]:
    """How often each of n items was drawn, (r, n), in batches that keep memory bounded; with its cluster, if any."""
    draws = seeds.generator(seed, "bootstrap")
    if clusters is not None:
        size = int(clusters.max(initial=-1)) + 1
        for now in _batches(n, replicates, work):
            drawn = draws.integers(0, size, size=(now, size)) + size * np.arange(now)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=now * size).reshape(now, size)
            yield counts[:, clusters].astype(np.float64)
        return
    for now in _batches(n, replicates, work):
        drawn = draws.integers(0, n, size=(now, n)) + n * np.arange(now)[:, None]
        yield np.bincount(drawn.ravel(), minlength=now * n).reshape(now, n).astype(np.float64)


def _batches(n: int, replicates: int, work: float) -> Iterator[int]:
    """Sizes of batches of replicates that keep memory bounded, and the work: of one replicate it is ``work``."""
    left = min(replicates, max(200, int(_DRAWS_IN_ALL / work)))
    while left:
        now = min(left, max(1, _DRAWS_AT_ONCE // n))
        yield now
        left -= now
