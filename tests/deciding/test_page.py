"""docs/decision.md says what benchmarks/results/decision.json says, which says what the units say."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks import decision
from benchmarks.deciding import arms, cells, reading, targets
from benchmarks.deciding.arms import Bench
from tests.pages import script

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages():
    return script("decision")


SKILL = {"pixels": 0.3, "pixels_svm": 0.35, "random features": 0.4, "scratch": 0.6}
HARMED = {"permuted labels": 0.1, "dead units": 0.35}


def invented(unit, size):
    """A result whose accuracy is known, so that a dead source is worth -25 points against scratch, others +20."""
    labels = targets.population_labels(unit.target, size)
    rng = np.random.default_rng(zlib.crc32(unit.name.encode()))
    share = SKILL.get(unit.kind, HARMED.get(unit.source, 0.8 if unit.kind in ("full", "auto") else 0.7))
    share = 0.6 if unit.kind == "auto" and unit.source in HARMED else share
    found = arms.scored(rng.random(len(labels)) < share, labels) | {"seconds": 10.0, "commit": "abc", "chosen": "full"}
    if unit.kind == cells.AUTO:
        outcome = "negative" if unit.source in HARMED else "positive"
        found |= {"seconds": 40.0, "verdict": {"outcome": outcome, "items": 90}}
    if unit.kind in (cells.COVERAGE, cells.CROSSED):
        counts = {"replicates": 200, "items": 100, "held": 190, "below": 4, "above": 6, "gap": 3.0, "half": 8.0}
        found = counts | {"verdicts": {"positive": 1, "tie": 199, "negative": 0}, "seconds": 1.0, "commit": "abc"}
    return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A work folder in which everything is done but the last ``auto``."""
    found = Bench(tmp_path_factory.mktemp("work"), size=400)
    units = cells.planned(cells.QUICK, cells.SEEDS_QUICK)
    for unit in units[:-1]:
        found.results.put(unit, invented(unit, found.size))
    return found


@pytest.fixture(scope="module")
def data(bench):
    return json.loads(json.dumps(reading.everything(bench, quick=True)))


def row(page, *start):
    (found,) = [line for line in page.splitlines() if line.startswith("| " + " | ".join(start) + " |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_what_is_done_is_counted_and_said(data, pages):
    planned = len(cells.planned(cells.QUICK, cells.SEEDS_QUICK))
    assert (data["done"]["units"], data["done"]["units_planned"]) == (planned - 1, planned)
    assert (data["done"]["cells"], data["done"]["cells_planned"]) == (7, 8)
    page = pages.page(data)
    assert "**7 of 8 cells done**" in page and f"{planned - 1} of {planned} units" in page


def test_what_is_missing_is_expected_to_take_what_its_like_took(data, bench):
    planned = cells.planned(cells.QUICK, cells.SEEDS_QUICK)
    done = {unit: bench.results.get(unit) for unit in planned[:-1]}
    assert data["done"]["seconds_of_all"] == round(sum(one["seconds"] for one in done.values()) + 40)
    assert reading.expected(planned, {unit: one for unit, one in done.items() if unit.kind != "full"}) is None
    other = cells.Unit("full", "size", 20, "patterns", 9)
    assert reading.expected([other], {planned[9]: {"seconds": 3.0}} | {other: {"seconds": 5.0}}) == 5
    assert reading.expected([other], {cells.Unit("full", "size", 5, "patterns", 0): {"seconds": 3.0}}) == 3


def test_every_cell_is_a_row_whose_figures_are_those_of_its_units(data, pages, bench):
    page = pages.page(data)
    for one in data["cells"]:
        cell = cells.Cell(one["target"], one["shots"], one["relation"])
        found = row(page, one["target"], str(one["shots"] or "all"), one["relation"])
        expected = {}
        for kind in cells.FIXED:
            source = cells.NONE if kind in cells.SOURCELESS else cell.source
            units = [cells.Unit(kind, cell.target, cell.shots, source, seed) for seed in range(3)]
            expected[kind] = np.mean([bench.results.get(unit)["accuracy"] for unit in units])
        best = max(expected, key=expected.get)
        assert found[3] == f"`{best}`" and float(found[4]) == pytest.approx(expected[best], abs=0.06)
        if one["finished"]:
            assert float(found[6]) == pytest.approx(expected[best] - np.mean(one["auto"]), abs=0.06)
            assert found[8] == "40%"
            assert found[11] == ("3 x negative" if one["source"] in HARMED else "3 x positive")


def test_the_true_gap_is_that_of_the_best_with_and_the_best_without_the_source(data):
    for one in data["cells"]:
        harmed = HARMED.get(one["source"])
        assert one["gap_of"][1] == "scratch"
        assert one["gap"] == pytest.approx(100 * ((harmed or 0.8) - 0.6), abs=6)


def test_bars_say_yes_no_or_not_yet(data, pages):
    page = pages.page(data)
    assert row(page, "time of `auto`")[-2:] == ["40%, at most 40%", "yes"]
    assert row(page, "negative transfer that is called negative")[-1] == "yes"
    assert row(page, "coverage of 95 % intervals, test part")[2:] == ["95.0% of 4,800", "yes"]
    empty = {**data, "overall": None, "verdicts": None, "fixed": None}
    assert row(pages.page(empty), "mean regret of `auto`")[-2:] == ["not measured yet", "not decided yet"]
    worse = json.loads(json.dumps(data))
    worse["overall"]["bars"]["mean regret"] = False
    assert row(pages.page(worse), "mean regret of `auto`")[-1] == "**no**"


def test_a_report_of_nothing_is_a_page_too(tmp_path, pages):
    found = decision.report(Bench(tmp_path), True, tmp_path / "decision.json")
    page = pages.page(json.loads((tmp_path / "decision.json").read_text()))
    assert found["done"]["units"] == 0
    assert "**0 of 8 cells done**" in page and page.count("0 of 33 units so far") == 8


def test_no_place_of_a_machine_is_published(data):
    assert str(Path.home()) not in json.dumps(data) and "/tmp" not in json.dumps(data)


def test_the_page_in_the_repository_is_made_from_the_results_in_the_repository(pages):
    page = (ROOT / "docs" / "decision.md").read_text("utf-8")
    assert page == pages.page()
    data = json.loads((ROOT / "benchmarks" / "results" / "decision.json").read_text("utf-8"))
    for one in data["cells"]:
        if one["fixed_finished"]:
            found = row(page, one["target"], str(one["shots"] or "all"), one["relation"])
            assert float(found[4]) == pytest.approx(max(np.mean(each) for each in one["arms"].values()), abs=0.051)
