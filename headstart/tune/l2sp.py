"""L2-SP: full fine-tuning with a penalty on the distance to the pretrained weights, instead of to zero.

Li, Grandvalet and Davoine, Explicit Inductive Bias for Transfer Learning with Convolutional Networks (2018, arXiv
1802.01483): alpha/2 ||w - w0||^2 over the backbone's moving parameters and beta/2 ||v||^2 over the head's. The penalty
is a term of the loss, so it stands in the curve beside it; there is no weight decay besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from headstart.base.work import Batch, Phase, Plan
from headstart.features.network import Tail
from headstart.tune.finetune import Phases, Recipe, check_depth, fine_tune, is_head
from headstart.tune.limits import Limits
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe

LIMITS: Limits = {
    "alpha": (lambda value: 0 <= value < float("inf"), "0 or more"),
    "beta": (lambda value: 0 <= value < float("inf"), "0 or more"),
}

check = check_depth


def plan(
    setting: Setting,
    *,
    alpha: float = 0.1,
    beta: float = 0.01,
    depth: int = 0,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    decay: float = 1.0,
    views: int = 4,
    patience: int = 10,
) -> Plan:
    """Fine-tune close to the source.

    Args:
        setting: data and backbone.
        alpha: pull of the backbone to its pretrained weights.
        beta: pull of the head to zero.
        depth: frozen stages.
        rate: peak learning rate of the head; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        decay: factor of the rate from one stage to the one below.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    check(setting.frozen.backbone, {"depth": depth})
    recipe = Recipe(
        label=f"l2sp@{depth}",
        depth=depth,
        start=from_probe(setting),
        rate=rate,
        first=1e-3,
        epochs=epochs,
        batch_size=batch_size,
        decay=decay,
        views=views,
        patience=patience,
        phases=anchored(alpha, beta),
    )
    tuned = yield from fine_tune(setting, recipe)
    tuned.options |= {"alpha": alpha, "beta": beta}
    return tuned


def anchored(alpha: float, beta: float) -> Phases:
    """One phase whose objective has the penalty as a term of its own, ``l2sp``."""

    def phases(tail: Tail, phase: Phase) -> Sequence[Phase]:
        start = {name: value.detach().clone() for name, value in tail.named_parameters() if not is_head(name)}

        def objective(model: nn.Module, batch: Batch) -> Mapping[str, torch.Tensor]:
            return {**phase.objective(model, batch), "l2sp": penalty(model, start, alpha, beta)}

        return [replace(phase, objective=objective)]

    return phases


def penalty(model: nn.Module, start: dict[str, torch.Tensor], alpha: float, beta: float) -> torch.Tensor:
    """alpha/2 ||w - w0||^2 + beta/2 ||v||^2, a scalar; ``start`` holds w0 by name and follows the model's device."""
    backbone, head = [], []
    for name, value in model.named_parameters():
        if is_head(name):
            head.append(value.square().sum())
        elif name in start and value.is_floating_point():
            start[name] = start[name].to(value.device)
            backbone.append((value - start[name]).square().sum())
    zero = next(model.parameters()).new_zeros(())
    return alpha / 2 * sum(backbone, zero) + beta / 2 * sum(head, zero)
