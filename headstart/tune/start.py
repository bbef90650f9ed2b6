"""Where fine-tuning starts: a copy of the pretrained backbone with a probed head on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from torch import nn

from headstart.backbones.chain import Backbone
from headstart.measure.linear import Linear
from headstart.tune.probe import as_head, solve
from headstart.tune.setting import Setting


def from_probe(setting: Setting) -> Callable[[], tuple[Backbone, nn.Linear]]:
    """Makes a new copy of the backbone at each call, with a head solved once on the features of its last stage."""
    backbone = setting.frozen.backbone

    @cache
    def probed() -> Linear:
        return solve(setting, setting.frozen.pooled(backbone.depth), None)[0]

    return lambda: (backbone.copy(), as_head(probed()))
