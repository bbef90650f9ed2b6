"""Gradual unfreezing: the last stage moves first, then one stage more in each phase, down to the cut.

Howard and Ruder, Universal Language Model Fine-tuning for Text Classification (2018, arXiv 1801.06146). The head starts
from a linear probe, so the first phase moves the last stage as well. Each phase has its own warm-up and falls to rate
zero; what it does not move is proven not to have moved, the running statistics of norms included. The store keeps the
activations at the lowest cut only: the stages between it and the moving ones are run in every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headstart.base.errors import BadOption
from headstart.base.work import Phase, Plan
from headstart.features.network import Tail
from headstart.tune.finetune import Phases, Recipe, check_depth, fine_tune, is_head
from headstart.tune.limits import Limits
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe

LIMITS: Limits = {"each": (lambda value: value >= 1, "1 or more epochs")}

check = check_depth


def plan(
    setting: Setting,
    *,
    depth: int = 0,
    each: int | None = None,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    decay: float = 0.5,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
) -> Plan:
    """Unfreeze stage by stage.

    Args:
        setting: data and backbone.
        depth: the lowest cut: stages that stay frozen to the end.
        each: epochs of every phase but the last, which gets the rest; None shares ``epochs`` evenly.
        rate: peak learning rate of the head; None sweeps.
        epochs: of all phases together, at most.
        batch_size: items in a step.
        decay: factor of the rate from one stage to the one below.
        weight_decay: decoupled weight decay.
        views: views of each item in the store, the plain one among them.
        patience: epochs of the last phase without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    backbone = setting.frozen.backbone
    check(backbone, {"depth": depth})
    each = each or max(1, epochs // (backbone.depth - depth))
    recipe = Recipe(
        label=f"gradual@{depth}",
        depth=depth,
        start=from_probe(setting),
        rate=rate,
        first=1e-3,
        epochs=epochs,
        batch_size=batch_size,
        decay=decay,
        weight_decay=weight_decay,
        views=views,
        patience=patience,
        phases=unfreezing(each),
    )
    tuned = yield from fine_tune(setting, recipe)
    reached = schedule(backbone.depth - depth, epochs, each)
    # The epoch that was kept may lie in a phase that had not unfrozen everything: its refit stops there too.
    moving = next(stages for stages, upto in _ends(reached) if tuned.options["epochs"] <= upto)
    kept = tuned.network.backbone.suffix(backbone.depth - moving), tuned.network.head
    tuned.trainable = sum(value.numel() for part in kept for value in part.parameters())
    tuned.options |= {"depth": backbone.depth - moving, "each": each}
    return tuned


def schedule(stages: int, epochs: int, each: int) -> list[tuple[int, int]]:
    """Phases as (stages that move, epochs), the last of them with all ``stages``.

    One stage more in each phase; where there are fewer epochs than that takes, several at a time.

    Raises:
        BadOption: without a stage or an epoch.
    """
    if min(stages, epochs, each) < 1:
        raise BadOption("Gradual unfreezing needs a stage to move and an epoch to move it in")
    phases = min(stages, -(-epochs // each))
    moving = [stages * (number + 1) // phases for number in range(phases)]
    return [(count, each) for count in moving[:-1]] + [(stages, epochs - each * (phases - 1))]


def unfreezing(each: int) -> Phases:
    """The phases of a fit of any length."""

    def phases(tail: Tail, phase: Phase) -> Sequence[Phase]:
        stages = len(list(tail.suffix.children()))
        found = []
        for count, epochs in schedule(stages, phase.epochs, each):
            moving = tuple(f"suffix.{index}." for index in range(stages - count, stages))
            groups = tuple(group for group in phase.groups if group.names and _moves(group.names[0], moving))
            name = f"{phase.name}, {count} of {stages} stages"
            # Patience would make the length of a phase, and with it what a refit repeats, a matter of chance.
            found.append(replace(phase, groups=groups, epochs=epochs, patience=None, name=name))
        return [*found[:-1], replace(found[-1], patience=phase.patience)]

    return phases


def _moves(name: str, moving: tuple[str, ...]) -> bool:
    return is_head(name) or name.startswith(moving)


def _ends(phases: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Phases as (stages that move, last epoch of the phase)."""
    return [(stages, sum(epochs for _, epochs in phases[: number + 1])) for number, (stages, _) in enumerate(phases)]
