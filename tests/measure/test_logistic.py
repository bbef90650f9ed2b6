"""The logistic regression is scikit-learn's, penalty for penalty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.base.errors import DataError
from headstart.measure import calibration, logistic, scores
from headstart.measure.folds import stratified
from headstart.measure.linear import standardisation
from tests.measure.drawing import clouds

SHAPES = [(60, 10, 3), (30, 80, 4), (40, 100, 2), (200, 20, 2), (25, 25, 5)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_equals_scikit_learn(shape: tuple[int, int, int], penalty: float) -> None:
    n, d, classes = shape
    x, y = clouds(n, d, classes, apart=0.4)
    new = clouds(50, d, classes, apart=0.4, seed=1)[0]
    known = LogisticRegression(C=penalty, tol=1e-8, max_iter=100_000).fit(x, y)
    found = logistic.fit(x, y, classes=classes, penalty=penalty)
    assert found.probabilities(x) == pytest.approx(known.predict_proba(x), abs=1e-4)
    assert found.probabilities(new) == pytest.approx(known.predict_proba(new), abs=1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_weights_equal_scikit_learn(classes: int) -> None:
    x, y = clouds(50, 8, classes, apart=0.4)
    weights, by_class = np.random.default_rng(0).uniform(0, 2, 50), np.linspace(1, 4, classes)
    known = LogisticRegression(C=0.5, tol=1e-8, max_iter=100_000, class_weight=dict(enumerate(by_class)))
    known.fit(x, y, sample_weight=weights)
    found = logistic.fit(x, y, classes=classes, penalty=0.5, class_weight=by_class, weights=weights)
    assert found.probabilities(x) == pytest.approx(known.predict_proba(x), abs=1e-4)


def test_standardising_is_folded_into_the_result() -> None:
    x, y = clouds(50, 8, 3)
    scaled = standardisation(x).apply(x)
    known = LogisticRegression(C=0.5, tol=1e-8, max_iter=100_000).fit(scaled, y).predict_proba(scaled)
    found = logistic.fit(x, y, classes=3, penalty=0.5, standardise=True)
    assert found.probabilities(x) == pytest.approx(known, abs=1e-4)


@given(n=st.integers(6, 40), d=st.integers(1, 50), classes=st.integers(2, 4), seed=st.integers(0, 1000))
@settings(max_examples=25)
def test_the_solution_is_where_the_gradient_vanishes(n: int, d: int, classes: int, seed: int) -> None:
    x, y = clouds(n, d, classes, apart=0.4, seed=seed)
    penalty, found = 2.0, logistic.fit(x, y, classes=classes, penalty=2.0)
    error = found.probabilities(x) - np.eye(classes)[y]
    factor = 1 if classes > 2 else 2
    assert error.sum(axis=0) == pytest.approx(np.zeros(classes), abs=1e-4)
    gradient = penalty * error.T @ (x - x.mean(axis=0)) + factor * found.weight
    assert np.abs(gradient).max() <= 1e-4 * np.abs(x - x.mean(axis=0)).sum()


def test_a_class_without_items_is_improbable_and_spoils_nothing() -> None:
    x, y = clouds(40, 6, 3)
    wide, narrow = (logistic.fit(x, y, classes=classes, penalty=1.0).probabilities(x) for classes in (5, 3))
    assert wide[:, 3:].max() < 0.05
    assert wide[:, :3] / wide[:, :3].sum(axis=1, keepdims=True) == pytest.approx(narrow, abs=1e-9)


def test_one_class_alone_is_certain_enough() -> None:
    found = logistic.fit(np.random.default_rng(0).normal(size=(9, 3)), np.zeros(9, dtype=int), classes=3, penalty=1.0)
    assert found.probabilities(np.zeros((1, 3)))[0] == pytest.approx([10 / 12, 1 / 12, 1 / 12])


def test_features_that_do_not_vary_give_the_class_shares() -> None:
    y = np.repeat([0, 1, 2], [6, 3, 1])
    found = logistic.fit(np.ones((10, 4)), y, classes=3, penalty=1.0, standardise=True)
    assert found.probabilities(np.ones((1, 4)))[0] == pytest.approx([0.6, 0.3, 0.1], abs=1e-4)


@pytest.mark.parametrize("penalty", [0.0, -1.0, np.nan, np.inf])
def test_a_penalty_must_be_positive(penalty: float) -> None:
    x, y = clouds(10, 3, 2)
    with pytest.raises(DataError, match="above 0"):
        logistic.fit(x, y, classes=2, penalty=penalty)


def test_the_search_equals_a_loop_over_folds_and_penalties() -> None:
    x, y = clouds(90, 12, 3, apart=0.5)
    folds, penalties = stratified(y), np.array([1e-3, 1e-2, 1e-1, 1.0])
    found = logistic.search(x, y, folds, classes=3, penalties=penalties, standardise=False, patience=9)
    losses = []
    for penalty in penalties:
        total = 0.0
        for train, held in folds:
            linear = logistic.fit(x[train], y[train], classes=3, penalty=penalty)
            total += scores.losses("log_loss", linear.probabilities(x[held]), y[held]).sum()
        losses.append(total / 90)
    assert found.log_losses == pytest.approx(np.array(losses), abs=1e-3)
    assert found.penalty == penalties[int(np.argmin(losses))]
    assert logistic.choose(x, y, folds, classes=3, penalties=penalties, standardise=False) == found.penalty


def test_held_out_outputs_come_from_fits_without_their_items() -> None:
    x, y = clouds(60, 100, 3, apart=0.0)
    found = logistic.search(x, y, classes=3)
    assert found.index.tolist() == list(range(60))
    accuracy = scores.score("accuracy", calibration.softmax(found.outputs), y)
    assert accuracy < 0.55
    assert found.log_losses.min() > np.log(3) - 0.05


def test_an_item_held_out_twice_counts_its_mean() -> None:
    x, y = clouds(40, 5, 2)
    folds = (*stratified(y, folds=4, seed=0), *stratified(y, folds=4, seed=1))
    penalties = [0.1]
    both = logistic.search(x, y, folds, classes=2, penalties=penalties)
    halves = [logistic.search(x, y, half, classes=2, penalties=penalties) for half in (folds[:4], folds[4:])]
    assert both.outputs == pytest.approx((halves[0].outputs + halves[1].outputs) / 2, abs=1e-6)


def test_the_search_returns_the_fit_to_all_items() -> None:
    x, y = clouds(60, 10, 3)
    found = logistic.search(x, y, classes=3)
    again = logistic.fit(x, y, classes=3, penalty=found.penalty, standardise=True)
    assert found.linear.probabilities(x) == pytest.approx(again.probabilities(x), abs=1e-4)


@given(factor=st.floats(1e-2, 1e2), seed=st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_the_default_penalties_follow_the_scale_of_the_features(factor: float, seed: int) -> None:
    x, y = clouds(40, 8, 2, seed=seed)
    one, other = (logistic.search(z, y, classes=2, standardise=False) for z in (x, x * factor))
    assert other.penalty == pytest.approx(one.penalty / factor**2)


def test_one_pair_of_training_and_held_out_items_is_enough() -> None:
    x, y = clouds(60, 10, 3)
    found = logistic.search(x, y, [(np.arange(40), np.arange(40, 60))], classes=3)
    assert found.index.tolist() == list(range(40, 60))
    assert found.outputs.shape == (20, 3)


def test_no_folds_are_refused() -> None:
    x, y = clouds(10, 3, 2)
    with pytest.raises(DataError, match="No folds"):
        logistic.search(x, y, [], classes=2)


@pytest.mark.slow
def test_many_classes_and_more_features_than_items() -> None:
    x, y = clouds(400, 600, 40, apart=0.4)
    known = LogisticRegression(C=0.1, tol=1e-8, max_iter=100_000).fit(x, y)
    assert logistic.fit(x, y, classes=40, penalty=0.1).probabilities(x) == pytest.approx(
        known.predict_proba(x), abs=1e-3
    )


def test_weighted_and_standardised_equals_scikit_learn() -> None:
    x, y = clouds(50, 8, 3, apart=0.4)
    weights = np.random.default_rng(0).uniform(0, 2, 50)
    known = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, tol=1e-8, max_iter=100_000))
    known.fit(x, y, standardscaler__sample_weight=weights, logisticregression__sample_weight=weights)
    found = logistic.fit(x, y, classes=3, penalty=0.5, weights=weights, standardise=True)
    assert found.probabilities(x) == pytest.approx(known.predict_proba(x), abs=1e-4)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (20, 30)])
def test_a_weight_of_two_is_an_item_given_twice(n: int, d: int) -> None:
    x, y = clouds(n, d, 3, apart=0.4)
    weights = np.random.default_rng(0).integers(1, 4, n)
    times = np.repeat(np.arange(n), weights)
    given = {"classes": 3, "penalty": 0.3, "standardise": True}
    weighted, repeated = logistic.fit(x, y, weights=weights, **given), logistic.fit(x[times], y[times], **given)
    assert weighted.probabilities(x) == pytest.approx(repeated.probabilities(x), abs=1e-5)
    index = np.arange(n) % 4
    folds = [(np.flatnonzero(index != k), np.flatnonzero(index == k)) for k in range(4)]
    copies = [(np.flatnonzero(index[times] != k), np.flatnonzero(index[times] == k)) for k in range(4)]
    one = logistic.search(x, y, folds, classes=3, weights=weights)
    other = logistic.search(x[times], y[times], copies, classes=3)
    assert one.penalties == pytest.approx(other.penalties)
    assert one.log_losses == pytest.approx(other.log_losses, abs=1e-3)


def test_a_search_wants_weights_above_0() -> None:
    x, y = clouds(20, 3, 2)
    with pytest.raises(DataError, match="leave these items out"):
        logistic.search(x, y, classes=2, weights=np.arange(20))


def several(n: int, d: int, labels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * np.linspace(0.3, 3, d) + 1
    logits = x @ rng.normal(size=(d, labels)) / np.sqrt(d) + rng.normal(size=labels)
    return x, (logits + rng.logistic(size=logits.shape) > 0).astype(int)


@pytest.mark.parametrize("shape", [(60, 5), (25, 40)])
def test_one_regression_for_each_label_equals_scikit_learn(shape: tuple[int, int]) -> None:
    x, y = several(*shape, 3)
    found, penalty = logistic.separate(x, y, penalty=0.7)
    assert penalty == 0.7
    scaled = standardisation(x).apply(x)
    for label in range(3):
        known = LogisticRegression(C=0.7, tol=1e-8, max_iter=5000).fit(scaled, y[:, label])
        assert found.outputs(x)[:, label] == pytest.approx(known.decision_function(scaled), abs=1e-3)


def test_the_shared_penalty_is_the_best_on_held_out_items() -> None:
    x, y = several(120, 30, 4, seed=2)
    _, penalty = logistic.separate(x, y, seed=1)

    def held_out(c: float) -> float:
        loss = 0.0
        for train, held in stratified(y, seed=1):
            scaled = standardisation(x).apply(x)
            for label in range(4):
                known = LogisticRegression(C=c, tol=1e-6, max_iter=5000).fit(scaled[train], y[train, label])
                loss += log_loss(y[held, label], known.predict_proba(scaled[held]), labels=[0, 1]) * len(held)
        return loss

    assert held_out(penalty) <= min(held_out(penalty * 3), held_out(penalty / 3)) + 1e-6


def test_a_label_that_all_or_none_have_is_its_intercept() -> None:
    x, y = several(50, 4, 3)
    y[:, 0], y[:, 2] = 0, 1
    found, _ = logistic.separate(x, y)
    assert not found.weight[[0, 2]].any()
    assert found.bias[0] < -3 and found.bias[2] > 3
