"""Reliability curves: counted by hand and by scikit-learn, true to a calibrated model and to one that is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from headstart.base.errors import DataError
from headstart.measure import reliability
from headstart.measure.intervals import wilson


def test_bins_by_hand():
    found = reliability.curve([0.1, 0.2, 0.9, 0.8, 0.5, 0.6], [0, 1, 1, 1, 0, 1], bins=3)
    assert found.count.tolist() == [2, 2, 2]
    assert found.low.tolist() == [0.1, 0.5, 0.8] and found.high.tolist() == [0.2, 0.6, 0.9]
    np.testing.assert_allclose(found.confidence, [0.15, 0.55, 0.85])
    assert found.share == (wilson(1, 2), wilson(1, 2), wilson(2, 2))
    assert found.error == pytest.approx((0.35 + 0.05 + 0.15) / 3)


@given(seed=st.integers(0, 1000), bins=st.integers(1, 12))
def test_quantile_bins_of_scikit_learn_agree(seed, bins):
    """Where its bins hold equally many items, which is when their number divides that of the items."""
    draw = np.random.default_rng(seed)
    p = draw.random(bins * 7)
    y = draw.random(len(p)) < p
    found = reliability.curve(p, y, bins=bins)
    share, confidence = calibration_curve(y, p, n_bins=bins, strategy="quantile")
    assert found.count.tolist() == [7] * bins
    np.testing.assert_allclose(found.confidence, confidence)
    np.testing.assert_allclose([each.value for each in found.share], share)


@given(seed=st.integers(0, 1000), n=st.integers(1, 80), levels=st.integers(1, 10), bins=st.integers(1, 12))
def test_equal_confidences_stay_together_and_nothing_is_lost(seed, n, levels, bins):
    draw = np.random.default_rng(seed)
    p, y = draw.integers(0, levels, n) / levels, draw.random(n) < 0.5
    found = reliability.curve(p, y, bins=bins)
    assert found.count.sum() == n and (found.count > 0).all() and len(found.count) <= bins
    assert (found.high[:-1] < found.low[1:]).all()
    assert found.confidence @ found.count == pytest.approx(p.sum())
    assert sum(each.value * size for each, size in zip(found.share, found.count, strict=True)) == pytest.approx(y.sum())


def test_a_calibrated_model_lies_in_its_intervals_and_a_boastful_one_does_not():
    draw = np.random.default_rng(0)
    p = draw.random(4000)
    y = draw.random(4000) < p
    true, boastful = reliability.curve(p, y), reliability.curve(np.sqrt(p), y)
    inside = [each.low <= mean <= each.high for each, mean in zip(true.share, true.confidence, strict=True)]
    assert sum(inside) >= 8 and true.error < 0.03
    assert sum(each.high < mean for each, mean in zip(boastful.share, boastful.confidence, strict=True)) >= 8
    assert boastful.error == pytest.approx(2 / 3 - 1 / 2, abs=0.03), "the mean of sqrt(p) - p"


def test_few_items_get_few_bins():
    assert len(reliability.curve([0.4, 0.9], [1, 0]).count) == 1
    assert len(reliability.curve(np.linspace(0, 1, 60), np.ones(60)).count) == 3
    assert len(reliability.curve(np.linspace(0, 1, 5000), np.ones(5000)).count) == 10


@pytest.mark.parametrize(("p", "y"), [([], []), ([0.5], [1, 0]), ([1.5], [1]), ([np.nan], [1])])
def test_what_is_no_confidence_is_refused(p, y):
    with pytest.raises(DataError):
        reliability.curve(p, y)


def test_the_error_has_an_interval_that_chance_alone_does_not_fill():
    rng = np.random.default_rng(0)
    stated = rng.uniform(0.5, 1, 300)
    right = reliability.curve(stated, rng.random(300) < stated).interval
    boastful = reliability.curve(stated, rng.random(300) < stated - 0.3).interval
    assert right.low < 0.01 < right.value <= right.high
    assert boastful.low > 0.15 and boastful.low <= boastful.value <= boastful.high
    assert reliability.curve(stated, right.value > stated).as_dict()["interval"]["low"] >= 0
    alone = reliability.curve([0.9], [True]).interval
    assert 0 <= alone.low <= alone.value <= alone.high
    again = (
        reliability.curve(stated, rng.random(300) < 2, seed=3),
        reliability.curve(stated, rng.random(300) < 2, seed=3),
    )
    assert again[0].interval == again[1].interval
