"""The feature arm of "from scratch": the same probes on the same network with random weights.

Three initialisations with their residual branches alive, their norm statistics recomputed on the data (otherwise the
comparison flatters the source); the median of the three by validation stands for the arm: the best one would have been
picked on the items it is judged on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.optim.swa_utils import update_bn

from headstart.backbones.chain import Backbone
from headstart.base import seeds
from headstart.choose import trial
from headstart.choose.ground import Ground
from headstart.choose.rungs import Rung
from headstart.choose.trial import Trial
from headstart.features.frozen import BATCH, Frozen

CALIBRATION = 512
"""Items that norm statistics are recomputed on."""


def probes(ground: Ground, rungs: Sequence[Rung], copies: int) -> list[Trial]:
    """The last-stage and the all-stage probe on random copies of the network; the median copy of each is kept."""
    wanted = [rung for rung in rungs if rung.name in ("probe", "probe all stages")] or list(rungs[:1])
    random = [_copy(ground, number) for number in range(copies)]
    found = []
    for rung in wanted:
        name = f"random features, {rung.name}"
        tried = [
            trial.of_strategy(ground, f"{name}/{number}", rung.strategy, rung.options, kind="scratch", frozen=frozen)
            for number, frozen in enumerate(random)
        ]
        metric = ground.task.metric(ground.metric)
        middle = sorted(tried, key=lambda one: metric.loss(one.score(metric.name)))[len(tried) // 2]
        seconds = sum(one.row.seconds for one in tried)
        detail = {**middle.row.detail, "initialisations": len(tried)}
        found.append(replace(middle, row=replace(middle.row, name=name, seconds=seconds, detail=detail)))
    for frozen in random:
        frozen.forget()
    return found


def _copy(ground: Ground, number: int) -> Frozen:
    backbone = ground.frozen.backbone.fresh(seeds.derive(ground.seed, "random", number))
    recalibrate(backbone, ground)
    frozen = Frozen(
        backbone, ground.frozen.pixels, ground.frozen.store, ground.machine, seed=ground.seed, report=ground.report
    )
    frozen.extract()
    return frozen


def recalibrate(backbone: Backbone, ground: Ground) -> None:
    """Recompute the running statistics of every norm on development pictures (labels are not used)."""
    pixels = ground.frozen.pixels
    draw = seeds.generator(ground.seed, "recalibrate")
    chosen = draw.permutation(len(pixels))[:CALIBRATION]
    device = ground.machine.device
    backbone.to(device)
    batches = [chosen[start : start + BATCH] for start in range(0, len(chosen), BATCH)]
    with torch.random.fork_rng(), ground.machine.autocast():
        torch.manual_seed(seeds.derive(ground.seed, "recalibrate"))
        update_bn((pixels[batch].to(device) for batch in batches if len(batch) > 1), backbone)
    backbone.eval()
