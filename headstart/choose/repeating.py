"""Where few items decide, one draw of the folds is luck too: the foremost candidates are cross-validated on others.

Repeated cross-validation (Burman, A comparative study of ordinary cross-validation, v-fold cross-validation and the
repeated learning-testing methods, Biometrika 76, 1989; DESIGN, section 3). It takes away the luck of the draw, not that
of the items. Only candidates that the first draw cannot tell from the best one meet again, each with the settings that
it has: what the held-out items of the first draw chose is judged on others, and nothing is chosen on those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headstart.base import seeds
from headstart.choose import rates, trial
from headstart.choose.ground import Ground
from headstart.choose.mixing import MIXED
from headstart.choose.planning import REPEATED, Clock
from headstart.choose.trial import Trial
from headstart.measure import intervals

MOST = 4
"""Candidates that meet again."""


def foremost(ground: Ground, trials: Sequence[Trial]) -> list[Trial]:
    """The best transferred candidate and those that may be better, the best solved and the best trained one first.

    Nobody, where there is one fold, or where the best one stands alone. A mixture goes with what it was mixed from.
    """
    able = [one for one in trials if one.row.kind == "transfer" and one.row.status == "measured"]
    metric, seed = ground.task.metric(ground.metric), seeds.derive(ground.seed, "foremost") % 2**31
    able = sorted((one for one in able if one.mix is None and not one.unfit), key=lambda one: one.loss(metric))
    if not ground.again or len(able) < 2:
        return []
    targets, best = ground.targets[ground.held], able[0].predictions
    close = [one for one in able[1:] if intervals.gain(metric, best, one.predictions, targets, seed=seed).low < 0]
    order = [able[0], *close]
    firsts = [next(iter(one for one in order if (one.strategy == "probe") is solved), None) for solved in (True, False)]
    heads = [one for one in firsts if one is not None]
    return [*heads, *(one for one in order if all(one is not head for head in heads))][:MOST] if close else []


def draws(ground: Ground, close: Sequence[Trial], clock: Clock) -> int:
    """How many further draws there is time for."""
    each = sum(one.row.seconds / (1 if one.strategy == "probe" else 1 + rates.SWEEP) for one in close)
    return int(min(len(ground.again), max(0.0, min(REPEATED * clock.budget, clock.left)) / max(each, 1e-9)))


def repeat(ground: Ground, close: Sequence[Trial], number: int) -> dict[str, tuple[float, ...]]:
    """The losses of each candidate, by name, on every one of so many further draws."""
    found: dict[str, list[float]] = {one.row.name: [] for one in close}
    for draw in range(number):
        for one in close:
            found[one.row.name].append(_once(ground, one, draw))
    return {name: tuple(losses) for name, losses in found.items()}


def _once(ground: Ground, one: Trial, draw: int) -> float:
    moved = replace(ground, folds=ground.again[draw], augmentation=one.augmentation or ground.augmentation)
    settings = dict(one.options)
    if one.strategy != "probe":
        settings["epochs"] = one.row.detail["epochs"]
    again = trial.of_strategy(moved, f"{one.row.name}, draw {draw + 2}", one.strategy, settings, frozen=one.frozen)
    return again.loss(ground.task.metric(ground.metric))


def settled(ground: Ground, trials: Sequence[Trial], losses: Mapping[str, tuple[float, ...]]) -> list[Trial]:
    """The candidates with what they lost on the further draws; a mixture moves with what it was mixed from."""
    metric = ground.task.metric(ground.metric)
    known = {one.row.name: one for one in trials}
    found = []
    for one in trials:
        source = known[one.row.name.removesuffix(MIXED)]
        apart = one.loss(metric) - source.loss(metric)
        found.append(replace(one, again=tuple(each + apart for each in losses.get(source.row.name, ()))))
    return found


def said(ground: Ground, trials: Sequence[Trial], taken: Trial) -> str:
    """What came of it, a sentence."""
    metric = ground.task.metric(ground.metric)
    met = sorted((one for one in trials if one.again and one.mix is None), key=lambda one: one.mean_loss(metric))
    means = ", ".join(f"{one.row.name} {metric.number(metric.loss(one.mean_loss(metric)))}" for one in met)
    number = len(met[0].again) + 1
    return (
        f"{len(ground.held):,} held-out items cannot tell {len(met)} candidates apart, so they were cross-validated on "
        f"{number} draws of the folds; mean {metric.words}: {means}. {taken.row.name} is taken"
    )
