"""Partial fine-tuning: a linear probe first, then the last stages at rates that fall with every stage below.

LP-FT (Kumar et al., 2022) on the suffix, with discriminative rates (Howard and Ruder, 2018, arXiv 1801.06146). The
frozen prefix is not run again: its output at the cut is read from the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption
from headstart.base.work import Plan
from headstart.tune.finetune import Recipe, fine_tune
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe


def plan(
    setting: Setting,
    *,
    depth: int | None = None,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    decay: float = 0.5,
    weight_decay: float = 0.01,
    views: int = 4,
    patience: int = 10,
    statistics: str = "auto",
) -> Plan:
    """Fine-tune the stages behind a cut.

    Args:
        setting: data and backbone.
        depth: frozen stages, 1 to D-1; None freezes all but the last.
        rate: peak learning rate of the head; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        decay: factor of the rate from one stage to the one below.
        weight_decay: decoupled weight decay.
        views: views of each item in the store, the plain one among them.
        patience: epochs without improvement before stopping; 0 never stops early.
        statistics: running statistics of batch norms: "kept" as the source left them, "updated" by the new items'
            batches, or "auto": the sweep tries both; without a sweep they are kept up to 1,000 items.

    Raises:
        BadOption: for a depth that freezes nothing or everything.
    """
    depth = setting.frozen.backbone.depth - 1 if depth is None else depth
    check(setting.frozen.backbone, {"depth": depth})
    recipe = Recipe(
        label=f"partial@{depth}",
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
        statistics=statistics,
    )
    return (yield from fine_tune(setting, recipe))


def check(backbone: Backbone, options: Mapping[str, Any]) -> None:
    """Refuse what cannot be planned for a backbone, before anything is written.

    Raises:
        BadOption: for a depth that freezes nothing or everything.
    """
    depth = options.get("depth")
    if depth is not None and not 1 <= depth < backbone.depth:
        raise BadOption(
            f"Depth {depth} is not partial for {backbone.info.name}",
            expected=f"1 to {backbone.depth - 1} frozen stages",
            next_move="use --strategy full to freeze nothing, --strategy probe to freeze everything",
        )
