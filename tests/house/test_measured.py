"""The page of measurements says what its JSON says, computed here another way."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from tests import pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def measured() -> ModuleType:
    return pages.script("measured")


def test_gains_are_paired_by_draw_and_averaged_over_targets(measured: ModuleType) -> None:
    rng = np.random.default_rng(0)
    one, base = ({"scores": {t: {"frozen": list(rng.uniform(50, 90, 6))} for t in "abc"}} for _ in range(2))
    gaps = np.array([[one["scores"][t]["frozen"], base["scores"][t]["frozen"]] for t in "abc"])
    expected = (gaps[:, 0] - gaps[:, 1]).mean(0)
    assert measured.gains(one, base, "abc", "frozen") == pytest.approx(list(expected))
    mean, half = measured.interval(list(expected))
    low, high = stats.t.interval(0.95, 5, expected.mean(), stats.sem(expected))
    assert (mean - half, mean + half) == pytest.approx((low, high))


def test_the_page_has_a_row_for_every_variant_and_no_figure_that_was_not_measured(measured: ModuleType) -> None:
    data = json.loads((ROOT / "benchmarks" / "results" / "recipes.json").read_text("utf-8"))
    page = measured.recipes()
    for name, one in data["variants"].items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| **{name}**:")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        shown = [np.mean(one["scores"][t][arm]) for arm in ("frozen", "fine-tuned") for t in one["scores"]]
        assert [float(cell) for cell in cells[1 : 1 + len(shown)]] == pytest.approx(shown, abs=0.051)
        assert one["views"] >= data["configuration"]["views"] * 0.95


def test_the_page_of_the_server_has_a_row_for_every_backbone_and_hides_no_failure(measured: ModuleType) -> None:
    data = json.loads((ROOT / "benchmarks" / "results" / "serving.json").read_text("utf-8"))
    page = measured.serving()
    for name, one in data.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        turns = one["turns"]
        ratio = np.median([turn["served"]["per_second"] / turn["offline"]["per_second"] for turn in turns])
        assert cells[3] == f"{100 * ratio:.0f} %"
        answers = one["endurance"]["answers"]
        assert int(cells[7]) == sum(count for code, count in answers.items() if code != "200")
        assert float(cells[9]) == pytest.approx(one["endurance"]["milliseconds"]["p99"], abs=0.51)
        assert one["endurance"]["seconds"] >= 20
