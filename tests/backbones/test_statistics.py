"""Source statistics: they travel with a backbone, are checked, and those that ship are what its generator gives."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.backbones import bundle, catalogue, folder, statistics
from headstart.base.errors import WeightsError
from headstart.measure.frechet import Moments
from headstart.pretrain import procedural

EMBEDDED = "embedded/resnet10-procedural"


def some(width: int = 384, n: int = 90, seed: int = 0) -> statistics.Statistics:
    x = np.random.default_rng(seed).normal(size=(n, width))
    found = statistics.split(x, np.arange(n) + 7, precision="float32")
    assert found is not None
    return found


def test_the_kept_vectors_are_others_than_those_of_the_moments() -> None:
    x = np.random.default_rng(0).normal(size=(90, 5))
    found = statistics.split(x, np.arange(90) + 7, precision="bf16")
    assert found is not None and (found.items, len(found.sample)) == (45, 45)
    kept = found.rows - 7
    assert np.allclose(found.sample, x[kept], atol=1e-6)
    wanted = Moments.of(np.delete(x, kept, axis=0))
    assert np.allclose(found.moments.covariance, wanted.covariance, atol=1e-5)
    many = statistics.split(np.zeros((3000, 2)), np.arange(3000), precision="float32")
    assert many is not None and (many.items, len(many.sample)) == (2500, statistics.KEPT)
    assert statistics.split(x[:39], np.arange(39), precision="float32") is None


def test_a_file_gives_back_what_was_put_in() -> None:
    found = some(9)
    data = statistics.to_bytes(found)
    again = statistics.from_bytes(data, folder.described(found, data), 9, "here")
    assert np.allclose(again.moments.covariance, found.moments.covariance, rtol=1e-6, atol=1e-6)
    assert np.array_equal(again.moments.covariance, again.moments.covariance.T)
    assert np.allclose(again.sample, found.sample, atol=2e-3) and np.array_equal(again.rows, found.rows)
    with pytest.raises(WeightsError, match="damaged"):
        statistics.from_bytes(data, folder.described(found, data), 8, "here")
    with pytest.raises(WeightsError, match="damaged"):
        statistics.from_bytes(b"nothing of the kind", folder.described(found, data), 9, "here")


def test_they_travel_in_a_folder_and_in_a_bundle(tmp_path: Path) -> None:
    backbone = catalogue.load(EMBEDDED)
    assert backbone.statistics is not None
    bundle.pack([EMBEDDED], tmp_path / "packed", catalogue.load)
    opened = bundle.opened(tmp_path / "packed")
    assert opened is not None
    entry = opened.holds(EMBEDDED)
    assert entry is not None and statistics.FILE in entry.files
    loaded = opened.load(entry)
    assert loaded.statistics is not None
    assert np.array_equal(loaded.statistics.sample, backbone.statistics.sample)
    assert loaded.copy().statistics is loaded.statistics and loaded.fresh(0).statistics is None


def test_changed_missing_and_absent_ones(tmp_path: Path) -> None:
    backbone = catalogue.load(EMBEDDED)
    folder.write_folder(backbone, tmp_path, {})
    file = tmp_path / statistics.FILE
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"\x01")
    with pytest.raises(WeightsError, match="statistics of the source are not those"):
        folder.read_folder(tmp_path)
    file.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        folder.read_folder(tmp_path)
    # A folder that was written before there were any.
    text = json.loads((tmp_path / folder.DESCRIPTION).read_text())
    del text["statistics"]
    (tmp_path / folder.DESCRIPTION).write_text(json.dumps(text))
    assert folder.read_folder(tmp_path).statistics is None
    backbone.statistics = None
    file.write_bytes(data)
    folder.write_folder(backbone, tmp_path, {})
    assert not file.exists(), "what is left of other weights goes"


def test_those_that_ship_are_what_the_generator_gives() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        from source_statistics import WEIGHTS, recipe_of
    finally:
        sys.path.pop(0)
    card = json.loads((WEIGHTS / "resnet10-procedural.json").read_text())["card"]
    patterns = procedural.patterns(recipe_of(card), card["seed"])
    backbone = catalogue.load(EMBEDDED)
    known = backbone.statistics
    assert known is not None and known.items > 3000 and len(known.sample) == statistics.KEPT
    chosen = np.arange(0, statistics.KEPT, 50)
    with torch.inference_mode():
        features = backbone(patterns[known.rows[chosen]]).numpy()
    assert np.allclose(features, known.sample[chosen], rtol=5e-3, atol=5e-3)
    shipped = WEIGHTS / f"resnet10-procedural.{statistics.FILE}"
    assert shipped.stat().st_size < 10**6
