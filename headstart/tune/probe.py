"""Linear probe: everything frozen, logistic or ridge regression on the stored features.

The features after one stage, or after all of them side by side (the idea of Head2Toe, Evci et al., 2022,
arXiv 2201.03529). Nothing is trained by gradient steps over the network; the penalty is chosen on held-out
items of the training part.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import skip_init

from headstart.backbones.chain import Backbone
from headstart.base import scratch
from headstart.base.errors import BadOption
from headstart.base.work import Plan
from headstart.features.network import Network
from headstart.measure.linear import Linear
from headstart.tune.setting import Setting, Tuned

ENOUGH = 5_000
"""Training items from which on one inner fold is enough to choose a penalty."""


def plan(setting: Setting, *, stages: str = "last", penalty: float | None = None) -> Plan:
    """Fit a linear head on frozen features.

    Args:
        setting: data and backbone.
        stages: "last", "all" (every stage side by side), or a stage's number or name.
        penalty: scikit-learn's ``C``, of a ridge regression 1 / lambda; None chooses it on held-out items.

    Returns:
        A plan without fits whose result is a ``Tuned``.
    """
    yield from ()
    started = time.perf_counter()
    taps = read_taps(setting.frozen.backbone, stages)
    parts = [setting.frozen.pooled(stage) for stage in taps]
    features = scratch.by_rows(len(parts[0]), lambda rows: np.concatenate([part[rows] for part in parts], axis=1))
    linear, penalty = solve(setting, features, penalty)
    outputs = linear.outputs(scratch.take(features, setting.held)).astype(np.float32)
    head = as_head(linear)
    return Tuned(
        network=Network(setting.frozen.backbone, head, taps),
        outputs=outputs,
        options={"stages": stages, "penalty": penalty},
        trainable=sum(parameter.numel() for parameter in head.parameters()),
        seconds=time.perf_counter() - started,
        tried=[{"penalty": penalty}],
    )


def read_taps(backbone: Backbone, stages: str) -> tuple[int, ...]:
    """The stages (from 1) that a probe reads.

    Raises:
        BadOption: when there is no such stage.
    """
    depth = backbone.depth
    if stages == "last":
        return (depth,)
    if stages == "all":
        return tuple(range(1, depth + 1))
    stage = backbone.resolve(int(stages) if stages.isdigit() else stages)
    if stage == 0:
        raise BadOption("A probe cannot read stage 0", expected=f"last, all, or a stage from 1 to {depth}")
    return (stage,)


def check(backbone: Backbone, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be planned for a backbone, before anything is written.

    Raises:
        BadOption, UnknownName: for stages that it does not have.
    """
    read_taps(backbone, str(options.get("stages", "last")))


def solve(setting: Setting, features: np.ndarray, penalty: float | None) -> tuple[Linear, float]:
    """The task's linear solution on the training rows of ``features`` (N, d), and its penalty."""
    rows, targets = scratch.take(features, setting.train), setting.targets[setting.train]
    seed = setting.draw("inner folds")
    return setting.task.solve(rows, targets, penalty=penalty, weights=setting.weights, seed=seed)


def as_head(linear: Linear) -> nn.Linear:
    """The solution as a network's head."""
    outputs, width = linear.weight.shape
    # Nothing is drawn for weights that are overwritten: the caller's random numbers stay as they are.
    head = skip_init(nn.Linear, width, outputs)
    with torch.no_grad():
        head.weight.copy_(torch.as_tensor(linear.weight, dtype=torch.float32))
        head.bias.copy_(torch.as_tensor(linear.bias, dtype=torch.float32))
    return head
