"""The temperature is the one that a general optimiser finds, and follows the logits' scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from headstart.base.errors import DataError
from headstart.measure import calibration, scores


def drawn(n: int, classes: int, heat: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax at temperature ``heat`` is the truth that the labels are drawn from."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    p = calibration.softmax(logits)
    y = np.array([rng.choice(classes, p=row) for row in p])
    return logits * heat, y


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6), st.floats(-1e3, 1e3))
def test_softmax_sums_to_one_and_ignores_a_shift(row: list[float], shift: float) -> None:
    logits = np.array([row])
    p = calibration.softmax(logits)
    assert p.sum() == pytest.approx(1)
    assert calibration.softmax(logits + shift) == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize("heat", [0.2, 1.0, 7.0])
def test_the_true_temperature_is_recovered(heat: float) -> None:
    logits, y = drawn(5000, 4, heat, seed=0)
    assert calibration.temperature(logits, y) == pytest.approx(heat, rel=0.06)


@given(n=st.integers(5, 60), classes=st.integers(2, 5), seed=st.integers(0, 500))
def test_a_general_optimiser_agrees(n: int, classes: int, seed: int) -> None:
    logits, y = drawn(n, classes, 1.0, seed)
    targets = np.full((n, classes), 1 / (n + 1) / classes)
    targets[np.arange(n), y] += n / (n + 1)

    def loss(log_heat: float) -> float:
        return float(-(targets * np.log(calibration.softmax(logits / np.exp(log_heat)))).sum())

    known = optimize.minimize_scalar(
        loss, bounds=(np.log(0.01), np.log(500)), method="bounded", options={"xatol": 1e-9}
    )
    assert loss(np.log(calibration.temperature(logits, y))) <= known.fun + 1e-6


@given(factor=st.floats(1e-3, 1e3), seed=st.integers(0, 100))
def test_the_temperature_follows_the_scale_of_the_logits(factor: float, seed: int) -> None:
    logits, y = drawn(60, 3, 1.0, seed)
    assert calibration.temperature(logits * factor, y) == pytest.approx(factor * calibration.temperature(logits, y))


def test_it_never_raises_the_loss_of_over_confident_logits() -> None:
    logits, y = drawn(300, 4, 10.0, seed=1)
    before = scores.score("log_loss", calibration.softmax(logits), y)
    after = scores.score("log_loss", calibration.softmax(logits / calibration.temperature(logits, y)), y)
    assert after < before


def test_perfect_separation_keeps_a_doubt() -> None:
    y = np.arange(50) % 2
    p = calibration.softmax(np.eye(2)[y] / calibration.temperature(np.eye(2)[y], y))
    assert p.max() == pytest.approx(1 - 0.5 / 51, abs=1e-6)


def test_wrong_logits_end_in_even_probabilities() -> None:
    y = np.arange(50) % 2
    wrong = np.eye(2)[1 - y]
    assert calibration.softmax(wrong / calibration.temperature(wrong, y)) == pytest.approx(
        np.full((50, 2), 0.5), abs=2e-3
    )


def test_logits_that_say_nothing_leave_the_offset() -> None:
    rng = np.random.default_rng(0)
    logits, y = rng.normal(size=(400, 2)), np.repeat([0, 1], [320, 80])
    offset = np.log([0.8, 0.2])
    heat = calibration.temperature(logits, y, offset=offset)
    assert calibration.softmax(offset + logits / heat).mean(axis=0) == pytest.approx([0.8, 0.2], abs=0.02)


def test_constant_logits_have_temperature_one() -> None:
    assert calibration.temperature(np.ones((4, 3)), [0, 1, 2, 0]) == 1


def test_weights_count_as_copies() -> None:
    logits, y = drawn(40, 3, 1.0, seed=3)
    weights = np.random.default_rng(0).integers(0, 3, 40)
    n = int(weights.sum())
    copies = calibration.temperature(np.repeat(logits, weights, axis=0), np.repeat(y, weights))
    # The smoothing follows the number of rows, which differs a little.
    assert n != 40
    assert calibration.temperature(logits, y, weights=weights) == pytest.approx(copies, rel=0.05)


def test_logits_and_targets_must_fit() -> None:
    with pytest.raises(DataError, match="Targets"):
        calibration.temperature(np.ones((4, 3)), [0, 1, 2])


def test_reliability_agrees_with_the_calibration_error() -> None:
    logits, y = drawn(500, 4, 3.0, seed=2)
    p = calibration.softmax(logits)
    found = calibration.reliability(p, y)
    assert found.error == pytest.approx(scores.score("calibration_error", p, y))
    assert found.count.sum() == 500
    assert len(found.edges) == 16
    assert np.isnan(found.accuracy[found.count == 0]).all()


def test_the_temperature_of_answers_undoes_a_scale() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(400, 5)) * 2
    y = rng.random((400, 5)) < calibration.sigmoid(truth)
    assert calibration.sigmoid_temperature(5 * truth, y) == pytest.approx(5, rel=0.15)
    heat = calibration.sigmoid_temperature(truth, y)

    def loss(t: float) -> float:
        p = calibration.sigmoid(truth / t)
        return float(-np.log(np.where(y, p, 1 - p)).mean())

    assert loss(heat) <= min(loss(heat * 1.05), loss(heat / 1.05)) + 1e-6


def test_few_items_draw_a_temperature_towards_one() -> None:
    assert calibration.towards_one(4.0, 0) == 1.0 and calibration.towards_one(1.0, 3) == 1.0
    assert calibration.towards_one(4.0, 10) == pytest.approx(2.0)
    assert calibration.towards_one(4.0, 10_000) == pytest.approx(4.0, rel=0.01)
    assert calibration.towards_one(0.25, 10) * calibration.towards_one(4.0, 10) == pytest.approx(1.0)


def test_on_a_handful_of_items_that_is_a_better_guess() -> None:
    """Logits that are calibrated as they are, ten items to learn it from: the log loss of fresh ones."""
    rng = np.random.default_rng(0)

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        logits = 4 * rng.normal(size=(n, 10))
        return logits, np.array([rng.choice(10, p=row) for row in calibration.softmax(logits)])

    fresh, truth = drawn(1000)
    losses = []
    for _ in range(60):
        few, y = drawn(10)
        heat = calibration.temperature(few, y)
        pair = heat, calibration.towards_one(heat, 10)
        losses.append([-np.log(calibration.softmax(fresh / each)[np.arange(1000), truth]).mean() for each in pair])
    fitted, drawn_in = np.mean(losses, axis=0)
    assert drawn_in < fitted - 0.03
