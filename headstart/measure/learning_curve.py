"""The learning curve over labels: how the error falls as there are more of them, and what twice as many would bring.

error(n) = floor + factor n^-exponent, the power law with a floor of Cortes et al. (1993, Learning Curves: Asymptotic
Values and Rate of Convergence) and Hestness et al. (2017, https://arxiv.org/abs/1712.00409). Sizes that span a factor
of eight hardly tell the three numbers apart, so none of them is believed: every exponent of a grid is fitted, with and
without a floor, and what is said of a larger size is averaged over them by how well they fit. An interval so found
holds both the noise of the measurements and the doubt about the law.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, ridge
from headstart.measure.arrays import Floats, Ints

EXPONENTS: Floats = np.linspace(0.1, 1.5, 29)
"""Exponents that are tried, each as likely as another beforehand; measured curves lie within (Hestness et al.)."""
LEAST = 16
"""Items from which on a subset of a quarter is worth fitting."""
PRICE = 2.0
"""What a floor has to lower the squared misfit by to be as likely as none: Akaike's price of a number."""
MISFIT = 0.03
"""Share of an error by which a true curve may leave the law, for no curve is quite one."""


@dataclass(frozen=True, slots=True)
class Laws:
    """Power laws that the measurements leave possible, one a replicate.

    Attributes:
        floor: (r,) error that no number of labels undercuts.
        factor: (r,) of n^-exponent.
        exponent: (r,).
    """

    floor: Floats
    factor: Floats
    exponent: Floats

    def errors(self, sizes: Any) -> Floats:
        """(r, k) errors at sizes (k,)."""
        n = np.asarray(sizes, dtype=np.float64)
        return self.floor[:, None] + self.factor[:, None] * n ** -self.exponent[:, None]

    def at(self, size: float) -> Interval:
        """The error at a size: the median of the laws, with their 95 % interval."""
        return _interval(self.errors([size])[:, 0])

    def gain(self, size: float, factor: float = 2.0) -> Interval:
        """How much lower the error is with ``factor`` times as many labels."""
        now, then = self.errors([size, factor * size]).T
        return _interval(now - then)

    def shrinkage(self, size: float, factor: float = 2.0) -> Interval:
        """The share of the error that goes away with ``factor`` times as many labels."""
        now, then = self.errors([size, factor * size]).T
        return _interval(np.divide(now - then, now, out=np.zeros_like(now), where=now > 0))


def laws(sizes: Any, errors: Any, replicates: Any, *, seed: int = 0) -> Laws:
    """The power laws that measured errors leave possible.

    Each replicate of the curve is fitted at every exponent by generalised least squares, floor and factor not negative,
    and one exponent is drawn for it by its likelihood.

    Args:
        sizes: (s,) labels, at least three different numbers.
        errors: (s,) measured at them, less is better, none negative.
        replicates: (r, s) bootstrap replicates of them; their covariance is the noise.
        seed: of the draws of the exponent.

    Raises:
        DataError: arrays that do not fit each other, or too few sizes.
    """
    n, curve, drawn = _checked(sizes, errors, replicates)
    precision = np.asarray(np.linalg.inv(_covariance(drawn, curve)), dtype=np.float64)
    # The replicates' mean is a little off what they are replicates of where a score is no mean over items.
    curves = np.maximum(drawn - drawn.mean(axis=0) + curve, 0.0)
    fitted = [_fit(n, curves, exponent, precision, bare) for bare in (False, True) for exponent in EXPONENTS]
    misfit = np.stack([each[2] for each in fitted], axis=1) + np.repeat([PRICE, 0.0], len(EXPONENTS))
    likelihood = np.exp(-(misfit - misfit.min(axis=1, keepdims=True)) / 2)
    steps = np.cumsum(likelihood / likelihood.sum(axis=1, keepdims=True), axis=1)
    lot = seeds.generator(seed, "exponents").random((len(curves), 1))
    chosen = np.minimum((steps < lot).sum(axis=1), len(fitted) - 1)
    rows = np.arange(len(curves))
    floor, factor = (np.stack([each[part] for each in fitted], axis=1)[rows, chosen] for part in (0, 1))
    return Laws(floor, factor, np.tile(EXPONENTS, 2)[chosen])


def order(strata: Any, *, seed: int = 0) -> Ints:
    """The items (n,) in a random order whose every beginning has about the same share of each stratum.

    Args:
        strata: (n,) whole numbers.
        seed: of the order.
    """
    kinds = np.unique(np.asarray(strata), return_inverse=True)[1].reshape(-1)
    draw = seeds.generator(seed, "order")
    key = np.empty(len(kinds))
    for kind in range(int(kinds.max(initial=-1)) + 1):
        own = draw.permutation(np.flatnonzero(kinds == kind))
        key[own] = (np.arange(len(own)) + draw.random()) / len(own)
    return np.argsort(key, kind="stable").astype(np.int64)


