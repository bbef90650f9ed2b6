"""One choice among the members of each group: a softmax over the group, and the linear function that is likeliest.

The conditional logit (McFadden, Conditional logit analysis of qualitative choice behavior, 1974): what is common to all
members of a group says nothing. Minimises C * sum of the groups' losses + ||W||^2 / 2 by L-BFGS, on standardised
features. Members of all parts of a group are compared with each other, as in Clark and Gardner, Simple and effective
multi-paragraph reading comprehension (2018), where they come from several windows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from headstart.base import seeds
from headstart.measure.arrays import Floats, Ints
from headstart.measure.linear import FLOOR, Linear, standardisation

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of C, weakest fit first; the best on held-out groups is taken."""
SMALLEST = 1e-12
"""Probabilities below this count as this."""
_STEPS = 200
_FARTHEST = 3.0
"""Logarithm of the temperatures that are tried at most."""


def beginnings(ordered: Ints) -> Ints:
    """Where each run of equal numbers begins."""
    changes = np.diff(ordered) != 0
    return np.flatnonzero(np.concatenate([[True], changes])) if len(ordered) else np.zeros(0, dtype=np.int64)


def log_shares(outputs: Floats, group: Ints) -> Floats:
    """Logarithms (n, C) of the softmax of outputs (n, C) over the members of each group (n,)."""
    given = np.asarray(outputs, dtype=np.float64)
    known, number = np.unique(group, return_inverse=True)
    peak = np.full((len(known), given.shape[1]), -np.inf)
    np.maximum.at(peak, number, given)
    lowered = given - peak[number]
    total = np.zeros_like(peak)
    np.add.at(total, number, np.exp(lowered))
    return lowered - np.log(total)[number]


def losses(outputs: Floats, wanted: Floats, group: Ints) -> Floats:
    """What each member (n,) adds to the loss: cross-entropy, nats, averaged over the C choices of a group."""
    logs = np.maximum(log_shares(outputs, group), np.log(SMALLEST))
    return -(wanted * logs).mean(axis=1)


def temperature(outputs: Floats, wanted: Floats, group: Ints) -> float:
    """What outputs are best divided by, between 0.05 and 20."""
    chosen = np.isin(group, group[wanted.any(axis=1)])
    if not chosen.any():
        return 1.0
    given, there, own = np.asarray(outputs, dtype=np.float64)[chosen], wanted[chosen], group[chosen]

    def loss(log: float) -> float:
        return float(losses(given / np.exp(log), there, own).sum())

    found = optimize.minimize_scalar(loss, bounds=(-_FARTHEST, _FARTHEST), method="bounded")
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


def fit(features: Floats, wanted: Floats, group: Ints, *, penalty: float, floor: float = FLOOR) -> Linear:
    """The likeliest linear function at one penalty.

    Args:
        features: (n, d).
        wanted: (n, C) shares of each choice; they sum to 1 over a group, or to 0 where nothing is known.
        group: (n,) numbers.
        penalty: C; the smaller, the stronger.
        floor: see ``linear.standardisation``.
    """
    scaling = standardisation(features, floor=floor)
    given = np.asarray(scaling.apply(features), dtype=np.float64)
    order = np.argsort(group, kind="stable")
    given, there = given[order], np.asarray(wanted, dtype=np.float64)[order]
    starts = beginnings(group[order])
    sizes = np.diff(np.append(starts, len(order)))
    mass = np.add.reduceat(there, starts, axis=0)
    shape = (there.shape[1], given.shape[1])

    def objective(flat: Floats) -> tuple[float, Floats]:
        weight = flat.reshape(shape)
        outputs = given @ weight.T
        lowered = outputs - np.repeat(np.maximum.reduceat(outputs, starts, axis=0), sizes, axis=0)
        powers = np.exp(lowered)
        total = np.add.reduceat(powers, starts, axis=0)
        loss = -(there * lowered).sum() + (mass * np.log(total)).sum()
        error = powers * np.repeat(mass / total, sizes, axis=0) - there
        return penalty * loss + 0.5 * float(flat @ flat), (penalty * (error.T @ given) + weight).ravel()

    begin = np.zeros(shape).ravel()
    found = optimize.minimize(objective, begin, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return Linear(found.x.reshape(shape), np.zeros(shape[0])).folded(scaling)


def search(
    features: Floats, wanted: Floats, group: Ints, *, seed: int, penalties: Sequence[float] = PENALTIES
) -> tuple[Linear, float]:
    """The likeliest linear function and its penalty, which has the lowest loss on a fifth of the groups, held out."""
    known, number = np.unique(group, return_inverse=True)
    held = (seeds.generator(seed, "groups").permutation(len(known)) % 5 == 0)[number]
    best = penalties[len(penalties) // 2]
    if held.any() and not held.all():
        found = {}
        for penalty in penalties:
            linear = fit(features[~held], wanted[~held], group[~held], penalty=penalty)
            found[penalty] = losses(linear.outputs(features[held]), wanted[held], group[held]).sum()
        best = min(found, key=lambda one: found[one])
    return fit(features, wanted, group, penalty=best), best
