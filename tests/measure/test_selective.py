"""Risk and coverage against their definition, closed forms for what is known, and a real classifier."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from headstart.base.errors import DataError
from headstart.measure import ridge, selective


def by_definition(sure, loss, draws):
    """Mean curve over random orders of what is equally sure."""
    curves = []
    for number in range(draws):
        shuffled = np.random.default_rng(number).permutation(len(sure))
        order = shuffled[np.argsort(-sure[shuffled], kind="stable")]
        curves.append(np.cumsum(loss[order]) / np.arange(1, len(sure) + 1))
    return np.mean(curves, axis=0)


def test_a_curve_by_hand():
    found = selective.risk_coverage([0.9, 0.8, 0.6, 0.7], [0, 1, 1, 0])
    np.testing.assert_allclose(found.coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found.risk, [0, 1 / 2, 1 / 3, 1 / 2])
    np.testing.assert_allclose(found.ideal, [0, 0, 1 / 3, 1 / 2])
    assert found.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert found.excess == pytest.approx(1 / 8)
    assert (found.at(0.5), found.at(0.51), found.at(1.0)) == (pytest.approx(0.5), pytest.approx(1 / 3), 0.5)
    assert found.within(0.4) == 0.75 and found.within(0.0) == 0.25 and found.within(-1) == 0


def test_ties_are_the_mean_over_their_orders():
    draw = np.random.default_rng(0)
    sure, loss = draw.integers(0, 4, 12).astype(float), draw.random(12)
    np.testing.assert_allclose(selective.risk_coverage(sure, loss).risk, by_definition(sure, loss, 4000), atol=0.02)


@given(seed=st.integers(0, 1000), n=st.integers(1, 60))
def test_no_order_beats_the_ideal_and_only_the_order_counts(seed, n):
    draw = np.random.default_rng(seed)
    sure, loss = draw.random(n), draw.random(n)
    found = selective.risk_coverage(sure, loss)
    assert found.excess >= -1e-12 and (found.risk >= found.ideal - 1e-12).all()
    assert found.risk[-1] == pytest.approx(loss.mean())
    np.testing.assert_allclose(selective.risk_coverage(np.exp(3 * sure), loss).risk, found.risk)
    assert selective.risk_coverage(-loss, loss).excess == pytest.approx(0, abs=1e-12)


def test_a_confidence_that_says_nothing_has_the_whole_risk():
    assert selective.risk_coverage(np.ones(50), np.arange(50) < 10).area == pytest.approx(0.2)


def test_the_ideal_area_of_errors_is_the_papers():
    """Geifman, Uziel and El-Yaniv 2019, equation 4: r + (1 - r) ln(1 - r), for many items."""
    rate = 0.15
    found = selective.risk_coverage(np.zeros(100_000), np.arange(100_000) < rate * 100_000)
    assert found.area - found.excess == pytest.approx(rate + (1 - rate) * math.log(1 - rate), abs=1e-4)


def test_a_real_classifier_errs_where_it_is_unsure():
    X, y = load_digits(return_X_y=True)
    p = ridge.classify(X, y, classes=10).probabilities
    found = selective.risk_coverage(p.max(axis=1), p.argmax(axis=1) != y)
    assert found.area < 0.25 * found.risk[-1]
    assert found.at(0.8) < 0.3 * found.risk[-1]


def test_plain_data_are_short_and_keep_the_ends():
    data = json.loads(json.dumps(selective.risk_coverage(np.arange(5000), np.arange(5000) % 7 == 0).as_dict()))
    assert len(data["coverage"]) == len(data["risk"]) == len(data["ideal"]) == 200
    assert data["coverage"][0] == 1 / 5000 and data["coverage"][-1] == 1


@pytest.mark.parametrize(("sure", "loss"), [([], []), ([1.0], [0, 1]), ([np.nan], [1])])
def test_what_does_not_fit_is_refused(sure, loss):
    with pytest.raises(DataError):
        selective.risk_coverage(sure, loss)
    with pytest.raises(DataError, match="coverage"):
        selective.risk_coverage([1.0], [0]).at(0)
