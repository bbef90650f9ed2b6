"""The map of features: where tested items lie for the network before and after, in two dimensions.

Before is the pretrained network as it came, after the one that is sealed. A probe moves nothing in its network, so
there before is the same network with random weights, and the map shows what the pretraining brought; a run that is
compared with nothing (``--no-baselines``) makes no such network.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.base import seeds
from headstart.base.errors import WeightsError
from headstart.choose import randomly
from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.choose.parts import Part
from headstart.features import inference
from headstart.features.network import Features
from headstart.measure import projection

POINTS = 500
"""Items on the map: what a screen shows apart, and t-SNE places in about a second."""


def of(ground: Ground, ended: Finished, tested: Part) -> dict[str, Any]:
    """The map of the tested items as plain data, for ``exhibits.json``."""
    rows = np.unique(np.linspace(0, len(tested) - 1, min(POINTS, len(tested))).astype(np.int64))
    items = [ground.dataset.items[int(i)] for i in tested.rows[rows]]
    seed = seeds.derive(ground.seed, "map")
    first, second, before_is, after_is = _sides(ground, ended)
    before = projection.project(_features(ground, first, items), seed=seed)
    after = np.zeros((0, 2))
    if second is not None:
        after = projection.project(_features(ground, second, items), seed=seed, start=before)
        after = projection.aligned(after, before)
    return {
        "part": "tested",
        "rows": rows.tolist(),
        "before": before.round(4).tolist(),
        "after": after.round(4).tolist(),
        "before_is": before_is,
        "after_is": after_is,
        "method": projection.method(len(rows)),
    }


def _sides(ground: Ground, ended: Finished) -> tuple[Features, Features | None, str, str]:
    """The networks before and after, with what each is; no second one where there is nothing to compare with."""
    came = ground.frozen.backbone
    pretrained = f"the pretrained network ({came.info.name}) as it came"
    sealed = ended.network
    if sealed is None:
        return Features(came), None, f"{pretrained}; what is sealed is a model without a network", ""
    before, after = Features(came, sealed.taps), Features(sealed.backbone, sealed.taps)
    if sealed.backbone.digest() != came.digest():
        how = "the network trained from scratch" if ended.trial.row.kind == "scratch" else "the fine-tuned network"
        return before, after, pretrained, f"{how} that is sealed"
    if not ground.journal.config.get("baselines", True):
        return before, None, f"{pretrained}; the sealed model reads it and moved nothing in it", ""
    try:
        random = came.fresh(seeds.derive(ground.seed, "map", "random"))
    except WeightsError:
        return before, None, f"{pretrained}; the sealed model reads it and moved nothing in it", ""
    randomly.recalibrate(random, ground)
    after_is = f"{pretrained}, in which the probe that is sealed moved nothing"
    return Features(random, sealed.taps), after, "the same network with random weights", after_is


def _features(ground: Ground, network: Features, items: list[Any]) -> np.ndarray:
    return inference.outputs(
        network,
        items,
        preprocessing=network.backbone.info.preprocessing,
        modality=ground.dataset.modality,
        precision=ground.machine.precision,
        report=ground.report,
    )
