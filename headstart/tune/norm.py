"""Norm-only tuning: the scales and shifts of the norm layers move, and the head.

Frankle, Schwab and Morcos, Training BatchNorm and Only BatchNorm (2021, arXiv 2003.00152); in a vision transformer the
same for its layer norms. A batch norm that moves is in train mode, as in the paper: it sees the batch's statistics, and
its running ones follow the new pictures; below the cut they stay the source's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.work import Plan
from headstart.tune.finetune import Recipe, check_depth, fine_tune, lacking, moving_only
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe


def plan(
    setting: Setting,
    *,
    depth: int = 0,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
) -> Plan:
    """Fine-tune norms and head.

    Args:
        setting: data and backbone.
        depth: stages in front of the cut, whose norms stay as they are.
        rate: peak learning rate; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        weight_decay: decoupled weight decay of the head; norms have none.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    check(setting.frozen.backbone, {"depth": depth})
    recipe = Recipe(
        label=f"norm@{depth}",
        depth=depth,
        start=from_probe(setting),
        rate=rate,
        first=1e-2,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        views=views,
        patience=patience,
        phases=moving_only(norms),
    )
    tuned = yield from fine_tune(setting, recipe)
    tuned.options |= {"depth": depth, "batch_size": batch_size, "weight_decay": weight_decay, "views": views}
    return tuned


def check(backbone: Backbone, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be planned for a backbone, before anything is written.

    Raises:
        BadOption: for a depth behind which there is no norm with parameters.
    """
    check_depth(backbone, options)
    depth = options.get("depth") or 0
    if not norms(backbone.suffix(depth)):
        raise lacking(backbone, "norm layers with parameters", depth, "bitfit, lora or full")


def norms(module: nn.Module) -> tuple[str, ...]:
    """Names of the scales and shifts of norm layers, whatever library they are from: every one has it in its name."""
    found = []
    for path, layer in module.named_modules():
        if any("norm" in kind.__name__.lower() for kind in type(layer).__mro__):
            own = layer.named_parameters(prefix=path, recurse=False)
            found += [name for name, value in own if value.is_floating_point()]
    return tuple(found)
