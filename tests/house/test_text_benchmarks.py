"""What two benchmarks of texts make of their runs, and what the page says of them."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks import text_speed, texts
from tests import pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return pages.script("texts")


def run(who: str, number: int, seconds: float, hits: str, **more: Any) -> dict[str, Any]:
    right = 100 * hits.count("1") / len(hits)
    about = {"data": "d", "texts": 2000, "epochs": 10, "job": "head", "rate": 0.1}
    about |= {"machine": "m", "threads": 2, "precision": "bf16", "commit": "c"}
    return {
        **about,
        "who": who,
        "number": number,
        "seconds": seconds,
        "answering": 1.0,
        "right": right,
        "hits": hits,
    } | more


def test_nothing_that_is_asked_about_is_labelled_nor_of_a_labelled_file() -> None:
    origins = np.repeat(np.arange(60).astype(str), 4)
    labels = np.array(["a", "b", "c", "d"] * 60)
    for each in (3, None):
        known, asked = texts.drawn(labels, origins, each, seed=1)
        assert not set(origins[known]) & set(origins[asked])
        assert len(set(origins[asked])) == 12 and len(asked) == 48
        assert all((labels[known] == name).sum() == (each or 48) for name in "abcd")


def test_the_interval_of_draws_is_students_and_of_one_draw_its_items() -> None:
    rows = [{"gap": gap, "error": 2.0} for gap in (1.0, 4.0, 2.5)]
    expected = stats.t.interval(0.95, 2, loc=2.5, scale=stats.sem([1.0, 4.0, 2.5]))
    found = texts.summary(rows)
    assert (found["low"], found["high"]) == pytest.approx(expected)
    alone = texts.summary(rows[:1])
    assert (alone["low"], alone["high"]) == pytest.approx((1 - 1.96 * 2, 1 + 1.96 * 2))


def test_medians_are_compared_and_answers_are_paired() -> None:
    ours = [run("headstart", i, seconds, "1101") for i, seconds in enumerate((4.0, 9.0, 5.0))]
    theirs = [run("tuned", i, seconds, "1010") for i, seconds in enumerate((50.0, 60.0, 40.0))]
    found = text_speed.beside(ours, theirs)
    assert found["times_faster"] == 10.0 and found["runs"] == [3, 3]
    gaps = np.array([0, 1, -1, 1])
    half = 196 * gaps.std(ddof=1) / math.sqrt(4)
    assert found["gap"] == pytest.approx({"value": 25.0, "low": 25 - half, "high": 25 + half})


def test_a_run_that_is_kept_is_not_measured_again(tmp_path: Path) -> None:
    about = {"data": "d", "texts": 2000, "epochs": 10}
    first = text_speed.Kept(about, tmp_path / "r.json")
    for who in ("headstart", "tuned"):
        first.run("head", who, 0, lambda: text_speed.Run(2.0, 1.0, "10"), rate=0.1)
    again = text_speed.Kept(about, tmp_path / "r.json")
    again.run("head", "tuned", 0, lambda: pytest.fail("measured again"))
    again.run("head", "tuned", 1, lambda: text_speed.Run(4.0, 1.0, "11"), rate=0.1)
    assert [row["times_faster"] for row in again.summary()] == [1.5]
    other = text_speed.Kept({**about, "texts": 300}, tmp_path / "r.json")
    assert other.run("head", "tuned", 0, lambda: text_speed.Run(7.0, 1.0, "01"))["seconds"] == 7.0


def test_the_page_says_what_was_reached_missed_and_not_measured(page: ModuleType) -> None:
    def shown(rival: str, seconds: float, **more: Any) -> dict[str, Any]:
        compared = text_speed.beside([run("headstart", 0, 10.0, "10")], [run(rival, 0, seconds, "11")])
        return {"job": "head", "texts": 2000, "epochs": 10, "rival": rival, **compared} | more

    lines = page._judged([shown("default", 200.0), shown("tuned", 60.0), shown("tuned", 9.0, job="full", epochs=3)])
    assert lines[0] == (
        "- The head, 2,000 texts, 10 epochs: aimed at 12 times as fast; reached (20.0) against `default`, "
        "missed (6.0) against `tuned`."
    )
    assert lines[1].endswith("10,000 texts, 20 epochs: aimed at 30 times as fast; not measured.")
    assert lines[3].endswith("aimed at 1 times as fast; missed (0.9) against `tuned`.")


def test_the_page_says_how_often_a_model_without_a_network_was_sealed(page: ModuleType) -> None:
    rows = [{"sealed": "tfidf_ridge", "each": 8, "seed": 0}, {"sealed": "probe", "each": None, "seed": 0}]
    said = " ".join(page._sealed(rows).split())
    assert said.startswith("In 1 of the 2 draws") and said.endswith("tfidf_ridge (0), probe (all labels).")
