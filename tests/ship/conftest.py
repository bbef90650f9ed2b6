"""Sealed models to load, tamper with and predict by; sealed once, copied for each test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.backbones import catalogue
from headstart.base import hashes
from headstart.base.manifest import NAME, sealed
from headstart.base.vocabulary import Evidence, Interval
from headstart.features import familiarity, inference
from headstart.features.familiarity import Known
from headstart.features.network import Features, Network
from headstart.measure.alarm import Line
from headstart.ship.doubt import Doubt
from headstart.ship.sealed import Model
from headstart.ship.sealing import seal
from headstart.tasks import classification

ARCHITECTURE = "torchvision/mobilenet_v3_small"
CLASSES = ("checks", "disc", "stripes")


ODD = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
"""A picture that the watched model has not seen the like of."""


def small_network(seed: int = 0) -> Network:
    """A network of random weights, whose answers still differ from picture to picture."""
    torch.manual_seed(seed)
    backbone = catalogue.load(ARCHITECTURE, weights=False, seed=seed)
    taps = (backbone.depth - 1, backbone.depth)
    with torch.inference_mode():
        pooled = backbone.pooled(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8))
    features = torch.cat([pooled[tap - 1] for tap in taps], dim=1)
    head = torch.nn.Linear(features.shape[1], len(CLASSES))
    torch.nn.init.normal_(head.weight, std=1.0 / float(features.norm(dim=1).mean()))
    return Network(backbone, head, taps)


def sealed_to(folder: Path, network: Network, /, **values: Any) -> Model:
    """Seal a network with everything that a fit would say of it."""
    info = network.backbone.info
    given: dict[str, Any] = {
        "network": network,
        "predictor": None,
        "info": info,
        "preprocessing": None if "preprocessing" in values else replace(info.preprocessing, size=64),
        "temperature": 0.5,
        "modality": "images",
        "task": classification.learn(CLASSES),
        "evidence": [Evidence("probe", "transfer", {"accuracy": Interval(0.9, 0.8, 0.97)}, 1.5, 12)],
        "verdict": {"sentence": "Transfer helped.", "outcome": "positive", "tests": {}},
        "data": {"digest": "d", "understood": "A folder of 3 class subfolders", "skipped": []},
        "depth": info.stages and len(info.stages),
        "extra": {"strategy": "probe", "metrics": {"accuracy": Interval(0.9, 0.8, 0.97)}},
    }
    return seal(folder, **{**given, **values})


@pytest.fixture(scope="session")
def network() -> Network:
    """A small network, not to be changed."""
    return small_network()


@pytest.fixture(scope="session")
def _original(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Path:
    folder = tmp_path_factory.mktemp("sealed") / "shapes"
    sealed_to(folder, network)
    return folder


@pytest.fixture
def model_folder(_original: Path, tmp_path: Path) -> Path:
    """A sealed model of its own for the test."""
    return shutil.copytree(_original, tmp_path / "shapes")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Path:
    """A labelled folder of small pictures."""
    return write_shapes(tmp_path_factory.mktemp("pictures") / "test", per_class=5)


def resealed(folder: Path, change: Callable[[dict[str, Any]], None] = lambda manifest: None) -> None:
    """Make the manifest agree with the files again, as a careful forger would, after changing it."""
    manifest = json.loads((folder / NAME).read_text())
    for name in manifest["files"]:
        path = folder / name
        manifest["files"][name] = {"sha256": hashes.of_file(path), "size": path.stat().st_size}
    change(manifest)
    (folder / NAME).write_text(json.dumps(sealed(manifest)))


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Path:
    """A model that takes eight even pictures for familiar."""
    folder = tmp_path_factory.mktemp("watched") / "m"
    stages = familiarity.stages_of(network)
    preprocessing = network.backbone.info.preprocessing
    items = [np.full((40, 40, 3), shade, np.uint8) for shade in range(40, 200, 20)]
    seen = Features(network.backbone, stages)
    features = inference.outputs(seen, items, preprocessing=preprocessing)
    known = Known.of(stages, seen.apart(features))
    sure, wrong = np.linspace(0.5, 1.0, 51, dtype=np.float32), np.zeros(51, np.float32)
    wrong[:10] = 1
    kept = Doubt(known, Line(0.2, Interval(0.01, 0.001, 0.04), 100), "", np.ones(3, np.float32), sure, wrong)
    sealed_to(folder, network, preprocessing=preprocessing, doubt=kept)
    return folder
