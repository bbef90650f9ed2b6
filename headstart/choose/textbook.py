"""What the textbook would have done: the rule of small or large data, similar to the source's or different.

The rule (CS231n, Transfer Learning): few labels like the source's, train a linear classifier; many, fine-tune the whole
network; few unlike them, a linear classifier on an earlier stage; many, fine-tune, or train from scratch. It is printed
as an explanation and decides nothing: on VTAB-1k a linear classifier is the best of 16 strategies on 1 of 19 tasks.

Both words are measured. Similar: the probe's score between knowing no item (0) and being right (1), since the less a
probe knows, the more adapting pays (r = -0.69 over the 19 tasks). Small: a class has at most 20 items, or there are
fewer items than features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.vocabulary import Interval
from headstart.choose import stopping
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.measure.strength import strength

SIMILAR = 0.7
"""Probe strength from which on the data count as like the source's."""
FEW = 20
"""Items of a class up to which there are few."""
ADVICE = {
    ("small", "similar"): ("a linear probe on the last stage", ("last stage",)),
    ("large", "similar"): ("fine-tuning the whole network", ("fine-tuned",)),
    ("small", "different"): ("a linear probe on an earlier stage", ("earlier stage",)),
    ("large", "different"): ("fine-tuning the whole network, or training from scratch", ("fine-tuned", "scratch")),
}
"""Cell -> the advice in words, and the families that follow it."""


@dataclass(frozen=True)
class Measured:
    """What the cell is read off.

    Attributes:
        strength: the probe's score, 0 where it knows no more than the commonest answer, 1 where it is always right.
        each: items of the rarest class, or of all where there are no classes.
        items: training items of a fold, n.
        width: features of the last stage, d.
    """

    strength: float
    each: int
    items: int
    width: int

    @property
    def cell(self) -> tuple[str, str]:
        """("small" or "large", "similar" or "different")."""
        small = self.each <= FEW or self.items < self.width
        return "small" if small else "large", "similar" if self.strength >= SIMILAR else "different"

    @property
    def why(self) -> str:
        """What made it that cell."""
        return (
            f"{self.items:,} training items for {self.width:,} features, at least {self.each:,} of a kind; the probe "
            f"gets {max(0.0, self.strength):.0%} of the way from knowing nothing to knowing all"
        )


def measured(ground: Ground, probe: Trial) -> Measured:
    """The two words, measured with the probe of the last stage."""
    task, held, metric = ground.task, ground.held, ground.task.metric(ground.task.points)
    targets = ground.targets[held]
    constant = np.tile(task.constant(ground.targets), (len(held), 1))
    nothing, score = metric.score(constant, targets), probe.score(metric.name)
    # Of all the scores in points more is better, and one is perfect.
    found = strength(Interval(score, score, score), nothing).value if nothing < 1 else 1.0
    train = ground.folds[0][0]
    each = task.members(ground.targets[train]).sum(axis=0) if not task.estimates else np.array([len(train)])
    rarest = int(each[each > 0].min()) if (each > 0).any() else 0
    return Measured(found, rarest, len(train), ground.frozen.width(ground.frozen.backbone.depth))


def compared(ground: Ground, trials: Sequence[Trial], sealed: Trial) -> dict[str, Any]:
    """The rule's cell and advice, and whether what was measured agrees, as plain data; empty without a probe."""
    probe = next((one for one in trials if one.row.name == "probe"), None)
    if probe is None:
        return {}
    found = measured(ground, probe)
    words, families = ADVICE[found.cell]
    advised = [one for one in trials if _family(one) in families and one.row.status == "measured"]
    agreed, outcome = _agreement(ground, advised, sealed)
    return {
        "cell": ", ".join(found.cell),
        "advice": words,
        "agreed": agreed,
        "why": f"{found.why}. {outcome}",
        "probe_strength": found.strength,
        "items": found.items,
        "features": found.width,
        "of_the_rarest": found.each,
    }


def _family(one: Trial) -> str:
    if one.row.kind != "transfer":
        return "scratch" if one.strategy == "scratch" else "none"
    if one.strategy != "probe":
        return "fine-tuned" if not int(one.options.get("depth") or 0) else "partly fine-tuned"
    return {"last": "last stage", "all": "all stages"}.get(str(one.options.get("stages", "last")), "earlier stage")


def _agreement(ground: Ground, advised: Sequence[Trial], sealed: Trial) -> tuple[bool | None, str]:
    if not advised:
        return None, "What it advises was not measured in this run."
    if sealed.row.name in [one.row.name for one in advised]:
        return True, f"{sealed.row.name} is what it advises, and the best that was measured."
    best = stopping.best(ground, advised)
    gap = stopping.gain(ground, sealed, best)
    lead = ground.task.metric(ground.task.points).lead(gap)
    sentence = f"The best that was measured, {sealed.row.name}, is {lead} {best.row.name}, the best that it advises"
    if _apart(gap):
        return False, f"{sentence}."
    return None, f"{sentence}: too close to tell them apart."


def _apart(gap: Interval) -> bool:
    return gap.low > 0 or gap.high < 0
