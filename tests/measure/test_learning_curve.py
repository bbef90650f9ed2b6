"""Learning curves: laws that are known come back, intervals hold the truth, and the slope means what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from headstart.base import seeds
from headstart.base.errors import DataError
from headstart.measure import learning_curve, ridge
from headstart.measure.linear import standardisation

SIZES = np.array([50, 71, 100, 141, 200, 283, 400])


def law(n: np.ndarray, floor: float, factor: float, exponent: float) -> np.ndarray:
    return floor + factor * np.asarray(n, float) ** -exponent


def noisy(curve: np.ndarray, noise: float, seed: int, r: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A measured curve, and replicates as far from it as it is from the truth."""
    rng = np.random.default_rng(seed)
    together, each = 0.8, 0.6
    draw = noise * (together * rng.normal(size=(r + 1, 1)) + each * rng.normal(size=(r + 1, len(curve))))
    measured = np.maximum(curve + draw[0], 0)
    return measured, np.maximum(measured + draw[1:], 0)


@pytest.mark.parametrize(("floor", "factor", "exponent"), [(0.0, 2.0, 0.5), (0.1, 3.0, 0.7), (0.02, 5.0, 1.0)])
def test_a_curve_without_noise_is_continued_as_it_is(floor: float, factor: float, exponent: float) -> None:
    curve = law(SIZES, floor, factor, exponent)
    found = learning_curve.laws(SIZES, curve, np.tile(curve, (50, 1)))
    now, then = law(np.array([500, 1000]), floor, factor, exponent)
    assert found.at(1000).low - 1e-9 <= then <= found.at(1000).high
    assert found.gain(500).value == pytest.approx(now - then, rel=0.35)
    assert found.gain(500).low <= now - then <= found.gain(500).high + 1e-9


def test_every_exponent_is_fitted_as_a_bounded_solver_fits_it() -> None:
    rng = np.random.default_rng(0)
    curves = rng.uniform(0, 1, (30, len(SIZES)))
    root = rng.normal(size=(len(SIZES),) * 2)
    precision = root @ root.T + np.eye(len(SIZES))
    half = np.linalg.cholesky(precision).T
    for exponent in (0.1, 0.6, 1.4):
        floor, factor, misfit = learning_curve._fit(SIZES.astype(float), curves, exponent, precision)
        basis = np.stack([np.ones(len(SIZES)), (SIZES / SIZES.max()) ** -exponent], axis=1)
        for row, curve in enumerate(curves):
            wanted, rest = optimize.nnls(half @ basis, half @ curve)
            assert floor[row] == pytest.approx(wanted[0], abs=1e-6)
            assert factor[row] == pytest.approx(wanted[1] * SIZES.max() ** exponent, rel=1e-6, abs=1e-6)
            assert misfit[row] == pytest.approx(rest**2, abs=1e-6)


@pytest.mark.parametrize(("floor", "exponent"), [(0.0, 0.5), (0.05, 0.5), (0.1, 0.9), (0.0, 0.25)])
def test_intervals_hold_the_truth_as_often_as_they_say(floor: float, exponent: float) -> None:
    curve, hits = law(SIZES, floor, 1.0, exponent), []
    now, then = law(np.array([500, 1000]), floor, 1.0, exponent)
    for seed in range(60):
        found = learning_curve.laws(SIZES, *noisy(curve, 0.01, seed), seed=seed)
        gain, score = found.gain(500), found.at(1000)
        hits.append((gain.low <= now - then <= gain.high, score.low <= then <= score.high))
    assert np.mean(hits, axis=0).min() >= 0.85


def test_a_flat_curve_promises_little_and_a_noisy_one_does_not_know() -> None:
    flat = np.full(len(SIZES), 0.2)
    sure = learning_curve.laws(SIZES, *noisy(flat, 0.001, 0)).gain(500)
    unsure = learning_curve.laws(SIZES, *noisy(flat, 0.05, 0)).gain(500)
    assert sure.high < 0.01 < unsure.high - unsure.low
    assert sure.low >= 0 and unsure.low >= 0, "no law gets worse with more labels"


def test_the_share_that_goes_away() -> None:
    curve = law(SIZES, 0, 1, 1.0)
    found = learning_curve.laws(SIZES, curve, np.tile(curve, (20, 1))).shrinkage(400)
    assert found.low <= 0.5 <= found.high + 1e-9 and 0.3 < found.value < 0.6
    none = learning_curve.laws(SIZES, 0 * curve, np.zeros((20, len(curve)))).shrinkage(400)
    assert (none.value, none.high) == (0, 0)


def test_what_makes_no_curve_is_refused() -> None:
    with pytest.raises(DataError, match="more sizes"):
        learning_curve.laws([1, 2], [0.1, 0.1], np.ones((5, 2)))
    with pytest.raises(DataError, match="do not fit"):
        learning_curve.laws([1, 2, 3], [0.1, 0.1], np.ones((5, 3)))


@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=5), seed=st.integers(0, 50))
def test_every_beginning_of_the_order_is_stratified(counts: list[int], seed: int) -> None:
    strata = np.repeat(np.arange(len(counts)), counts)
    found = learning_curve.order(strata, seed=seed)
    assert sorted(found) == list(range(len(strata)))
    for end in range(1, len(strata) + 1):
        there = np.bincount(strata[found[:end]], minlength=len(counts))
        # Each class is dealt evenly, so it is never more than its place in the deal away from its share.
        assert np.abs(there - np.array(counts) * end / len(strata)).max() <= len(counts)


def planted(n: int, noise: float, d: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, d))
    return features, features @ rng.normal(size=(d, 2)) + noise * rng.normal(size=(n, 2))


def test_the_slope_of_few_labels_is_steep_and_that_of_many_flat() -> None:
    few, many = (learning_curve.slope(*planted(n, 2.0)) for n in (24, 2000))
    assert few > 0.15 and abs(many) < 0.02 and few > 5 * many
    assert learning_curve.slope(*planted(24, 2.0)) == few, "a seed names its draws"


def test_the_slope_is_that_of_fits_without_each_item() -> None:
    """The same by refitting a scikit-learn ridge without every single item in turn."""
    from sklearn.linear_model import Ridge

    features, targets = planted(32, 1.0)
    sizes, errors = [32, 16, 8], []
    turn = learning_curve.order(np.zeros(32), seed=seeds.derive(0, "slope", 0))
    for n in sizes:
        x, y = features[turn[:n]], targets[turn[:n]]
        # The scaling and the penalty see all n items, as they do in the probe.
        x, penalty = standardisation(x).apply(x), ridge.regress(x, y).penalty
        off = [
            y[i] - Ridge(penalty).fit(np.delete(x, i, 0), np.delete(y, i, 0)).predict(x[i : i + 1]) for i in range(n)
        ]
        errors.append(float(np.square(off).mean()))
    wanted = learning_curve.steepness(sizes, errors)
    assert learning_curve.slope(features, targets, repeats=1) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0])
def test_the_steepness_of_a_power_law_is_that_of_every_doubling(exponent: float) -> None:
    assert learning_curve.steepness(SIZES, law(SIZES, 0, 3, exponent)) == pytest.approx(1 - 2**-exponent)
    assert learning_curve.steepness([10, 20], [0.1, 0.0]) == 0


def test_too_few_items_have_no_slope() -> None:
    with pytest.raises(DataError, match="make no curve"):
        learning_curve.slope(*planted(10, 1.0))
