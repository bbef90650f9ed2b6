"""What a network makes of its own source is of the items as they are, and of the weights as they are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import small
import torch

from headstart.api.backbones import pretrain_backbone
from headstart.backbones import folder
from headstart.base.machine import here
from headstart.measure.frechet import Moments
from headstart.pretrain import source


class Few:
    def __init__(self, n: int) -> None:
        drawn = np.random.default_rng(0).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
        self.inputs = torch.from_numpy(drawn)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, positions: np.ndarray) -> torch.Tensor:
        return self.inputs[torch.from_numpy(np.asarray(positions))]


def test_the_features_are_those_of_the_stored_weights() -> None:
    backbone, inputs = small.backbone(), Few(100)
    found = source.statistics(backbone, inputs, here("float32"), dtype=torch.float16)
    assert found is not None and (found.items, len(found.sample)) == (50, 50)
    with torch.inference_mode():
        features = source.stored(backbone, torch.float16)(inputs.inputs).numpy()
    assert np.allclose(found.sample, features[found.rows], atol=1e-4)
    wanted = Moments.of(np.delete(features, found.rows, axis=0))
    assert np.allclose(found.moments.mean, wanted.mean, atol=1e-4)
    assert small.backbone().digest() == backbone.digest(), "the network itself is left as it was"


def test_a_source_of_too_few_items_keeps_nothing() -> None:
    assert source.statistics(small.backbone(), Few(30), here("float32")) is None


def test_a_pretrained_folder_has_them(tmp_path: Path) -> None:
    pretrain_backbone("procedural", tmp_path / "made", settings={"preset": "smoke"}, precision="float32")
    made = folder.read_folder(tmp_path / "made")
    assert made.statistics is not None and made.statistics.precision == "float32"
    assert made.statistics.moments.mean.shape == (32,) and made.statistics.items >= 100
