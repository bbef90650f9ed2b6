"""Tuning one kind of parameter and the head: what strategies share that differ only in which kind that is.

Few numbers move, so good rates are about ten times those of full fine-tuning, and the sweep begins there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.work import Plan
from headstart.tune.finetune import Recipe, check_depth, fine_tune, lacking, moving_only
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of parameter.

    Attributes:
        strategy: that moves it.
        names: the parameters of that kind in a network, by name.
        what: they are called, in the plural.
        instead: strategies for a network that has none.
    """

    strategy: str
    names: Callable[[nn.Module], tuple[str, ...]]
    what: str
    instead: str

    def check(self, backbone: Backbone, options: Mapping[str, Any]) -> None:
        """Refuse a cut behind which there is none of the kind.

        Raises:
            BadOption: naming what to do instead.
        """
        check_depth(backbone, options)
        depth = options.get("depth") or 0
        if not self.names(backbone.suffix(depth)):
            raise lacking(backbone, self.what, depth, self.instead)

    def tune(
        self,
        setting: Setting,
        *,
        depth: int,
        rate: float | None,
        epochs: int,
        batch_size: int,
        weight_decay: float,
        views: int,
        patience: int,
        statistics: str,
    ) -> Plan:
        """Fine-tune the kind and the head; the arguments are the strategy's options.

        Raises:
            BadOption: for a depth that leaves nothing to move.
        """
        self.check(setting.frozen.backbone, {"depth": depth})
        recipe = Recipe(
            label=f"{self.strategy}@{depth}",
            start=from_probe(setting),
            rate=rate,
            first=1e-2,
            epochs=epochs,
            batch_size=batch_size,
            depth=depth,
            weight_decay=weight_decay,
            views=views,
            patience=patience,
            statistics=statistics,
            phases=moving_only(self.names),
        )
        return (yield from fine_tune(setting, recipe))
