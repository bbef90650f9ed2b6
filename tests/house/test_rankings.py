"""The published tables, what is made of them, and the page about ranking."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scipy.stats import weightedtau

from benchmarks import published_rankings as published
from tests import pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rankings() -> ModuleType:
    return pages.script("rankings")


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return json.loads(published.RESULTS.read_text("utf-8"))


def rows(name: str) -> list[dict[str, str]]:
    with (published.TABLES / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("name", "models", "sets"),
    [("modelspider_scores", 10, 8), ("tllib", 10, 8), ("sfda_group1", 11, 11), ("sfda_group2", 12, 11)],
)
def test_a_table_has_every_model_on_every_data_set_once(name: str, models: int, sets: int) -> None:
    found = [(row["dataset"], row["model"]) for row in rows(f"{name}.csv")]
    assert len(found) == len(set(found)) == models * sets
    assert len({model for _, model in found}) == models


def test_every_table_names_its_source() -> None:
    sources = json.loads((published.TABLES / "sources.json").read_text("utf-8"))
    assert set(sources) == {path.name for path in published.TABLES.glob("*.csv")}
    assert all(one["where"] and one["what"] for one in sources.values())


def test_the_published_figures_of_agreement_come_out_again() -> None:
    """TLlib prints weighted taus for its rows; those of SUN397 and CIFAR-10 follow from them (others do not)."""
    truth = published.read("tllib.csv", "accuracy")
    for dataset, score, printed in (
        ("sun397", "h_score", 0.918),
        ("sun397", "logme", 0.748),
        ("cifar10", "h_score", 0.800),
        ("cifar10", "leep", 0.638),
        ("cars", "nce", 0.750),
    ):
        models = list(truth[dataset])
        values = published.read("tllib.csv", score)[dataset]
        found = weightedtau([truth[dataset][each] for each in models], [values[each] for each in models]).statistic
        assert found == pytest.approx(printed, abs=6e-4)


def test_two_published_truths_agree_only_so_far(kept: dict[str, Any]) -> None:
    assert kept["ceiling"]["mean"] == pytest.approx(0.54, abs=0.005)
    assert kept["ceiling"]["datasets"]["aircraft"] == pytest.approx(0.12, abs=0.005)


def test_the_combination_is_the_products_own_and_its_regret_is_the_tables(kept: dict[str, Any]) -> None:
    """By hand for one data set: ranks of top-1, H-score and LogME on Pets in TLlib's own table."""
    name = "TLlib's scores, TLlib's fine-tuning"
    pets = [row for row in rows("tllib.csv") if row["dataset"] == "pets"]
    top = {row["model"]: (float(row["top1"]), float(row["parameters"])) for row in rows("imagenet.csv")}

    def places(key: Any) -> dict[str, int]:
        order = sorted(pets, key=key, reverse=True)
        return {row["model"]: place for place, row in enumerate(order)}

    each = [
        places(lambda row: top[row["model"]]),
        places(lambda row: float(row["h_score"])),
        places(lambda row: float(row["logme"])),
    ]
    total = {row["model"]: sum(one[row["model"]] for one in each) for row in pets}
    accuracy = {row["model"]: float(row["accuracy"]) for row in pets}
    lowest = [model for model in total if total[model] == min(total.values())]
    expected = max(accuracy.values()) - statistics.fmean(accuracy[model] for model in lowest)
    assert kept["tables"][name]["datasets"]["pets"]["combination"]["regret"] == pytest.approx(expected)
    agreement = weightedtau(list(accuracy.values()), [-total[model] for model in accuracy]).statistic
    assert kept["tables"][name]["datasets"]["pets"]["combination"]["tau"] == pytest.approx(agreement)


def test_what_is_kept_is_what_the_tables_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Any) -> None:
    monkeypatch.setattr(published, "RESULTS", tmp_path / "published.json")
    assert published.main() == 0
    again = json.loads((tmp_path / "published.json").read_text("utf-8"))
    assert again.keys() == kept.keys()
    for name, one in again["tables"].items():
        for chooser, row in one["mean"].items():
            assert row == pytest.approx(kept["tables"][name]["mean"][chooser], abs=1e-9)


def test_shared_first_places_cost_their_mean() -> None:
    assert published.regret([90.0, 80.0, 70.0], [1.0, 1.0, 0.0]) == 5.0
    assert published.regret([90.0, 80.0], [0.0, 1.0]) == 10.0


def test_history_never_sees_its_own_data_set() -> None:
    truth = {"a": {"x": 1.0, "y": 2.0}, "b": {"x": 5.0, "y": 4.0}}
    assert published.history(truth, "a", ["x", "y"]) == [2.0, 1.0]


def test_broken_numbers_are_found_by_rule() -> None:
    found = published.broken()
    assert len(found) == 2 and "57.17, 78.26, 117.23 exceed their bound of 46" in found[0] and "copy" in found[1]


def test_the_page_has_a_row_for_every_chooser_and_says_what_was_broken(rankings: ModuleType, kept: Any) -> None:
    page = rankings.page()
    for one in kept["tables"].values():
        for chooser, row in one["mean"].items():
            shown = f"**{chooser}**" if chooser == "combination" else chooser
            assert f"| {shown} | {row['tau']:.3f} | {row['regret']:.2f} |" in page
    assert all(text in page for text in kept["broken"])


def test_a_benchmark_is_judged_by_hand(rankings: ModuleType) -> None:
    def ranking(first: str, second: str) -> dict[str, Any]:
        given = {"tied": False, "loss": 0.1, "accuracy": 0.9, "parameters": 1, "scores": {"knn": 0.5}}
        order = [{"backbone": name, "place": place, **given} for place, name in enumerate((first, second), 1)]
        return {"rows": order, "seconds": {"processor": 2.0}, "commit": "a"}

    def cell(probe: float, full: float) -> dict[str, Any]:
        return {"probe": probe, "full": full, "seconds": 10.0, "commit": "a"}

    cells = {
        "t/0/ranking": ranking("x", "y"), "t/0/x": cell(90, 80), "t/0/y": cell(50, 96),
        "t/1/ranking": ranking("y", "x"), "t/1/x": cell(92, 80), "t/1/y": cell(50, 98),
        "u/0/ranking": ranking("x", "y"),
    }  # fmt: skip
    asked = {"backbones": {"x": [], "y": []}, "draws": 2, "labels_a_class": 5}
    found = rankings.judged({"cells": cells, "configuration": asked})
    assert set(found) == {"t"}
    assert found["t"]["truth"] == {"x": 91.0, "y": 97.0}
    assert found["t"]["mean"]["headstart rank"] == {"tau": 0.0, "regret": 3.0}
    assert found["t"]["mean"]["chance"]["regret"] == 3.0
    assert found["t"]["regret_without_best"] == 0.0
    assert (found["t"]["ranking_seconds"], found["t"]["tuning_seconds"]) == (2.0, 10.0)
