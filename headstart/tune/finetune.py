"""Fine-tuning behind a cut: what the strategies that train by gradient steps share.

The head starts from a linear probe (LP-FT: Kumar et al., 2022, arXiv 2202.10054), because a random head's first
gradients distort the features it sits on. Stages further down move more slowly. The rate is found by a sweep along a
geometric grid that walks towards the better neighbour and stops when both sides are worse; a fit that diverged or that
gives every item the same answer can never win it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption
from headstart.base.work import Batch, Fit, Group, HeldOut, Outcome, Phase
from headstart.features.frozen import Activations
from headstart.features.network import Network, Tail
from headstart.features.streams import Judging, Training
from headstart.tune import limits, statistics
from headstart.tune.setting import Setting, Tuned

VIEWS = 4
"""Views of each item in the store, the plain one among them, where a strategy has no option for them."""
GRID = tuple(round(10.0 ** (power / 2), 10) for power in range(-10, -2))
"""Learning rates of the sweep: 1e-5 to 3e-2, two a decade."""

Phases = Callable[[Tail, Phase], Sequence[Phase]]
"""How a strategy differs: from the tail and the phase that trains all of it at once to the phases that are run."""


def at_once(tail: Tail, phase: Phase) -> Sequence[Phase]:
    """Everything behind the cut, in one phase."""
    return [phase]


def moving_only(chosen: Callable[[nn.Module], Collection[str]]) -> Phases:
    """The head, and of the suffix only the parameters whose names ``chosen`` gives; the others stay as they are."""

    def phases(tail: Tail, phase: Phase) -> Sequence[Phase]:
        moving = {f"suffix.{name}" for name in chosen(tail.suffix)}
        names = [[name for name in group.names if is_head(name) or name in moving] for group in phase.groups]
        groups = [replace(group, names=tuple(kept)) for group, kept in zip(phase.groups, names, strict=True) if kept]
        return [replace(phase, groups=tuple(groups))]

    return phases


def is_head(name: str) -> bool:
    """Is it a parameter of the head, by its name in a ``Tail``?"""
    return name.startswith("head.")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train a tail.

    What is None is no option of the strategy: it has the value that is said, and is not echoed.

    Attributes:
        label: the strategy's name, for the names of fits.
        start: makes the backbone that is trained (its own copy) and the head to start from.
        rate: peak rate of the head; None sweeps.
        first: rate at which the sweep begins, for a convolutional network; the backbone's pace slows it down.
        most: fits in a sweep, at most.
        epochs, batch_size, patience: as their names say; patience 0 never stops early.
        depth: frozen stages; None is 0.
        decay: factor of the rate from one stage to the one below it; None is 1.
        weight_decay: decoupled weight decay; None is 0.
        views: views of each item in the store; None is 4.
        phases: what moves when, and what else is minimised.
        statistics: what becomes of the running statistics of batch norms that move: "kept", "updated", or "auto", by
            which the sweep tries both; None updates them.
    """

    label: str
    start: Callable[[], tuple[Backbone, nn.Linear]]
    rate: float | None
    first: float
    epochs: int
    batch_size: int
    depth: int | None = None
    decay: float | None = None
    weight_decay: float | None = None
    views: int | None = None
    patience: int = 0
    most: int = 6
    warmup: float = 0.1
    phases: Phases = at_once
    statistics: str | None = None

    @property
    def cut(self) -> int:
        """Frozen stages."""
        return self.depth or 0

    def activations(self, setting: Setting) -> Activations:
        """What the frozen stages put out, in as many views as there shall be."""
        return setting.frozen.at(self.cut, VIEWS if self.views is None else self.views, setting.augmentation)

    def echo(self) -> dict[str, Any]:
        """The options with which the plan was called and is called again, but for those that the fit decides."""
        named = ("depth", "batch_size", "decay", "weight_decay", "views", "statistics")
        return {name: value for name in named if (value := getattr(self, name)) is not None}


