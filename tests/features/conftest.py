"""A small real backbone with BatchNorm, and pictures for it."""

import numpy as np
import pytest
import torch

from headstart.backbones.chain import Backbone
from headstart.backbones.resnet10 import ResNet10
from headstart.base import hashes
from headstart.base.machine import here
from headstart.base.vocabulary import BackboneInfo, Preprocessing
from headstart.features.pixels import Pixels
from headstart.features.store import Store

PREPROCESSING = Preprocessing(size=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), interpolation="bilinear")


def build(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = ResNet10(widths=(8, 12, 16, 24))
        for layer in module.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.2)
                layer.running_var.uniform_(0.5, 1.5)
    return module


@pytest.fixture
def backbone():
    info = BackboneInfo("test/small", "test/small", 0, (), 0, PREPROCESSING)
    return Backbone(build(0), info, rebuild=build)


@pytest.fixture
def pictures():
    draw = np.random.default_rng(0)
    return [draw.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(80)]


@pytest.fixture
def digests(pictures):
    return [hashes.of_bytes(picture.tobytes()) for picture in pictures]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def pixels(pictures, digests, store):
    return Pixels(pictures, digests, PREPROCESSING, store)


@pytest.fixture
def cpu():
    return here("float32", "cpu")
