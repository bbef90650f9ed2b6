"""Several labels and numbers from the command line to a sealed model that another process loads and believes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def run(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "headstart", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of a disc whose radius is written down, and of shapes that may be there or not."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:24, :24]
    sizes, tags = [["file", "radius"]], [["file", "disc", "stripes"]]
    for number in range(90):
        radius, middle = rng.uniform(2, 10), rng.uniform(8, 16, 2)
        disc = np.hypot(x - middle[0], y - middle[1]) < radius
        there = rng.random(2) < (0.5, 0.4)
        plain = np.where(disc[..., None], rng.uniform(140, 250, 3), rng.uniform(0, 90, 3))
        mixed = np.where(((x // 4) % 2 == 0)[..., None] & there[1], rng.uniform(120, 200, 3), rng.uniform(20, 90, 3))
        mixed = np.where(disc[..., None] & there[0], rng.uniform(150, 250, 3), mixed)
        for kind, picture in (("size", plain), ("tags", mixed)):
            noisy = (picture + rng.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / f"{kind}{number}.png")
        sizes.append([f"size{number}.png", f"{radius:.3f}"])
        tags.append([f"tags{number}.png", *map(str, there.astype(int))])
    for name, rows in (("size", sizes), ("tags", tags)):
        with open(folder / f"{name}.csv", "w", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return folder


@pytest.mark.parametrize(
    ("name", "label", "task", "metric"),
    [("size", "radius", "regression", "rmse"), ("tags", "disc,stripes", "multilabel", "log_loss")],
)
def test_a_probe_beats_knowing_nothing_and_comes_back(
    tables: Path, tmp_path: Path, name: str, label: str, task: str, metric: str
) -> None:
    given = ["--backbone", "embedded/resnet10-procedural", "--strategy", "probe", "--budget", "20s", "--label", label]
    told = json.loads(run("fit", tables / f"{name}.csv", "-o", tmp_path / "m", *given, "--json"))
    scores = {row["name"]: row["scores"] for row in told["evidence"] if row["scores"]}
    assert told["task"] == task
    assert scores["probe"][metric]["high"] < 0.6 * scores["majority"][metric]["low"]
    assert scores["probe"][metric]["value"] < scores["pixels"][metric]["value"]
    code = "import headstart as hs, sys; print(hs.load(sys.argv[1]).predict_proba(sys.argv[2]).tolist())"
    item = tables / f"{name}3.png"
    here = json.loads(run("predict", tmp_path / "m", item, "--json"))
    there = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m"), str(item)], capture_output=True, text=True, check=True
    )
    row = json.loads(there.stdout)[0]
    assert (here["value"] if task == "regression" else list(here["probabilities"].values())) == pytest.approx(
        row[0] if task == "regression" else row, rel=1e-4, abs=1e-6
    )
    found = json.loads(run("evaluate", tmp_path / "m", tables / f"{name}.csv", "--label", label, "--json"))
    assert found["n"] == 90 and found[metric]["value"] < scores["majority"][metric]["value"]
