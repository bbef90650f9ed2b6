"""PRESS is what refitting without each item gives, and noise scores like noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge as Known
from sklearn.preprocessing import StandardScaler

from headstart.base.errors import DataError
from headstart.measure import ridge, scores
from tests.measure.drawing import clouds

SHAPES = [(20, 6), (12, 40), (15, 15), (40, 3)]


def refitted(x: np.ndarray, t: np.ndarray, penalty: float, weights: np.ndarray | None = None) -> np.ndarray:
    rows = np.arange(len(x))
    return np.concatenate(
        [
            Known(alpha=penalty, solver="svd")
            .fit(x[rows != i], t[rows != i], sample_weight=None if weights is None else weights[rows != i])
            .predict(x[[i]])
            for i in rows
        ]
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("relative", [1e-5, 1e-2, 1.0, 1e3])
def test_press_is_explicit_leave_one_out(shape: tuple[int, int], relative: float) -> None:
    x, y = clouds(*shape, 3)
    penalty = relative * np.square(x - x.mean(axis=0)).sum() / min(shape)
    found = ridge.fit(x, np.eye(3)[y], [penalty])
    assert found.loo == pytest.approx(refitted(x, np.eye(3)[y], penalty), abs=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_press_with_weights(shape: tuple[int, int]) -> None:
    x, y = clouds(*shape, 3)
    weights = np.random.default_rng(0).uniform(0.2, 3, shape[0])
    found = ridge.fit(x, np.eye(3)[y], [2.0], weights=weights)
    assert found.loo == pytest.approx(refitted(x, np.eye(3)[y], 2.0, weights), abs=1e-8)


@given(n=st.integers(4, 25), d=st.integers(1, 40), seed=st.integers(0, 10_000), power=st.floats(-4, 3))
@settings(max_examples=40)
def test_press_in_any_shape(n: int, d: int, seed: int, power: float) -> None:
    x, y = clouds(n, d, 2, seed=seed)
    penalty = 10**power * np.square(x - x.mean(axis=0)).sum() / min(n - 1, d)
    found = ridge.fit(x, y[:, None].astype(float), [penalty])
    assert found.loo[:, 0] == pytest.approx(refitted(x, y.astype(float), penalty), abs=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_coefficients_equal_scikit_learn(shape: tuple[int, int]) -> None:
    x, y = clouds(*shape, 3)
    found, known = ridge.fit(x, np.eye(3)[y], [0.7]), Known(alpha=0.7, solver="svd").fit(x, np.eye(3)[y])
    assert found.weight == pytest.approx(known.coef_, abs=1e-9)
    assert found.bias == pytest.approx(known.intercept_, abs=1e-9)
    assert found.linear.outputs(x) == pytest.approx(known.predict(x))


def test_the_penalty_with_the_lowest_error_is_taken() -> None:
    x, y = clouds(40, 60, 2, apart=0.3)
    t = np.eye(2)[y]
    found = ridge.fit(x, t)
    by_hand = [np.square(t - refitted(x, t, penalty)).mean() for penalty in found.penalties]
    assert found.errors == pytest.approx(np.array(by_hand))
    assert found.penalty == found.penalties[int(np.argmin(by_hand))]


@given(factor=st.floats(1e-3, 1e3), shift=st.floats(-100, 100), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_scale_and_shift_of_the_features_do_not_matter(factor: float, shift: float, seed: int) -> None:
    x, y = clouds(24, 10, 3, seed=seed)
    t = np.eye(3)[y]
    assert ridge.fit(x * factor + shift, t).loo == pytest.approx(ridge.fit(x, t).loo, abs=1e-6)


def test_a_rotation_of_the_features_does_not_matter() -> None:
    x, y = clouds(24, 10, 3)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 10)))[0]
    assert ridge.fit(x @ turn, np.eye(3)[y]).loo == pytest.approx(ridge.fit(x, np.eye(3)[y]).loo, abs=1e-9)


def test_float32_features_lose_little() -> None:
    x, y = clouds(300, 20, 3)
    exact, rough = ridge.classify(x, y, classes=3), ridge.classify(x.astype(np.float32), y, classes=3)
    assert rough.probabilities == pytest.approx(exact.probabilities, abs=1e-3)


@pytest.mark.parametrize(("n", "d"), [(60, 200), (60, 60), (120, 40)])
def test_noise_scores_like_noise(n: int, d: int) -> None:
    accuracy, loss = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        found = ridge.classify(rng.normal(size=(n, d)), np.arange(n) % 3, classes=3)
        accuracy.append(scores.score("accuracy", found.probabilities, np.arange(n) % 3))
        loss.append(found.log_losses.min())
    # The penalty is picked on the same items, which is worth a little; anything more would be a leak.
    assert np.mean(accuracy) <= 1 / 3 + 0.02
    assert np.mean(loss) >= np.log(3) - 0.02


def test_the_leave_one_out_loss_foretells_new_items() -> None:
    x, y = clouds(1100, 30, 3, apart=0.4, seed=4)
    found = ridge.classify(x[:100], y[:100], classes=3)
    new = scores.score("log_loss", found.linear.probabilities(x[100:]), y[100:])
    assert found.log_losses.min() == pytest.approx(new, abs=0.12)
    assert ridge.loo_log_loss(x[:100], y[:100], classes=3) == found.log_losses.min()


def test_probabilities_without_information_are_the_class_shares() -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    found = ridge.classify(np.random.default_rng(0).normal(size=(100, 4)), y, classes=3)
    assert found.linear.probabilities(np.zeros((1, 4)))[0] == pytest.approx([0.6, 0.3, 0.1], abs=0.03)


def test_class_weights_even_out_the_shares() -> None:
    y = np.repeat([0, 1], [80, 20])
    x = np.random.default_rng(0).normal(size=(100, 4))
    found = ridge.classify(x, y, classes=2, weights=np.where(y == 0, 0.625, 2.5))
    assert found.linear.probabilities(np.zeros((1, 4)))[0] == pytest.approx([0.5, 0.5], abs=0.05)


def test_separable_classes_keep_a_doubt_and_are_all_right() -> None:
    x, y = clouds(40, 10, 4, apart=10)
    found = ridge.classify(x, y, classes=4)
    assert scores.score("accuracy", found.probabilities, y) == 1
    assert 0.9 < found.probabilities.max(axis=1).mean() < 1


def test_a_class_without_items_is_improbable() -> None:
    x, y = clouds(40, 6, 3)
    found = ridge.classify(x, y, classes=5)
    assert found.linear.probabilities(x)[:, 3:].max() < 0.05


def test_features_that_do_not_vary_are_no_error() -> None:
    y = np.arange(12) % 3
    found = ridge.classify(np.ones((12, 4)), y, classes=3)
    assert found.linear.probabilities(np.ones((1, 4)))[0] == pytest.approx(np.full(3, 1 / 3))


@pytest.mark.parametrize("penalties", [[0.0], [-1.0, 1.0], [np.nan], []])
def test_a_penalty_must_be_positive(penalties: list[float]) -> None:
    x, y = clouds(10, 3, 2)
    with pytest.raises(DataError, match="positive"):
        ridge.fit(x, np.eye(2)[y], penalties)


def test_features_and_targets_must_be_as_many() -> None:
    with pytest.raises(DataError, match="differ in number"):
        ridge.fit(np.random.default_rng(0).normal(size=(5, 2)), np.ones((4, 1)))


def test_a_regression_is_scikit_learns_of_standardised_features() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 7)) * np.linspace(3, 9, 7) + 3
    y = x @ rng.normal(size=(7, 2)) + rng.normal(size=(40, 2))
    scaled = StandardScaler().fit_transform(x)
    found = ridge.regress(x, y, penalty=3.0)
    assert found.linear.outputs(x) == pytest.approx(Known(alpha=3.0).fit(scaled, y).predict(scaled), abs=1e-8)


def test_its_penalty_is_the_best_left_out_one() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, 60))
    y = x[:, :1] + 0.5 * rng.normal(size=(30, 1))
    found = ridge.regress(x, y)
    assert found.penalty == found.penalties[found.errors.argmin()]
    scaled = StandardScaler().fit_transform(x)
    assert found.loo == pytest.approx(refitted(scaled, y, found.penalty).reshape(-1, 1), abs=1e-6)
