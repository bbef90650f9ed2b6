"""Layer-wise rates: every layer moves, each more slowly than the one above it, down to a hundredth at the first.

Discriminative fine-tuning (Howard and Ruder, 2018, arXiv 1801.06146) with the rates spread geometrically between the
head and the lowest layer. ``partial`` and ``full`` have one factor a stage (``decay``); here every layer inside a stage
has a rate of its own: a matrix or kernel with the biases and norms behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from headstart.base.work import Group, Phase, Plan
from headstart.features.network import Tail
from headstart.tune.finetune import Phases, Recipe, check_depth, fine_tune, is_head
from headstart.tune.limits import Limits
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe

LIMITS: Limits = {"lowest": (lambda value: 0 < value <= 1, "a factor above 0 and up to 1")}

check = check_depth


def plan(
    setting: Setting,
    *,
    lowest: float = 0.01,
    depth: int = 0,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
) -> Plan:
    """Fine-tune with a rate for every layer.

    Args:
        setting: data and backbone.
        lowest: rate of the lowest moving layer, as a factor of the head's.
        depth: frozen stages.
        rate: peak learning rate of the head; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        weight_decay: decoupled weight decay.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    check(setting.frozen.backbone, {"depth": depth})
    recipe = Recipe(
        label=f"layerwise@{depth}",
        depth=depth,
        start=from_probe(setting),
        rate=rate,
        first=1e-3,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        views=views,
        patience=patience,
        phases=spread(lowest),
    )
    tuned = yield from fine_tune(setting, recipe)
    tuned.options |= {"lowest": lowest}
    return tuned


def spread(lowest: float) -> Phases:
    """One phase with a group for the head and for every layer of the suffix."""

    def phases(tail: Tail, phase: Phase) -> Sequence[Phase]:
        head = next(group for group in phase.groups if is_head(group.names[0]))
        stacked = layers(tail.suffix)
        groups = [head]
        for number, names in enumerate(stacked):
            below = (len(stacked) - number) / len(stacked)
            members = tuple(f"suffix.{name}" for name in names)
            groups.append(Group(members, head.rate * lowest**below, head.weight_decay))
        return [replace(phase, groups=tuple(groups))]

    return phases


def layers(suffix: nn.Module) -> list[tuple[str, ...]]:
    """Parameter names by layer, input first: each matrix or kernel, with the vectors up to the next one."""
    found: list[list[str]] = []
    matrix = True
    for name, value in suffix.named_parameters():
        if not value.is_floating_point():
            continue
        if not found or (value.ndim > 1 and matrix):
            found.append([])
            matrix = False
        matrix = matrix or value.ndim > 1
        found[-1].append(name)
    return [tuple(names) for names in found]
