"""An order of candidates: by a measured loss where the items can tell two apart, by votes where they cannot.

Every candidate has a loss on the same items. A paired bootstrap (Efron and Tibshirani, 1993) says how surely one is
below another: both are resampled together, so what is hard for both counts for neither. No candidate stands above one
that beats it beyond noise; among those that nobody beats so, the mean of their ranks by several votes decides (Borda,
1781), for scores of different kinds have no common unit but an order. With few items the votes decide nearly
everything, with many nearly nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints

SURE = 0.975
"""Probability from which on one beats another beyond noise: 0 lies outside of the 95 % interval of the difference."""
REPLICATES = 2000
_DRAWS_AT_ONCE = 1_000_000


def mean_ranks(votes: Sequence[Sequence[float | None]]) -> Floats:
    """The mean rank (m,) of candidates, 1 for one that every vote puts first.

    Args:
        votes: for each vote the scores of the m candidates, higher is better; None where it has no opinion. Equal
            scores share their ranks. A vote that knows only some is stretched to 1 .. m, so that an opinion about few
            puts nobody before those that it does not know; a candidate that no vote knows stands in the middle.

    Raises:
        DataError: votes of different lengths, or none.
    """
    sizes = {len(vote) for vote in votes}
    if len(sizes) != 1:
        raise DataError("Votes must be about the same candidates", where=f"{sorted(sizes)} candidates")
    m = sizes.pop()
    ranks = np.full((len(votes), m), np.nan)
    for row, vote in zip(ranks, votes, strict=True):
        known = [i for i, value in enumerate(vote) if value is not None and np.isfinite(value)]
        if known:
            place = rankdata([-float(vote[i] or 0.0) for i in known])
            row[known] = (place - 0.5) * m / len(known) + 0.5
    counted = (~np.isnan(ranks)).sum(axis=0)
    return np.where(counted > 0, np.nansum(ranks, axis=0) / np.maximum(counted, 1), (m + 1) / 2)


def beating(losses: Any, *, seed: int = 0, replicates: int = REPLICATES) -> Floats:
    """The probability (m, m) that candidate i has a lower mean loss than candidate j on another draw of the items.

    A draw in which both are equal counts half for each, so the diagonal and identical candidates are at 0.5.

    Args:
        losses: (n, m) of every item under every candidate.
        seed: of the draws.
        replicates: draws.

    Raises:
        DataError: no finite matrix.
    """
    each = arrays.matrix(losses, name="losses", dtype=np.float64)
    m = each.shape[1]
    below, equal, drawn = np.zeros((m, m)), np.zeros((m, m)), 0
    for counts in _resampled(len(each), seed, replicates):
        means = counts @ each
        drawn += len(means)
        for i in range(m):
            below[i] += (means[:, i, None] < means).sum(axis=0)
            equal[i] += (means[:, i, None] == means).sum(axis=0)
    return np.asarray((below + equal / 2) / drawn)


def arrange(beats: Any, votes: Any) -> Ints:
    """The candidates (m,), best first.

    Args:
        beats: (m, m) as ``beating`` gives it.
        votes: (m,) mean ranks, lower is better; the more often better one wins an equal vote.

    Raises:
        DataError: arrays that do not fit each other.
    """
    surely, vote = np.asarray(beats, dtype=np.float64), np.asarray(votes, dtype=np.float64)
    if surely.shape != (len(vote), len(vote)):
        raise DataError("Candidates and votes differ in number", where=f"shape {surely.shape} and {len(vote)} votes")
    left, order = list(range(len(vote))), []
    while left:
        free = [i for i in left if not any(surely[j, i] >= SURE for j in left if j != i)]
        # Rounding apart, the one with the lowest mean loss is beaten by nobody.
        best = min(free or left, key=lambda i: (vote[i], -surely[i, left].sum(), i))
        order.append(best)
        left.remove(best)
    return np.array(order, dtype=np.int64)


def is_tie(probability: float) -> bool:
    """True if two candidates do not differ beyond noise, from the probability that one of them is better."""
    return 1 - SURE < probability < SURE


def _resampled(n: int, seed: int, replicates: int) -> Iterator[Floats]:
    """How often each item was drawn, (r, n), in batches that keep memory bounded."""
    draws, left = seeds.generator(seed, "beating"), replicates
    while left:
        now = min(left, max(1, _DRAWS_AT_ONCE // n))
        drawn = draws.integers(0, n, size=(now, n)) + n * np.arange(now)[:, None]
        yield np.bincount(drawn.ravel(), minlength=now * n).reshape(now, n).astype(np.float64)
        left -= now
