"""The page of unfamiliar pictures says what its JSON says, computed here another way."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests import pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> ModuleType:
    return pages.script("unfamiliar")


def test_every_score_has_a_row_and_no_cell_is_left_out(made: ModuleType) -> None:
    data = json.loads((ROOT / "benchmarks" / "results" / "unfamiliar.json").read_text("utf-8"))
    page = made.page()
    assert f"{len(data['cells'])} of {data['planned']} cells are done" in page
    for score in ("nearest, last stage", "relative Mahalanobis", "energy", "max softmax"):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {score} ")]
        shown = float(row.split("|")[2].split("±")[0])
        near = [
            cell["scores"][score]["kinds"][made.NEAR]["auroc"]
            for key, cell in data["cells"].items()
            if key.split("/")[2] == "probe"
        ]
        assert shown == pytest.approx(100 * np.mean(near), abs=0.051)


def test_false_alarms_are_counted_and_near_the_promise(made: ModuleType) -> None:
    data = json.loads((ROOT / "benchmarks" / "results" / "unfamiliar.json").read_text("utf-8"))
    (row,) = [line for line in made.page().splitlines() if line.startswith("| familiar, counted")]
    few = [
        cell["scores"][made.OURS]["alarms"]
        for key, cell in data["cells"].items()
        if key.split("/")[2] == "full" and key.split("/")[1] == "10"
    ]
    assert float(row.split("|")[4].split("±")[0]) == pytest.approx(100 * np.mean(few), abs=0.051)
    every = [cell["scores"][made.OURS] for key, cell in data["cells"].items() if "pixels" not in key]
    assert np.mean([one["alarms"] - one["expected"] for one in every]) < 0.01
