"""The scores of numbers are scikit-learn's and SciPy's, under any weighting of the items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import intervals
from headstart.measure.deviations import METRICS

REFERENCE = {
    "rmse": lambda p, y: metrics.root_mean_squared_error(y, p),
    "mae": lambda p, y: metrics.mean_absolute_error(y, p),
    "r2": lambda p, y: metrics.r2_score(y, p),
    "spearman": lambda p, y: spearmanr(p, y).statistic,
}

problems = st.tuples(st.integers(8, 60), st.floats(0.1, 3), st.floats(-1e4, 1e4), st.integers(0, 10_000))


def estimates(n: int, noise: float, level: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.round(level + rng.normal(size=n), 1)
    return np.round(y + noise * rng.normal(size=n), 1), y


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None)
@given(problem=problems)
def test_equals_the_reference(name: str, problem: tuple[int, float, float, int]) -> None:
    p, y = estimates(*problem)
    if len(set(y)) > 1 and len(set(p)) > 1:
        assert METRICS[name].score(p[:, None], y) == pytest.approx(REFERENCE[name](p, y), abs=1e-7)


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None)
@given(problem=problems)
def test_an_item_drawn_twice_counts_as_two_items(name: str, problem: tuple[int, float, float, int]) -> None:
    p, y = estimates(*problem)
    drawn = np.random.default_rng(problem[3]).integers(0, len(y), len(y))
    counts = np.bincount(drawn, minlength=len(y)).astype(float)[None]
    whole = METRICS[name].score(p[drawn], y[drawn])
    assert METRICS[name].prepare(p, y)(counts)[0] == pytest.approx(whole, abs=1e-6)


def test_what_does_not_vary_cannot_be_explained() -> None:
    assert METRICS["r2"].score([1.0, 2.0], [3.0, 3.0]) == 0
    assert METRICS["spearman"].score([1.0, 1.0], [3.0, 4.0]) == 0


@pytest.mark.parametrize("name", METRICS)
def test_closer_is_a_gain_whatever_the_direction(name: str) -> None:
    p, y = estimates(200, 0.3, 50.0, 0)
    worse = p + np.random.default_rng(1).normal(size=200)
    gain = intervals.gain(METRICS[name], p, worse, y)
    assert 0 < gain.low < gain.value < gain.high


def test_the_interval_of_an_rmse_covers_the_truth_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(0), 0
    for repeat in range(200):
        y = rng.normal(size=80)
        found = intervals.bootstrap(METRICS["rmse"], y + 0.5 * rng.normal(size=80), y, seed=repeat, replicates=400)
        covered += found.low <= 0.5 <= found.high
    assert covered > 178, covered


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rmse", 3.21456, "an RMSE of 3.21 (95 % interval 3.11 to 3.31)"),
        ("rmse", 0.00421, "an RMSE of 0.00421 (95 % interval -0.09579 to 0.10421)"),
        ("rmse", 48211.0, "an RMSE of 48,211 (95 % interval 48,211 to 48,211)"),
        ("r2", 0.5, "an R² of 0.500 (95 % interval 0.400 to 0.600)"),
    ],
)
def test_a_number_is_said_with_as_many_digits_as_it_deserves(name: str, value: float, said: str) -> None:
    assert METRICS[name].stated(Interval(value, value - 0.1, value + 0.1)) == said


def test_a_lead_says_its_direction() -> None:
    assert METRICS["rmse"].lead(Interval(0.4, 0.1, 0.7)) == "0.400 lower (0.100 to 0.700) than"
    assert METRICS["rmse"].lead(Interval(-0.4, -0.7, 0.1)) == "0.400 higher (-0.100 to 0.700) than"
    assert METRICS["r2"].lead(Interval(0.4, 0.1, 0.7)) == "0.400 higher (0.100 to 0.700) than"


@pytest.mark.parametrize("targets", [[1.0, np.nan], [[1.0], [2.0]], [], [1.0, 2.0, 3.0]])
def test_numbers_that_do_not_fit_are_refused(targets: list[object]) -> None:
    with pytest.raises(DataError):
        METRICS["rmse"].score([1.0, 2.0], targets)
