"""What every way of making a source model hands back: the network without its source head, and how it came to be."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from headstart.backbones.chain import Backbone
from headstart.base import hashes
from headstart.base.work import Outcome
from headstart.pretrain.patterns import contours
from headstart.pretrain.source import Inputs

DIVERGED = "Training diverged; the best epoch before that was kept. A lower rate (--set rate=...) helps"
"""The finding on a fit whose loss left the finite numbers."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What a plan of this room returns.

    Attributes:
        backbone: the trained network as a chain of stages; its source head is gone.
        card: how it was made; plain JSON for the weights' folder. Under ``findings`` are sentences for the user.
        dtype: what the weights of convolutions are to be stored in.
        source: makes the source's items ready to be read, as they are; None where the source is not to be had.
    """

    backbone: Backbone
    card: Mapping[str, Any]
    dtype: torch.dtype = torch.float16
    source: Callable[[], Inputs] | None = None


def fingerprint(backbone: Backbone, inputs: torch.Tensor | None = None) -> list[float]:
    """Sixteen numbers that tell whether a network still computes what it did: mean features of fixed inputs.

    Without ``inputs`` they are generated patterns.

    They are compared with a tolerance, for processors round differently. A network with fewer than sixteen features
    gives as many numbers as it has.
    """
    if inputs is None:
        size = backbone.info.preprocessing.size
        patterns = np.concatenate([contours.render(number, range(4), size=size, seed=0) for number in range(4)])
        inputs = torch.from_numpy(patterns)
    with torch.no_grad():
        features = backbone.eval().to("cpu")(inputs)
    return [round(float(part.mean()), 5) for part in features.float().mean(0).chunk(16)]


def provenance(
    backbone: Backbone,
    outcome: Outcome,
    *,
    method: str,
    seed: int,
    options: Mapping[str, Any],
    inputs: torch.Tensor | None = None,
) -> dict[str, Any]:
    """The part of a card that every method has: what was asked for, how long it took, how the losses went.

    Args:
        backbone: the trained network.
        outcome: of its one fit.
        method: a plug-in of this room.
        seed: of everything random.
        options: of the method, every one of them.
        inputs: what the fingerprint is taken of; generated patterns without.
    """
    curve = [
        {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
        for row in outcome.curve
    ]
    return {
        "source": backbone.info.source,
        "licence": backbone.info.licence,
        "method": method,
        "seed": seed,
        "options": dict(options),
        "recipe_sha256": hashes.of_data([method, seed, dict(options)]),
        "epoch": outcome.epoch,
        "epochs": outcome.epochs,
        "diverged": outcome.diverged,
        "seconds": round(outcome.seconds, 1),
        "curve": curve,
        "torch": importlib.metadata.version("torch"),
        "fingerprint": fingerprint(backbone, inputs),
    }
