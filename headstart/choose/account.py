"""What was decided at every rung and why, and what its gain cost: ``run/ladder.json``, written as the climb goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.backbones import cost
from headstart.base.vocabulary import Evidence
from headstart.choose import stopping, textbook
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.tune import probe

BACKWARD = 2
"""Multiply-adds of a backward pass, in forward passes."""


class Account:
    """The account of one climb.

    Args:
        ground: what the rungs stand on.
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.rungs: list[dict[str, Any]] = []
        self.rest: dict[str, Any] = {}
        info = ground.frozen.backbone.info
        self.stage_flops = info.stage_flops or cost.multiply_adds(ground.frozen.backbone)

    def climbed(self, one: Trial, before: Sequence[Trial], why: str) -> None:
        """A candidate that was measured, after those ``before`` it."""
        reference = self._reference(one, before)
        gained = None if reference is None else stopping.gain(self.ground, one, reference)
        flops = self.flops(one)
        value = 0.0 if gained is None else gained.value
        self._add(
            one.row,
            decision=self._decision(one),
            why=f"{why}; {one.unfit}" if one.unfit else why,
            gain=None if gained is None else gained.as_dict(),
            over=None if reference is None else reference.row.name,
            gain_per_second=per(value, one.row.seconds) if gained else None,
            gain_per_trainable=per(value, one.row.trainable) if gained else None,
            gain_per_flop=per(value, flops) if gained else None,
            multiply_adds=flops,
        )

    def skipped(self, row: Evidence, decision: str, why: str, seconds: float = 0.0) -> None:
        """A candidate that was not measured to the end, and what it cost until then."""
        nothing = dict.fromkeys(("gain", "over", "gain_per_second", "gain_per_trainable", "gain_per_flop"))
        # The evidence table has the reason alone; here the decision stands before it.
        reason = why.removeprefix(decision).lstrip(": ") or why
        self._add(row, decision=decision, why=reason, **nothing, multiply_adds=None, spent=seconds)

    def _decision(self, one: Trial) -> str:
        return "does not fit" if one.unfit and one.row.kind != "scratch" else "climbed"

    def close(self, sealed: Trial, trials: Sequence[Trial], constraints: Mapping[str, Any]) -> None:
        """The end: which one is sealed, and what the textbook would have done."""
        for rung in self.rungs:
            rung["sealed"] = rung["name"] == sealed.row.name
        self.say(constraints=dict(constraints), textbook=textbook.compared(self.ground, trials, sealed))

    def say(self, **facts: Any) -> None:
        """Facts of the whole climb."""
        self.rest |= facts
        self.write()

    def write(self) -> None:
        """Keep it in the run directory."""
        self.ground.journal.write("ladder", {"metric": self.ground.task.points, "rungs": self.rungs, **self.rest})

    def _add(self, row: Evidence, *, spent: float | None = None, **facts: Any) -> None:
        seconds = row.seconds if spent is None else spent
        named = {"name": row.name, "kind": row.kind, **facts, "seconds": seconds, "trainable": row.trainable}
        self.rungs.append(named)
        self.write()

    def _reference(self, one: Trial, before: Sequence[Trial]) -> Trial | None:
        """What a candidate is set against: the best transferred one before it, or else the best baseline."""
        if one.row.kind != "transfer":
            return None
        able = [each for each in before if each.row.status == "measured"]
        for kind in ("transfer", "baseline"):
            found = [each for each in able if each.row.kind == kind]
            if found:
                return stopping.best(self.ground, found)
        return None

    def flops(self, one: Trial) -> int | None:
        """Multiply-adds that measuring a candidate took, all folds and fits of its sweep; None without a network.

        A step is a forward and a backward pass of what lies behind the cut; what is frozen runs once an item and view.
        """
        if one.row.kind == "baseline":
            return None
        items, stages = len(self.ground.items), self.ground.frozen.backbone
        if one.strategy == "probe":
            taps = probe.read_taps(stages, str(one.options.get("stages", "last")))
            return items * sum(self.stage_flops[: max(taps)])
        depth = int(one.options.get("depth") or 0)
        behind = sum(self.stage_flops[depth:])
        trained = sum(
            int(row["epochs"]) * len(self.ground.folds[0][0])
            for row in self.ground.journal.journal
            if str(row["name"]).startswith(f"{one.row.name}/") and row["curve"]
        )
        once = items * int(one.options.get("views", 1)) * sum(self.stage_flops[:depth])
        return once + trained * (1 + BACKWARD) * behind


def per(gain: float, cost: float | None) -> float | None:
    """Gain for a unit of cost; None where nothing was spent."""
    return gain / cost if cost else None
