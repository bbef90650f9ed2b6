"""The proxy A-distance: nothing for equal sets, two for sets apart, and what a known overlap makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from headstart.base.errors import DataError
from headstart.measure import proxy_distance


def drawn(shift: float, n: int = 400, m: int = 400, d: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + shift * np.eye(d)[0]


def test_equal_sets_are_near_nothing_also_with_more_features_than_items() -> None:
    found = [proxy_distance.measure(*drawn(0, 60, 60, 200, seed), seed=seed).distance.low for seed in range(20)]
    assert sum(each > 0 for each in found) <= 2


def test_an_overlap_that_is_known() -> None:
    # The best classifier of two unit Gaussians 2 apart is wrong for Phi(-1) of the items.
    wanted = 2 * (1 - 2 * stats.norm.cdf(-1))
    found = proxy_distance.measure(*drawn(2, 3000, 3000))
    assert found.distance.low <= wanted <= found.distance.high
    assert found.distance.value == pytest.approx(wanted, abs=0.06)
    assert not found.saturated and found.error == pytest.approx(stats.norm.cdf(-1), abs=0.02)


def test_sets_apart_saturate() -> None:
    found = proxy_distance.measure(*drawn(12))
    assert found.distance.value == pytest.approx(2) and found.saturated and found.distance.low > 1.9


def test_uneven_sets_weigh_the_same() -> None:
    even, uneven = (proxy_distance.measure(*drawn(2, n, m)) for n, m in ((1500, 1500), (300, 2700)))
    assert uneven.distance.value == pytest.approx(even.distance.value, abs=0.15)
    assert proxy_distance.measure(*drawn(0, 20, 2000)).distance.low == 0


def test_the_order_of_the_sets_and_the_unit_do_not_matter() -> None:
    a, b = drawn(1)
    found = proxy_distance.measure(a, b).distance.value
    assert proxy_distance.measure(b, a).distance.value == pytest.approx(found, abs=0.1)
    assert proxy_distance.measure(50 * a + 3, 50 * b + 3).distance.value == pytest.approx(found)


def test_worse_than_guessing_counts_as_nothing() -> None:
    same = np.random.default_rng(1).normal(size=(50, 3))
    assert proxy_distance.measure(same, same).distance.value == 0
    assert proxy_distance.measure(np.ones((9, 2)), np.ones((9, 2))).distance.low == 0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="do not fit"):
        proxy_distance.measure(np.ones((9, 3)), np.ones((9, 4)))
