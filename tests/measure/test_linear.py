"""Folding a standardisation changes nothing but the features it wants."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from headstart.base.errors import DataError
from headstart.measure.linear import Linear, standardisation
from tests.measure.drawing import clouds


def test_a_folded_scaling_gives_the_same_outputs_on_raw_features() -> None:
    x, _ = clouds(20, 6, 3)
    scaling = standardisation(x)
    linear = Linear(np.random.default_rng(0).normal(size=(3, 6)), np.arange(3.0))
    assert linear.folded(scaling).outputs(x) == pytest.approx(linear.outputs(scaling.apply(x)))


def test_scaling_the_logits() -> None:
    linear = Linear(np.eye(2), np.array([1.0, 2.0]))
    assert linear.scaled(3, np.array([1.0, 0.0])).outputs([[1.0, 1.0]]) == pytest.approx(np.array([[7.0, 9.0]]))


def test_probabilities_sum_to_one() -> None:
    x, _ = clouds(20, 6, 3)
    assert Linear(np.ones((3, 6)), np.arange(3.0)).probabilities(x).sum(axis=1) == pytest.approx(np.ones(20))


def test_standardised_features_have_mean_0_and_variance_1() -> None:
    x, _ = clouds(50, 4, 2)
    z = standardisation(x, floor=1e-6).apply(x)
    assert z.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert z.std(axis=0) == pytest.approx(np.ones(4))


def test_an_almost_constant_feature_is_not_blown_up() -> None:
    x, _ = clouds(50, 4, 2)
    x[:, 0] = 5.0
    x[0, 0] = 5.001
    z = standardisation(x, floor=0.1).apply(x)
    assert np.abs(z[:, 0]).max() < 0.02


def test_features_that_do_not_vary_keep_their_scale() -> None:
    z = standardisation(np.full((4, 2), 7.0)).apply(np.full((4, 2), 8.0))
    assert z == pytest.approx(np.ones((4, 2)))


@pytest.mark.parametrize(
    ("given", "kept"), [(np.float32, np.float32), (np.uint8, np.float64), (np.float64, np.float64)]
)
def test_floating_types_are_kept(given: type, kept: type) -> None:
    x = np.arange(12).reshape(4, 3).astype(given)
    assert standardisation(x).apply(x).dtype == kept


def test_features_must_be_finite() -> None:
    with pytest.raises(DataError, match="finite"):
        standardisation([[1.0, np.nan]])


def test_a_weighted_standardisation_is_scikit_learns() -> None:
    x, _ = clouds(50, 4, 2)
    weights = np.random.default_rng(0).uniform(0, 3, 50)
    known = StandardScaler().fit(x, sample_weight=weights)
    assert standardisation(x, weights=weights).apply(x) == pytest.approx(known.transform(x))
