"""The maximum mean discrepancy against its closed form for Gaussians, a slow sum, and its own noise level."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import linalg

from headstart.base.errors import DataError
from headstart.measure import mmd


def slowly(a: np.ndarray, b: np.ndarray, width: float) -> float:
    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.exp(-np.square(x - y).sum() / (2 * width**2)))

    within = [np.mean([kernel(x, y) for x, y in itertools.permutations(each, 2)]) for each in (a, b)]
    return float(sum(within) - 2 * np.mean([kernel(x, y) for x in a for y in b]))


def test_it_agrees_with_the_sum_over_all_pairs() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(14, 5)), rng.normal(0.4, 1.3, size=(9, 5))
    for width in (0.5, 2.0, 7.0):
        assert mmd.squared(a, b, width=width) == pytest.approx(slowly(a, b, width), abs=1e-9)
    joined = np.concatenate([a, b])
    apart = [np.linalg.norm(x - y) for x, y in itertools.combinations(joined, 2)]
    assert mmd.median_distance(joined) == pytest.approx(np.median(apart), rel=1e-6)
    assert mmd.squared(a, b) == pytest.approx(slowly(a, b, float(np.median(apart))), abs=1e-6)


def test_gaussians_whose_discrepancy_is_known() -> None:
    d, shift, s, width = 3, 0.8, 1.5, 2.0

    def mean_kernel(variance: float, apart: float) -> float:
        total = width**2 + variance
        return float((width**2 / total) ** (d / 2) * np.exp(-apart / (2 * total)))

    wanted = mean_kernel(2, 0) + mean_kernel(2 * s**2, 0) - 2 * mean_kernel(1 + s**2, d * shift**2)
    rng = np.random.default_rng(0)
    found = [
        mmd.squared(rng.normal(size=(400, d)), rng.normal(shift, s, size=(500, d)), width=width) for _ in range(12)
    ]
    assert np.mean(found) == pytest.approx(wanted, abs=4 * np.std(found) / np.sqrt(12))


def test_symmetry_and_what_does_not_change_it() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(40, 6)), rng.normal(0.5, 1, size=(30, 6))
    turn = linalg.qr(rng.normal(size=(6, 6)))[0]
    found = mmd.squared(a, b)
    assert mmd.squared(b, a) == pytest.approx(found)
    assert mmd.squared(7 * a @ turn - 2, 7 * b @ turn - 2) == pytest.approx(found)


def test_draws_of_one_distribution_exceed_the_noise_level_in_one_case_of_twenty() -> None:
    rng = np.random.default_rng(5)
    found = [mmd.test(rng.normal(size=(30, 4)), rng.normal(size=(25, 4)), seed=i, permutations=200) for i in range(200)]
    over = np.mean([each.value > each.noise for each in found])
    assert 0.01 <= over <= 0.10
    assert np.mean([each.p <= 0.5 for each in found]) == pytest.approx(0.5, abs=0.12)
    assert abs(np.mean([each.value for each in found])) < 0.005


def test_a_shift_is_seen() -> None:
    rng = np.random.default_rng(6)
    found = mmd.test(rng.normal(size=(60, 4)), rng.normal(1, 1, size=(60, 4)))
    assert found.value > 3 * found.noise and found.p < 0.01
    assert found.width == pytest.approx(2.8, abs=0.4)


def test_features_that_do_not_vary() -> None:
    found = mmd.test(np.ones((5, 3)), np.ones((6, 3)))
    assert found.value == pytest.approx(0) and found.p == 1 and found.width == 1


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="do not fit"):
        mmd.squared(np.ones((5, 3)), np.ones((5, 4)))
    with pytest.raises(DataError, match="do not fit"):
        mmd.squared(np.ones((1, 3)), np.ones((5, 3)))
