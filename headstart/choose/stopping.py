"""When to stop climbing: once the last two trained rungs cannot have been worth 0.3 point (DESIGN, section 3).

What counts is the upper bound of their gain, so that an uncertain gain is looked into: to demand significance before
climbing loses (on VTAB-1k: 72.8 with a threshold of one point, 74.4 with none).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.base import seeds
from headstart.base.vocabulary import Interval
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.measure import intervals

WORTH = 0.003
"""0.3 point of the task's score."""


@dataclass(frozen=True)
class Flat:
    """Two rungs that gained too little.

    Attributes:
        rungs: their names.
        over: the best candidate before them.
        gain: of the better one over that, in the task's ``points`` score; above 0 is better.
        why: the sentence.
    """

    rungs: tuple[str, str]
    over: str
    gain: Interval
    why: str


def flat(ground: Ground, trials: Sequence[Trial]) -> Flat | None:
    """Whether the last two trained rungs gained too little over what stood before them; None if they may have."""
    climbed = [one for one in trials if one.row.kind == "transfer"]
    tuned = [one for one in climbed if one.strategy != "probe"]
    before = [one for one in climbed if one not in tuned[-2:]]
    if len(tuned) < 2 or not before:
        return None
    metric = ground.task.metric(ground.task.points)
    reference, latest = best(ground, before), best(ground, tuned[-2:])
    gained = gain(ground, latest, reference)
    if gained.high >= WORTH:
        return None
    names = (tuned[-2].row.name, tuned[-1].row.name)
    size = points(abs(gained.high), percent=metric.percent)
    why = (
        f"{names[0]} and {names[1]} {'gained at most' if gained.high >= 0 else 'lost at least'} {size} against "
        f"{reference.row.name} (upper end of the 95 % interval; another rung would need "
        f"{points(WORTH, percent=metric.percent)})"
    )
    return Flat(names, reference.row.name, gained, why)


def best(ground: Ground, trials: Sequence[Trial]) -> Trial:
    """The one with the best ``points`` score."""
    metric = ground.task.metric(ground.task.points)
    return min(trials, key=lambda one: metric.loss(one.score(metric.name)))


def gain(ground: Ground, one: Trial, over: Trial) -> Interval:
    """What a candidate gained over another on the held-out items, in the ``points`` score, paired."""
    metric = ground.task.metric(ground.task.points)
    seed = seeds.derive(ground.seed, "flat") % 2**31
    return intervals.gain(metric, one.predictions, over.predictions, ground.targets[ground.held], seed=seed)


def points(value: float, *, percent: bool = True) -> str:
    """A difference of scores in words."""
    return f"{100 * value:.2f} points" if percent else f"{value:.3f}"
