"""Regret, oracle, wins, detectable gaps, verdicts and coverage, against calculations by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.deciding import summary

ARMS = {"probe": [70.0, 80.0], "full": [90.0, 70.0], "scratch": [60.0, 60.0]}


def test_the_oracle_is_the_best_mean_and_regret_is_what_lies_between():
    assert summary.oracle(ARMS) == "full"
    assert summary.regrets(ARMS, [90.0, 80.0]) == {"probe": 5.0, "full": 0.0, "scratch": 20.0, "auto": -5.0}
    assert summary.regrets(ARMS) == {"probe": 5.0, "full": 0.0, "scratch": 20.0}


def test_a_win_needs_an_interval_that_leaves_out_zero():
    assert summary.against([2.0, 2.1, 1.9], [1.0, 1.0, 1.0]) == "win"
    assert summary.against([1.0, 1.0, 1.0], [2.0, 2.1, 1.9]) == "loss"
    assert summary.against([1.0, 3.0, 2.0], [2.0, 2.1, 1.9]) == "tie"
    assert summary.against([5.0], [1.0]) == "tie"


def test_the_interval_is_students():
    values = [1.0, 4.0, 2.0, 2.5]
    mean, half = summary.interval(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (mean - half, mean + half) == pytest.approx((low, high))


def test_a_detectable_gap_is_found_nine_times_out_of_ten():
    rng, n, apart = np.random.default_rng(0), 400, 0.3
    gap = summary.detectable(apart, n) / 100
    first, second = (apart + gap) / 2, (apart - gap) / 2
    drawn = rng.multinomial(n, [first, second, 1 - apart], size=4000)
    differences = (drawn[:, 0] - drawn[:, 1]) / n
    spread = np.sqrt(((drawn[:, 0] + drawn[:, 1]) / n - differences**2) / n)
    assert (differences - 1.96 * spread > 0).mean() == pytest.approx(0.9, abs=0.03)
    assert summary.detectable(0.25, 100) == pytest.approx(100 * (1.959964 + 1.281552) * 0.05, rel=1e-6)


def cell(shots, auto, seconds=(10.0, 4.0), **more):
    return {"shots": shots, "arms": ARMS, "auto": auto, "seconds": {"fixed": seconds[0], "auto": seconds[1]}, **more}


def test_overall_numbers_are_means_and_worst_cases_over_cells():
    found = summary.overall([cell(5, [78.0, 78.0]), cell(0, [80.0, 81.0], seconds=(10.0, 6.0))])
    assert found["mean_regret"] == pytest.approx({"probe": 5, "full": 0, "scratch": 20, "auto": (2.0 - 0.5) / 2})
    assert found["worst_regret"] == {"probe": 5.0, "full": 0.0, "scratch": 20.0, "auto": 2.0}
    assert found["worst_by_shots"] == {5: 2.0, 0: -0.5}
    assert found["share_of_time"] == pytest.approx({"mean": 0.5, "worst": 0.6})
    assert found["record"]["scratch"] == {"win": 2, "tie": 0, "loss": 0}
    assert found["bars"] == {
        "mean regret": False,
        "worst regret": True,
        "time": False,
        "better than every fixed strategy": False,
    }


def test_bars_are_reached_where_they_should_be():
    found = summary.overall([cell(20, [81.0, 81.0])])
    assert all(found["bars"].values())
    assert not summary.overall([cell(20, [77.9, 77.9])])["bars"]["worst regret"]
    assert summary.overall([cell(5, [77.9, 77.9])])["bars"]["worst regret"]


def test_standing_counts_the_oracles():
    found = summary.standing([cell(5, []), cell(20, [])])
    assert found["strategies"]["full"] == {"mean": 0.0, "worst": 0.0, "best_in": 2}
    assert found["strategies"]["probe"] == {"mean": 5.0, "worst": 5.0, "best_in": 0}
    assert summary.standing([]) is None


def test_only_cells_beyond_what_can_be_detected_are_judged():
    def judged(gap, *outcomes):
        return {"gap": gap, "detectable": 10.0, "outcomes": outcomes}

    found = summary.verdicts(
        [judged(-20.0, "negative", "tie"), judged(30.0, "positive", "negative"), judged(-9.0, "positive")]
    )
    assert found["negative"] == {"runs": 2, "called": {"negative": 1, "tie": 1}}
    assert found["positive"] == {"runs": 2, "called": {"negative": 1, "positive": 1}}
    assert found["too_small_to_tell"] == 1
    assert found["bars"] == {"negative found": False, "positive denied": False}
    assert summary.verdicts([judged(1.0, "tie")])["bars"] == {"negative found": None, "positive denied": None}


def test_coverage_is_pooled_and_its_chance_is_clopper_and_pearsons():
    found = summary.coverage([{"held": 190, "replicates": 200}, {"held": 180, "replicates": 200}])
    exact = stats.binomtest(370, 400).proportion_ci(0.95, "exact")
    assert found["share"] == pytest.approx(0.925) and found["least"] == pytest.approx(0.9)
    assert found["by_chance"] == pytest.approx([exact.low, exact.high])
    assert found["bar"] is True
    assert summary.coverage([{"held": 199, "replicates": 200}])["bar"] is False
    assert summary.coverage([{"held": 200, "replicates": 200}])["by_chance"][1] == 1.0
    assert summary.coverage([]) is None
    assert math.isclose(summary.POWER, 3.2415, abs_tol=1e-3)
