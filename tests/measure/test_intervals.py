"""Intervals cover the truth as often as they claim, and never claim certainty."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from headstart.base.errors import DataError
from headstart.measure import intervals, scores
from tests.measure.drawing import guesses

REPEATS = 200


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_equals_scipy(n: int, share: float) -> None:
    right = round(share * n)
    found, known = intervals.wilson(right, n), binomtest(right, n).proportion_ci(method="wilson")
    assert (found.value, found.low, found.high) == pytest.approx((right / n, known.low, known.high), abs=1e-12)


@pytest.mark.parametrize(("right", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_what_is_no_proportion(right: int, n: int) -> None:
    with pytest.raises(DataError, match="no proportion"):
        intervals.wilson(right, n)


@pytest.mark.parametrize("name", scores.NAMES)
@given(n=st.integers(2, 80), classes=st.integers(2, 5), seed=st.integers(0, 1000))
def test_the_interval_holds_its_score_and_stays_in_bounds(name: str, n: int, classes: int, seed: int) -> None:
    p, y = guesses(n, classes, seed=seed)
    found = intervals.bootstrap(name, p, y, seed=seed, replicates=100)
    assert found.value == pytest.approx(scores.score(name, p, y))
    assert 0 <= found.low <= found.value <= found.high <= (17 if name == "log_loss" else 1)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "f1_macro"])
def test_a_perfect_score_is_no_certainty(name: str) -> None:
    y = np.arange(30) % 3
    found = intervals.bootstrap(name, np.eye(3)[y], y)
    assert found.value == found.high == 1
    assert 0.85 < found.low < 0.92


def test_a_perfect_balanced_accuracy_is_less_certain_with_a_rare_class() -> None:
    even, uneven = np.arange(40) % 2, (np.arange(40) < 2).astype(int)
    low = [intervals.bootstrap("balanced_accuracy", np.eye(2)[y], y).low for y in (even, uneven)]
    assert low[1] < low[0] - 0.2


def test_the_seed_decides_and_batches_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    p, y = guesses(60, 3, seed=1)
    found = [intervals.bootstrap("log_loss", p, y, seed=seed) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    monkeypatch.setattr(intervals, "_DRAWS_AT_ONCE", 700)
    again = intervals.bootstrap("log_loss", p, y, seed=1)
    assert (again.low, again.high) == pytest.approx((found[0].low, found[0].high), abs=1e-12)


def test_the_bootstrap_of_a_mean_has_the_width_of_its_standard_error() -> None:
    p, y = guesses(2000, 4, seed=5)
    each = scores.losses("log_loss", p, y)
    found = intervals.bootstrap("log_loss", p, y)
    assert found.high - found.low == pytest.approx(2 * 1.96 * each.std() / np.sqrt(2000), rel=0.08)


def test_the_classes_of_a_score_are_resampled_with_the_items() -> None:
    p, y = guesses(300, 3, seed=2)
    found = intervals.bootstrap("balanced_accuracy", p, y, replicates=4000)
    rng = np.random.default_rng(0)
    slow = []
    for _ in range(1000):
        chosen = rng.integers(0, 300, 300)
        slow.append(scores.score("balanced_accuracy", p[chosen], y[chosen]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.01)


def covered(name: str, n: int, truth: float, draw: object) -> float:
    inside = 0
    for seed in range(REPEATS):
        p, y = draw(seed)
        found = intervals.bootstrap(name, p, y, seed=seed, replicates=500)
        inside += found.low <= truth <= found.high
    return inside / REPEATS


@pytest.mark.parametrize("name", scores.NAMES)
def test_coverage_at_100_items(name: str) -> None:
    truth = scores.score(name, *guesses(200_000, 3, seed=99))
    share = covered(name, 100, truth, lambda seed: guesses(100, 3, seed=seed))
    assert 0.90 <= share <= (1.0 if name == "calibration_error" else 0.99), share


@pytest.mark.parametrize("sharper", [1.0, 1.5, 3.0])
def test_coverage_of_the_calibration_error_of_good_and_of_over_confident_models(sharper: float) -> None:
    def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        p, y = guesses(n, 3, seed=seed)
        return p**sharper / (p**sharper).sum(axis=1, keepdims=True), y

    truth = scores.score("calibration_error", *draw(200_000, 99))
    for n in (60, 300):
        share = covered("calibration_error", n, truth, lambda seed, n=n: draw(n, seed))
        assert share >= 0.90, (n, truth, share)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "balanced_accuracy"])
def test_coverage_of_a_paired_difference(name: str) -> None:
    def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        p, y = guesses(n, 3, seed=seed)
        other = np.exp(np.log(p) + 0.5 * np.random.default_rng(seed + 10**6).normal(size=p.shape))
        return p, other / other.sum(axis=1, keepdims=True), y

    a, b, y = draw(200_000, 99)
    truth = scores.score(name, a, y) - scores.score(name, b, y)
    inside = 0
    for seed in range(REPEATS):
        a, b, y = draw(100, seed)
        found = intervals.paired(name, a, b, y, seed=seed, replicates=500)
        inside += found.low <= truth <= found.high
    assert 0.90 <= inside / REPEATS <= 1.0


@pytest.mark.parametrize("name", scores.NAMES)
def test_a_paired_difference_is_the_difference_and_turns_round(name: str) -> None:
    (a, y), (b, _) = guesses(80, 3, skill=2, seed=1), guesses(80, 3, skill=0, seed=1)
    there, back = intervals.paired(name, a, b, y), intervals.paired(name, b, a, y)
    assert there.value == pytest.approx(scores.score(name, a, y) - scores.score(name, b, y))
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_pairing_is_narrower_than_two_separate_intervals() -> None:
    p, y = guesses(300, 3, seed=1)
    other = p.copy()
    other[:20] = np.roll(p[:20], 1, axis=1)
    apart = intervals.bootstrap("accuracy", p, y)
    together = intervals.paired("accuracy", p, other, y)
    assert together.high - together.low < 0.6 * (apart.high - apart.low)


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_two_models_that_agree_everywhere_are_not_certainly_equal(n: int) -> None:
    p, y = guesses(n, 2, seed=1)
    found = intervals.paired("accuracy", p, p, y)
    assert (found.value, found.low, found.high) == pytest.approx((0, -2.7718 / (n + 2), 2.7718 / (n + 2)), abs=1e-5)
    balanced = intervals.paired("balanced_accuracy", p, p, y)
    assert balanced.low < 0 < balanced.high


@pytest.mark.parametrize(("wins", "decided"), [(0, False), (4, False), (5, False), (6, True), (10, True)])
def test_a_few_items_against_none_decide_as_mcnemar_does(wins: int, decided: bool) -> None:
    y = np.zeros(100, dtype=int)
    a, b = np.eye(2)[y], np.eye(2)[(np.arange(100) < wins).astype(int)]
    assert (intervals.paired("accuracy", a, b, y).low > 0) is decided
    exact = binomtest(wins, wins).pvalue < 0.05 if wins else False
    assert exact is decided or bool(exact) == decided


def test_gain_is_above_zero_when_the_first_is_better() -> None:
    (good, y), (bad, _) = guesses(200, 3, skill=3, seed=1), guesses(200, 3, skill=0, seed=1)
    for name in ("accuracy", "log_loss", "f1_macro"):
        found = intervals.gain(name, good, bad, y)
        assert 0 < found.low <= found.value <= found.high


def test_repeats_are_averaged_per_item() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (3, 50)).astype(float), rng.integers(0, 2, 50).astype(float)
    assert intervals.mean_difference(a, b) == intervals.mean_difference(a.mean(axis=0), b)
    assert intervals.mean_difference(a, b).value == pytest.approx(a.mean() - b.mean())


def test_values_that_cannot_be_paired_are_refused() -> None:
    with pytest.raises(DataError, match="same items"):
        intervals.mean_difference([0, 1], [0, 1, 1])
    with pytest.raises(DataError, match="out of range"):
        intervals.mean_difference([0, 2.5], [0, 1])
    with pytest.raises(DataError, match="same outputs"):
        intervals.paired("f1_macro", np.full((2, 2), 0.5), np.full((2, 3), 1 / 3), [0, 1])


def test_unbounded_losses_of_equal_models_are_equal() -> None:
    found = intervals.mean_difference([0.5, 2.5], [0.5, 2.5], bounded=False)
    assert (found.low, found.high) == (0, 0)


def test_two_thousand_replicates_of_ten_thousand_items_take_seconds() -> None:
    p, y = guesses(10_000, 10, seed=0)
    started = time.perf_counter()
    intervals.bootstrap("f1_macro", p, y)
    assert time.perf_counter() - started < 10
