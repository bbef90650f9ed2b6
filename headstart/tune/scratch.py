"""From scratch: the same network from random initialisation, the measure of what the source is worth.

It gets a fair life: residual branches alive, a rate sweep of its own, and more epochs than the transferred network.
"""

from __future__ import annotations

import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.work import Plan
from headstart.tune.finetune import Recipe, fine_tune
from headstart.tune.setting import Setting


def plan(
    setting: Setting,
    *,
    rate: float | None = None,
    epochs: int = 60,
    batch_size: int = 32,
    weight_decay: float = 0.05,
    patience: int = 20,
) -> Plan:
    """Train the same architecture without its pretrained weights.

    Args:
        setting: data and backbone; the backbone's weights are not used.
        rate: peak learning rate; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        weight_decay: decoupled weight decay.
        patience: epochs without improvement before stopping; 0 never stops early.
    """

    def start() -> tuple[Backbone, nn.Linear]:
        seed = setting.draw("scratch")
        backbone = setting.frozen.backbone.fresh(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return backbone, setting.task.head(backbone.info.width, setting.outputs)

    recipe = Recipe(
        label="scratch",
        start=start,
        rate=rate,
        first=3e-3,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        patience=patience,
    )
    return (yield from fine_tune(setting, recipe))
