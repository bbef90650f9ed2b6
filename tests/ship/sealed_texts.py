"""A sealed model of texts, small and of random weights, whose answers still differ from text to text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from headstart.backbones import catalogue
from headstart.features.network import Network
from headstart.ship.sealed import Model
from headstart.tasks import classification
from tests import topics
from tests.ship.conftest import sealed_to

CLASSES = ("cooking", "sailing", "trains")


def network(folder: Path, *, taps: tuple[int, ...] = (), outputs: int = 3, **shape: Any) -> Network:
    """A BERT of a folder, as transformers writes it, with a head."""
    folder.mkdir(parents=True, exist_ok=True)
    backbone = catalogue.load(f"local:{topics.saved(folder, **shape)}")
    taps = taps or (backbone.depth,)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        head = torch.nn.Linear(sum(backbone.pooled_width(tap) for tap in taps), outputs)
        torch.nn.init.normal_(head.weight, std=1.0)
    return Network(backbone, head, taps).eval()


def sealed(folder: Path, beside: Path, *, taps: tuple[int, ...] = (), outputs: int = 3, **values: Any) -> Model:
    """Seal one."""
    made = network(beside, taps=taps, outputs=outputs)
    info = made.backbone.info
    given = {"modality": "texts", "preprocessing": info.preprocessing, "task": classification.learn(CLASSES)}
    return sealed_to(folder, made, **{**given, **values})
