"""Distances grow as targets move away from the source, and strength is what the held-out answers say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.api.fitting import fit
from headstart.backbones import catalogue
from headstart.base.run import Run
from headstart.choose.similarity import distances
from headstart.pretrain.mixture import Patterns


def features(patterns: np.ndarray) -> np.ndarray:
    backbone = catalogue.load("embedded/resnet10-procedural")
    with torch.inference_mode():
        return backbone(torch.from_numpy(patterns)).numpy()


def test_targets_ever_further_from_the_source_are_ever_further() -> None:
    """Other classes of the source's own generator, under ever more noise, and then nothing but noise."""
    source = catalogue.load("embedded/resnet10-procedural").statistics
    assert source is not None
    rng = np.random.default_rng(0)
    drawn = Patterns(1024, size=32, seed=123)
    clean = drawn[rng.permutation(len(drawn))[:150]].numpy()
    noisy = [clean + rng.normal(0, noise, clean.shape) for noise in (0, 40, 80, 160)]
    targets = [each.clip(0, 255).astype(np.uint8) for each in noisy]
    targets.append(rng.integers(0, 256, clean.shape, dtype=np.uint8))
    found = [distances(source, features(each)) for each in targets]
    for name, number in (("frechet", "value"), ("mmd", "value"), ("proxy_a", "value")):
        values = [each[name][number] for each in found]
        assert values == sorted(values), name
    assert found[0]["frechet"]["excess"] < 0.1 < 0.5 < found[-1]["frechet"]["excess"]
    assert found[0]["mmd"]["value"] < 3 * found[0]["mmd"]["noise"] < found[2]["mmd"]["value"]
    assert not found[0]["proxy_a"]["saturated"] and found[-1]["proxy_a"]["saturated"]


def test_another_precision_is_said() -> None:
    source = catalogue.load("embedded/resnet10-procedural").statistics
    assert source is not None
    found = distances(source, np.random.default_rng(0).normal(size=(50, 384)), precision="bf16")
    assert found["precisions"] == ["float32", "bf16"] and found["items"] == 50


@pytest.mark.slow
@pytest.mark.parametrize("source", ["classes", "numbers"])
def test_a_fit_writes_both_files_and_opens_no_test_part(tmp_path: Path, write_shapes, source: str) -> None:
    if source == "classes":
        data, given = write_shapes(tmp_path / "shapes", per_class=70), {}
    else:
        rows = [
            f"{path},{path.stat().st_size}"
            for path in sorted(write_shapes(tmp_path / "shapes", per_class=30).rglob("*.png"))
        ]
        (tmp_path / "sizes.csv").write_text("\n".join(["path,size", *rows]))
        data, given = tmp_path / "sizes.csv", {"task": "regression", "label": "size"}
    model = fit(str(data), output=tmp_path / "m", budget="15s", strategy="probe", **given)
    run = Run(model.path / "run")
    near, learning = run.similarity, run.learning
    assert near["stages"] and near["best_stage"] == near["stages"][near["best_stage"] - 1]["stage"]
    assert max(each["value"] for each in near["stages"]) - near["probe_strength"]["value"] <= 0.005
    assert near["over_random"]["against"].startswith("random features") and near["over_raw"]["against"]
    assert near["distances"]["frechet"]["value"] > near["distances"]["frechet"]["source_itself"]
    development = run.data["parts"]["train"] + run.data["parts"]["val"]
    assert near["items"] == learning["labels"] == development
    assert learning["metric"] == ("accuracy" if source == "classes" else "rmse")
    page = (model.path / "report.html").read_text()
    assert "Source and target" in page and "More labels" in page
    assert json.loads((model.path / "run" / "findings.json").read_text()) is not None
