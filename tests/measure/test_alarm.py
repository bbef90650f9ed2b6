"""Lines over held-out values: the rate they promise, how sure it is, and what a few values cannot say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from headstart.base.errors import DataError
from headstart.measure import alarm


def test_the_line_is_the_conformal_quantile() -> None:
    found = alarm.line(np.arange(99.0, -1, -1), 0.05, loosest=0.1)
    assert found is not None and found.at == 95.0 and found.items == 100
    assert found.rate.value == pytest.approx(1 - 96 / 101) and found.rate.value <= 0.05


def test_exactly_enough_items_for_a_rate() -> None:
    """With 99 held-out items the largest is the line of one in a hundred, with 98 of one in 99."""
    for m, rate in ((99, 1 / 100), (98, 1 / 99), (9, 1 / 10)):
        found = alarm.line(np.arange(m), 0.01, loosest=0.1)
        assert found is not None and found.at == m - 1 and found.rate.value == pytest.approx(rate)
    for m in (8, 1, 0):
        assert alarm.line(np.arange(m), 0.01, loosest=0.1) is None


@pytest.mark.parametrize(("m", "rate"), [(9, 0.1), (60, 0.05), (400, 0.01)])
def test_fresh_items_cross_it_as_often_as_promised(m: int, rate: float) -> None:
    """On average over lines; and the rate of a single line lies in its interval in 95 of 100."""
    rng = np.random.default_rng(m)
    rates, inside = [], 0
    for _ in range(2000):
        found = alarm.line(rng.exponential(size=m), rate, loosest=0.1)
        assert found is not None
        true = math.exp(-found.at)
        rates.append(true)
        inside += found.rate.low <= true <= found.rate.high
    assert np.mean(rates) == pytest.approx(found.rate.value, rel=0.08) and found.rate.value <= rate + 1e-12
    assert abs(inside / 2000 - 0.95) < 0.02


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.floats(0.001, 0.4))
def test_no_more_held_out_items_lie_above_it_than_the_rate_allows(values: list[float], rate: float) -> None:
    found = alarm.line(values, rate, loosest=0.1)
    if found is None:
        assert 1 / (len(values) + 1) > max(rate, 0.1) - 1e-9
        return
    assert found.at in values and np.mean(np.array(values) > found.at) <= found.rate.value + 1 / len(values)
    assert 0 <= found.rate.low <= found.rate.value <= 1 and found.rate.value <= found.rate.high


def test_impossible_rates_and_values_are_refused() -> None:
    for rate in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(DataError, match="rate"):
            alarm.line([1.0], rate, loosest=0.1)
    with pytest.raises(DataError):
        alarm.line([1.0, float("nan")], 0.5, loosest=0.5)


def test_separation_is_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(0)
    familiar, strange = rng.integers(0, 9, 60).astype(float), rng.integers(3, 12, 40).astype(float)
    wanted = roc_auc_score(np.repeat([0, 1], [60, 40]), np.concatenate([familiar, strange]))
    assert alarm.separation(familiar, strange) == pytest.approx(wanted)
    assert alarm.separation(strange, familiar) == pytest.approx(1 - wanted)


def test_false_alarms_at_95_percent() -> None:
    strange = np.arange(100.0)
    assert alarm.false_alarms(np.array([4.9, 5.0, 5.1, 200.0]), strange) == 0.75
    assert alarm.false_alarms(strange, strange + 1000) == 0.0 and alarm.false_alarms(strange, strange - 1000) == 1.0
