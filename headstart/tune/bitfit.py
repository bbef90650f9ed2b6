"""BitFit: only biases move, and the head.

Ben Zaken, Goldberg and Ravfogel, BitFit: Simple Parameter-efficient Fine-tuning (2022, arXiv 2106.10199). The shifts of
norms are biases too; in a convolutional network without other biases they are all that moves. A batch norm whose shift
moves either keeps the source's running statistics, or is in train mode: it sees the batch's, and its own follow the new
pictures. Below the cut they stay the source's.
"""

from __future__ import annotations

from torch import nn

from headstart.base.work import Plan
from headstart.tune.selective import Kind
from headstart.tune.setting import Setting


def biases(module: nn.Module) -> tuple[str, ...]:
    """Names of the bias vectors: ``bias`` in most layers, ``q_bias`` and the like in attention layers."""
    found = []
    for name, value in module.named_parameters():
        last = name.rpartition(".")[2]
        if value.ndim == 1 and (last == "bias" or last.endswith("_bias")):
            found.append(name)
    return tuple(found)


BIASES = Kind("bitfit", biases, "biases", "lora or full")
check = BIASES.check


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
        statistics: running statistics of batch norms: "kept" as the source left them, "updated" by the new items'
            batches, or "auto": the sweep tries both; without a sweep they are kept up to 1,000 items.

    Raises:
        BadOption: for a depth that leaves nothing to move.
    """
    return (
        yield from BIASES.tune(
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
