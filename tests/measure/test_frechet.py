"""The Fréchet distance against closed forms, SciPy's matrix root, and what it must not change under."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

from headstart.base.errors import DataError
from headstart.measure import frechet
from headstart.measure.frechet import Moments


def slowly(a: Moments, b: Moments) -> float:
    root = linalg.sqrtm(a.covariance @ b.covariance)
    return float(np.square(a.mean - b.mean).sum() + np.trace(a.covariance + b.covariance - 2 * np.real(root)))


def some(seed: int, n: int = 60, d: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def test_gaussians_whose_distance_is_known() -> None:
    a = Moments(np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    b = Moments(np.array([1.0, 2.0, 2.0]), np.diag([4.0, 4.0, 1.0]))
    # Commuting covariances: |dm|^2 + sum (s1 - s2)^2.
    assert frechet.distance(a, b) == pytest.approx(9 + 1 + 0 + 4)
    assert frechet.distance(a, a) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_the_matrix_root(seed: int) -> None:
    a, b = Moments.of(some(seed)), Moments.of(some(seed + 50))
    assert frechet.distance(a, b) == pytest.approx(slowly(a, b), rel=1e-6)
    assert frechet.distance(a, b) == pytest.approx(frechet.distance(b, a), rel=1e-9)


@given(n=st.integers(1, 14), seed=st.integers(0, 1000))
def test_few_items_take_the_short_way_to_the_same_number(n: int, seed: int) -> None:
    source, items = Moments.of(some(seed)), some(seed + 1, n)
    wanted = frechet.distance(source, Moments.of(items))
    assert frechet.to_items(source, items) == pytest.approx(wanted, rel=1e-6, abs=1e-6 * source.variance)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100))
def test_a_rotation_a_shift_and_a_unit(seed: int, scale: float) -> None:
    a, b = some(seed), some(seed + 1)
    turn = linalg.qr(np.random.default_rng(seed).normal(size=(7, 7)))[0]
    found = frechet.distance(Moments.of(a), Moments.of(b))
    turned = frechet.distance(Moments.of(scale * a @ turn + 3), Moments.of(scale * b @ turn + 3))
    assert turned == pytest.approx(scale**2 * found, rel=1e-5)


def test_features_that_do_not_vary_and_dead_ones() -> None:
    source = Moments.of(np.zeros((5, 3)))
    assert frechet.to_items(source, np.ones((2, 3))) == pytest.approx(3)
    assert source.variance == 0


def test_few_items_are_far_by_themselves_and_ever_less_so() -> None:
    rng = np.random.default_rng(0)
    source = Moments(np.zeros(30), np.eye(30))
    far = [frechet.to_items(source, rng.normal(size=(n, 30))) for n in (10, 40, 160, 2000)]
    assert far == sorted(far, reverse=True) and far[0] > 10 * far[-1]


def test_other_networks_are_refused() -> None:
    with pytest.raises(DataError, match="differ in number"):
        frechet.to_items(Moments.of(some(0)), some(0, d=5))
