"""From a phase's words to an optimiser and the rate of every step.

Decoupled weight decay (Loshchilov and Hutter, 2019), left out for biases and norms; linear warm-up, then cosine to
zero (Loshchilov and Hutter, 2017) or constant.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from headstart.base.errors import BadOption
from headstart.base.work import Phase


def build(model: nn.Module, phase: Phase) -> torch.optim.Optimizer:
    """An optimiser over the phase's groups; each group keeps its peak rate under ``peak``.

    Raises:
        BadOption: for an unknown optimiser, or a group that names a parameter the model lacks.
    """
    parameters = dict(model.named_parameters())
    groups = []
    for group in phase.groups:
        missing = [name for name in group.names if name not in parameters]
        if missing:
            raise BadOption(f"A parameter group names {missing[0]}, which the model does not have")
        decayed = [parameters[name] for name in group.names if parameters[name].ndim > 1]
        plain = [parameters[name] for name in group.names if parameters[name].ndim <= 1]
        for members, decay in ((decayed, group.weight_decay), (plain, 0.0)):
            if members:
                groups.append({"params": members, "lr": group.rate, "peak": group.rate, "weight_decay": decay})
    if phase.optimiser == "adamw":
        return torch.optim.AdamW(groups, fused=True)
    if phase.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True, fused=True)
    raise BadOption(f"Optimiser cannot be {phase.optimiser!r}", expected="adamw or sgd")


def factor(phase: Phase, step: int, steps: int) -> float:
    """The multiple of the peak rate at ``step`` (from 0) of ``steps``.

    Raises:
        BadOption: for an unknown schedule.
    """
    warm = int(phase.warmup * steps)
    if step < warm:
        return (step + 1) / (warm + 1)
    if phase.schedule == "constant":
        return 1.0
    if phase.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
    raise BadOption(f"Schedule cannot be {phase.schedule!r}", expected="cosine or constant")


def set_rate(optimiser: torch.optim.Optimizer, multiple: float) -> None:
    """Every group's rate becomes ``multiple`` of its peak."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * multiple
