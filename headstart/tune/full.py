"""Full fine-tuning: a linear probe first, then every stage moves.

Its rate has a sweep of its own, down to 1e-5: most published failures of full fine-tuning are failures of its rate.
"""

from __future__ import annotations

from headstart.base.work import Plan
from headstart.tune.finetune import Recipe, fine_tune
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe


def plan(
    setting: Setting,
    *,
    rate: float | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    decay: float = 0.8,
    weight_decay: float = 0.01,
    patience: int = 10,
    statistics: str = "auto",
) -> Plan:
    """Fine-tune the whole network.

    Args:
        setting: data and backbone.
        rate: peak learning rate of the head; None sweeps.
        epochs: the most epochs of the final fit; each fit of the sweep gets half as many.
        batch_size: items in a step.
        decay: factor of the rate from one stage to the one below.
        weight_decay: decoupled weight decay.
        patience: epochs without improvement before stopping; 0 never stops early.
        statistics: running statistics of batch norms: "kept" as the source left them, "updated" by the new items'
            batches, or "auto": the sweep tries both; without a sweep they are kept up to 1,000 items.
    """
    recipe = Recipe(
        label="full",
        start=from_probe(setting),
        rate=rate,
        first=1e-3,
        epochs=epochs,
        batch_size=batch_size,
        decay=decay,
        weight_decay=weight_decay,
        patience=patience,
        statistics=statistics,
    )
    return (yield from fine_tune(setting, recipe))
