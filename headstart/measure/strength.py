"""Probe strength: where a score lies between knowing no item and making no mistake.

(score - chance) / (perfect - chance): 0 for what knows the labels' frequencies alone, 1 for what is never wrong, below
0 for what is worse than that. It makes scores of tasks with different numbers of classes comparable; over the stages of
a network it is the depth profile, whose peak before the last stage marks features that went too far with their source.
"""

from __future__ import annotations

from collections.abc import Sequence

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval


def strength(score: Interval, chance: float, *, perfect: float = 1.0) -> Interval:
    """A score (higher is better) in units of the way from chance to perfect.

    Raises:
        DataError: chance is perfect already.
    """
    room = perfect - chance
    if not room > 0:
        raise DataError(f"Chance scores {chance:g} already", expected=f"less than {perfect:g}")
    value, low, high = ((each - chance) / room for each in (score.value, score.low, score.high))
    return Interval(value, low, high)


def peak(profile: Sequence[float], within: float = 0.0) -> int:
    """The place of the largest strength, from 0; of those ``within`` so much of it, the last one.

    Raises:
        DataError: an empty profile.
    """
    if not len(profile):
        raise DataError("A depth profile has no stage", expected="at least one")
    best = max(profile)
    return max(place for place, value in enumerate(profile) if value >= best - within)
