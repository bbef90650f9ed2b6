"""A text network that gives one row of features for each unit of a text it is asked about, and none for the whole text.

The weights are the same; only what its stages are pooled to differs, so that every cut stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import nn

from headstart.backbones import language, units
from headstart.backbones.chain import Backbone
from headstart.backbones.segments import Chained, Ending
from headstart.base.errors import WeightsError

POOLING = "units"
"""As ``pooling.POOLINGS`` has it."""


def of(backbone: Backbone) -> Backbone:
    """The same network for units; it is changed in place, and the one that was given is of no more use.

    Raises:
        WeightsError: when it has no row of features for each token, as a bag of word vectors has not.
    """
    info, config = backbone.info, backbone.info.config
    if config is None or not language.is_one(config) or not isinstance(backbone.module, Chained):
        raise WeightsError(
            f"{info.name} gives one row of features for a text, and none for each of its words",
            expected="an encoder or decoder of the transformers library",
            next_move="headstart backbones lists them",
        )
    if config.get("pooling") == POOLING:
        return backbone
    known = replace(info, config={**config, "pooling": POOLING})
    rebuild = None if backbone.rebuild is None else _Rebuilt(backbone.rebuild)
    return Backbone(_repooled(backbone.module), known, rebuild=rebuild)


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    """Seed -> the network from random initialisation, for units."""

    before: Callable[[int], nn.Module]

    def __call__(self, seed: int) -> nn.Module:
        return _repooled(self.before(seed))


def _repooled(module: nn.Module) -> nn.Module:
    if isinstance(module, Chained):
        module.pool = units.rows
        for part in module.parts:
            if isinstance(part, Ending):
                part.pool = units.rows
    return module
