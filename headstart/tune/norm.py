"""Norm-only tuning: the scales and shifts of the norm layers move, and the head.

Frankle, Schwab and Morcos, Training BatchNorm and Only BatchNorm (2021, arXiv 2003.00152); in a vision transformer the
same for its layer norms. A batch norm that moves either keeps the source's running statistics, or is in train mode, as
in the paper: it sees the batch's, and its own follow the new pictures. Below the cut they stay the source's.
"""

from __future__ import annotations

from torch import nn

from headstart.base.work import Plan
from headstart.tune.selective import Kind
from headstart.tune.setting import Setting


def norms(module: nn.Module) -> tuple[str, ...]:
    """Names of the scales and shifts of norm layers, whatever library they are from: every one has it in its name."""
    found = []
    for path, layer in module.named_modules():
        if any("norm" in kind.__name__.lower() for kind in type(layer).__mro__):
            own = layer.named_parameters(prefix=path, recurse=False)
            found += [name for name, value in own if value.is_floating_point()]
    return tuple(found)


NORMS = Kind("norm", norms, "norm layers with parameters", "bitfit, lora or full")
check = NORMS.check


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
    statistics: str = "auto",
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
        statistics: running statistics of batch norms: "kept" as the source left them, "updated" by the new items'
            batches, or "auto": the sweep tries both; without a sweep they are kept up to 1,000 items.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    return (
        yield from NORMS.tune(
            setting,
            depth=depth,
            rate=rate,
            epochs=epochs,
            batch_size=batch_size,
            weight_decay=weight_decay,
            views=views,
            patience=patience,
            statistics=statistics,
        )
    )