def slope(features: Any, targets: Any, strata: Any = None, *, repeats: int = 4, seed: int = 0) -> float:
    """How steep the curve still is: the share of a ridge probe's squared error that goes away a doubling of the labels.

    Exact leave-one-out errors at n/4, n/2 and n labels, a straight line through their logarithms. 0 means that more
    labels no longer help the probe, 0.2 that each doubling takes a fifth of its error away: the measured meaning of a
    "small" data set. Noise can make it negative. O(n d min(n, d)).

    Args:
        features: (n, d).
        targets: (n, c) what the outputs should be; one-hot for classes.
        strata: (n,) what the subsets keep even; the items themselves at random by default.
        repeats: subsets of each size below n.
        seed: of the subsets.

    Raises:
        DataError: arrays that do not fit each other, or fewer than ``LEAST`` items.
    """
    x, y = arrays.matrix(features, dtype=None), arrays.matrix(targets, name="targets")
    n = len(x)
    if n < LEAST or len(y) != n:
        raise DataError(f"{n} items and {len(y)} targets make no curve", expected=f"at least {LEAST}, as many of both")
    kinds = np.zeros(n, dtype=np.int64) if strata is None else np.asarray(strata)
    orders = [order(kinds, seed=seeds.derive(seed, "slope", each)) for each in range(repeats)]
    whole = float(ridge.regress(x, y).errors.min())
    sizes, errors = [n], [whole]
    for share in (2, 4):
        rows = [each[: n // share] for each in orders]
        sizes.append(n // share)
        errors.append(float(np.mean([ridge.regress(x[each], y[each]).errors.min() for each in rows])))
    return steepness(sizes, errors)


def steepness(sizes: Any, errors: Any) -> float:
    """The share of the error that goes away a doubling, by a straight line through the logarithms of both.

    Args:
        sizes: (s,) different numbers of labels.
        errors: (s,) positive; 0 where one of them is not.
    """
    n, found = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if (found <= 0).any():
        return 0.0
    return float(1 - 2 ** np.polyfit(np.log(n), np.log(found), 1)[0])


def _checked(sizes: Any, errors: Any, replicates: Any) -> tuple[Floats, Floats, Floats]:
    n, curve = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    drawn = arrays.matrix(replicates, name="replicates")
    if len(np.unique(n)) < 3 or (n <= 0).any():
        raise DataError("A curve needs more sizes", where=str(n.tolist()), expected="three different ones, above 0")
    if curve.shape != n.shape or drawn.shape[1] != len(n) or len(drawn) < 2:
        where = f"{n.shape}, {curve.shape} and {drawn.shape}"
        raise DataError("Sizes, errors and replicates do not fit", where=where, expected="(s,), (s,) and (r, s)")
    return n, curve, drawn


def _covariance(replicates: Floats, errors: Floats) -> Floats:
    """(s, s) of the replicates, and on its diagonal how far a curve may leave the law."""
    least = max(1e-3 * float(errors.max()), 1e-9)
    return np.cov(replicates, rowvar=False) + np.diag(np.square(np.maximum(MISFIT * errors, least)))


def _fit(
    n: Floats, curves: Floats, exponent: float, precision: Floats, bare: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Floor, factor and squared misfit (r,) of each curve at one exponent; ``bare`` without a floor."""
    basis = np.stack([np.ones_like(n), (n / n.max()) ** -exponent], axis=1)
    normal = basis.T @ precision @ basis
    right = curves @ precision @ basis
    both = np.linalg.solve(normal, right.T).T
    only_factor = np.maximum(right[:, 1] / normal[1, 1], 0.0)
    only_floor = np.maximum(right[:, 0] / normal[0, 0], 0.0)
    # With one of the two negative the best allowed point lies on an edge.
    inside = np.asarray((both >= 0).all(axis=1))
    floor_edge = np.stack([only_floor, np.zeros_like(only_floor)], axis=1)
    factor_edge = np.stack([np.zeros_like(only_factor), only_factor], axis=1)
    flat = _misfit(curves, floor_edge @ basis.T, precision), _misfit(curves, factor_edge @ basis.T, precision)
    edge = np.where((flat[0] < flat[1]).reshape(-1, 1), floor_edge, factor_edge)
    found = factor_edge if bare else np.where(inside[:, None], both, edge)
    misfit = _misfit(curves, found @ basis.T, precision)
    return found[:, 0], found[:, 1] * n.max() ** exponent, misfit


def _misfit(curves: Floats, fitted: Floats, precision: Floats) -> Floats:
    off = curves - fitted
    return np.asarray(((off @ precision) * off).sum(axis=1))


def _interval(values: Floats) -> Interval:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return Interval(float(middle), float(low), float(high))