def sweep_epochs(epochs: int) -> int:
    """Epochs of each fit of the sweep: half of the final fit's, since shorter ones rank rates by speed alone."""
    return max(2, -(-epochs // 2))


def fine_tune(setting: Setting, recipe: Recipe) -> Generator[Fit, Outcome, Tuned]:
    """Sweep the rate if it is not given, then train to the end at the best one.

    What becomes of running statistics is measured where the rate is.
    """
    work = _Work(setting, recipe, recipe.activations(setting))
    tried: list[dict[str, Any]] = []
    rate, running, spent = recipe.rate, work.first(), 0.0
    if rate is None:
        rate, running, spent = yield from _sweep(work, tried)
    limits.check({"rate": rate})
    fit, backbone, head = work.fit(rate, running, recipe.epochs, "final", keep=True)
    outcome = yield fit
    row = work.record(outcome, rate, running)
    if rate not in [past["rate"] for past in tried]:
        tried.append(row)
    chosen = {"rate": rate, "epochs": max(1, outcome.epoch)} | ({"statistics": running} if work.normed else {})
    # Without a single judged epoch nothing is known of the held-out items, and every answer is level.
    level = np.zeros((len(setting.held), setting.outputs), np.float32)
    return Tuned(
        network=Network(backbone.eval(), head),
        outputs=level if outcome.outputs is None else outcome.outputs,
        options={**recipe.echo(), **chosen},
        trainable=outcome.trainable,
        epoch=outcome.epoch,
        epochs=recipe.epochs,
        seconds=spent + outcome.seconds,
        curve=outcome.curve,
        tried=tried,
        collapsed=row["collapsed"],
        diverged=outcome.diverged,
    )


def judged(setting: Setting, activations: Activations) -> HeldOut | None:
    """The held-out items, as the engine judges a tail on them; None when refitting."""
    if not len(setting.held):
        return None
    judging = Judging(activations, setting.held, setting.targets)
    return HeldOut(judging, setting.score, setting.watch, setting.minimise, setting.choose)


def lacking(backbone: Backbone, what: str, depth: int, instead: str) -> BadOption:
    """The error for a backbone that has nothing behind the cut for a strategy to move."""
    behind = f" behind {depth} frozen stages" if depth else ""
    next_move = f"{'a smaller --depth, or ' if depth else ''}--strategy {instead}"
    return BadOption(f"{backbone.info.name} has no {what}{behind}", next_move=next_move)


def record(setting: Setting, outcome: Outcome, **tried: Any) -> dict[str, Any]:
    """One line of what was tried: the value, its held-out scores, whether it diverged or collapsed."""
    collapsed = setting.collapsed(outcome.outputs)
    return {**tried, **outcome.scores, "diverged": outcome.diverged, "collapsed": collapsed}


def loss(row: Mapping[str, Any], setting: Setting) -> float:
    """What the best of some records has least of; infinite for one that diverged or was never judged."""
    value = row.get(setting.watch)
    if row["diverged"] or value is None:
        return math.inf
    # A collapsed fit loses to every other one, yet stays comparable if all collapse.
    return (value if setting.minimise else -value) + (1e6 if row["collapsed"] else 0.0)


def check_depth(backbone: Backbone, options: Mapping[str, Any]) -> None:
    """Refuse a cut that leaves no stage to move.

    Raises:
        BadOption: for a depth that is not in 0..D-1.
    """
    depth = options.get("depth")
    if depth is not None and not 0 <= depth < backbone.depth:
        raise BadOption(
            f"Depth {depth} leaves no stage of {backbone.info.name} to move",
            expected=f"0 to {backbone.depth - 1} frozen stages",
            next_move="use --strategy probe to freeze everything",
        )


class _Work:
    def __init__(self, setting: Setting, recipe: Recipe, activations: Activations) -> None:
        self.setting, self.recipe, self.activations = setting, recipe, activations

    @property
    def normed(self) -> bool:
        """Whether the strategy leaves it open what becomes of running statistics, and there are any."""
        suffix = self.setting.frozen.backbone.suffix(self.recipe.cut)
        return self.recipe.statistics is not None and bool(statistics.names(suffix))

    def ways(self) -> dict[str, float]:
        """What may become of the running statistics, the likelier first, and the rate at which its sweep begins."""
        first = self.recipe.first * self.setting.frozen.backbone.pace
        rates = {statistics.KEPT: first * statistics.GENTLER, statistics.UPDATED: first}
        asked = self.recipe.statistics or statistics.UPDATED
        if not self.normed:
            return {statistics.UPDATED: first}
        if asked != statistics.AUTO:
            return {asked: rates[asked]}
        return dict(sorted(rates.items(), key=lambda one: one[0] != statistics.likely(len(self.setting.train))))

    def first(self) -> str:
        """What becomes of them as long as nothing was measured."""
        return next(iter(self.ways()))

    def fit(self, rate: float, running: str, epochs: int, role: str, *, keep: bool) -> tuple[Fit, Backbone, nn.Linear]:
        setting, recipe = self.setting, self.recipe
        backbone, head = recipe.start()
        tail = Tail(backbone.suffix(recipe.cut), head)
        still = statistics.names(tail) if running == statistics.KEPT else ()
        detail = {"rate": rate, "epochs": epochs, "depth": recipe.cut, "batch_size": recipe.batch_size}
        stream = Training(
            self.activations,
            setting.train,
            setting.targets,
            batch_size=recipe.batch_size,
            seed=setting.draw(recipe.label, "stream"),
            classes=setting.outputs,
        )
        phase = Phase(
            objective=_objective(setting),
            groups=_groups(tail, rate, recipe),
            epochs=epochs,
            warmup=recipe.warmup,
            still=still,
            patience=recipe.patience if recipe.patience and setting.choose else None,
            name=recipe.label,
        )
        fit = Fit(
            name=f"{setting.name}{recipe.label}/{role}-{rate:g}{'-kept' if still else ''}",
            title=f"{setting.title or recipe.label}, {'rate' if role == 'final' else 'trying rate'} {rate:g}"
            + ("" if running == self.first() else f", norm statistics {running}"),
            model=tail,
            stream=stream,
            phases=recipe.phases(tail, phase),
            held_out=judged(setting, self.activations),
            seed=setting.draw(recipe.label, "fit"),
            keep=keep,
            detail={**detail, "statistics": running} if self.normed else detail,
        )
        return fit, backbone, head

    def record(self, outcome: Outcome, rate: float, running: str) -> dict[str, Any]:
        """One line of what was tried."""
        named = {"rate": rate, "statistics": running} if self.normed else {"rate": rate}
        return record(self.setting, outcome, **named)


def _sweep(work: _Work, tried: list[dict[str, Any]]) -> Generator[Fit, Outcome, tuple[float, str, float]]:
    """Walk along the grid towards the better neighbour; returns the best rate and statistics, and the seconds spent.

    Where it is open what becomes of running statistics, both ways begin, each at its usual rate (kept ones want about
    a tenth), and the walk goes on along the better one.
    """
    recipe, losses, spent = work.recipe, dict[tuple[str, int], float](), 0.0
    waiting = [(way, _nearest(rate)) for way, rate in work.ways().items()]
    if len(waiting) == 1:
        waiting.append((waiting[0][0], waiting[0][1] + 1))
    while waiting and len(losses) < recipe.most:
        way, index = waiting.pop(0)
        if (way, index) in losses or not 0 <= index < len(GRID):
            continue
        fit, _, _ = work.fit(GRID[index], way, sweep_epochs(recipe.epochs), "sweep", keep=False)
        outcome = yield fit
        spent += outcome.seconds
        tried.append(work.record(outcome, GRID[index], way))
        losses[way, index] = loss(tried[-1], work.setting)
        if len(losses) > 1:
            way, index = min(losses, key=lambda one: losses[one])
            waiting = [(way, i) for i in (index - 1, index + 1) if (way, i) not in losses]
    way, index = min(losses, key=lambda one: losses[one])
    return GRID[index], way, spent


def _nearest(rate: float) -> int:
    return min(range(len(GRID)), key=lambda i: abs(math.log(GRID[i] / rate)))


def _objective(setting: Setting) -> Callable[[nn.Module, Batch], Mapping[str, torch.Tensor]]:
    weights = None if setting.weights is None else torch.as_tensor(setting.weights, dtype=torch.float32)

    def loss(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
        outputs = model(batch.inputs).float()
        moved = None if weights is None else weights.to(outputs.device)
        return {"loss": setting.task.loss(outputs, batch.targets, moved)}

    return loss


def _groups(tail: Tail, rate: float, recipe: Recipe) -> tuple[Group, ...]:
    names = [name for name, parameter in tail.named_parameters() if parameter.is_floating_point()]
    weight_decay, decay = recipe.weight_decay or 0.0, 1.0 if recipe.decay is None else recipe.decay
    groups = [Group(tuple(name for name in names if is_head(name)), rate, weight_decay)]
    below: dict[int, list[str]] = {}
    for name in names:
        if name.startswith("suffix."):
            below.setdefault(int(name.split(".")[1]), []).append(name)
    for distance, stage in enumerate(sorted(below, reverse=True)):
        groups.append(Group(tuple(below[stage]), rate * decay**distance, weight_decay))
    return tuple(groups)
