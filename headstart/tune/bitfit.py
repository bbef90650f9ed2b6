"""BitFit: only biases move, and the head.

Ben Zaken, Goldberg and Ravfogel, BitFit: Simple Parameter-efficient Fine-tuning (2022, arXiv 2106.10199). The shifts of
norms are biases too; in a convolutional network without other biases they are all that moves. A batch norm whose shift
moves is in train mode: it sees the batch's statistics, and its running ones follow the new pictures; below the cut they
stay the source's. Good rates are about ten times those of full fine-tuning, so the sweep begins there.
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
    """Fine-tune biases and head.

    Args:
        setting: data and backbone.
        depth: stages in front of the cut, whose biases stay as they are.
        rate: peak learning rate; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        weight_decay: decoupled weight decay of the head; biases have none.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    check(setting.frozen.backbone, {"depth": depth})
    recipe = Recipe(
        label=f"bitfit@{depth}",
        depth=depth,
        start=from_probe(setting),
        rate=rate,
        first=1e-2,
        epochs=epochs,
        batch_size=batch_size,
        weight_decay=weight_decay,
        views=views,
        patience=patience,
        phases=moving_only(biases),
    )
    tuned = yield from fine_tune(setting, recipe)
    tuned.options |= {"depth": depth, "batch_size": batch_size, "weight_decay": weight_decay, "views": views}
    return tuned


def check(backbone: Backbone, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be planned for a backbone, before anything is written.

    Raises:
        BadOption: for a depth behind which there is no bias.
    """
    check_depth(backbone, options)
    depth = options.get("depth") or 0
    if not biases(backbone.suffix(depth)):
        raise lacking(backbone, "biases", depth, "lora or full")


def biases(module: nn.Module) -> tuple[str, ...]:
    """Names of the bias vectors: ``bias`` in most layers, ``q_bias`` and the like in attention layers."""
    found = []
    for name, value in module.named_parameters():
        last = name.rpartition(".")[2]
        if value.ndim == 1 and (last == "bias" or last.endswith("_bias")):
            found.append(name)
    return tuple(found)
