"""The learning curve over labels of a run: leak-free, in every task, and honest where it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.choose import more_labels
from headstart.tasks import classification, multilabel, regression


def features(n: int, seed: int = 0, d: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def classes(x: np.ndarray, noise: float = 1.0) -> np.ndarray:
    planted = np.random.default_rng(9).normal(size=(x.shape[1], 4))
    return (x @ planted + noise * np.random.default_rng(1).normal(size=(len(x), 4))).argmax(axis=1)


FOUR = classification.learn(["a", "b", "c", "d"])


@pytest.mark.parametrize("seed", range(3))
def test_the_doubling_is_foretold_on_data_whose_rest_is_known(seed: int) -> None:
    n, x = 240, features(9000, seed)
    y, metric = classes(x), FOUR.metric("accuracy")

    def error(k: int) -> float:
        found = []
        for start in range(0, 8 * k, k):
            linear = FOUR.quick(x[start : start + k], y[start : start + k])
            found.append(1 - metric.score(FOUR.predictions(linear.outputs(x[4000:])), y[4000:]))
        return float(np.mean(found))

    curve = more_labels.measure(x[:n], y[:n], FOUR, metric, seed=seed)
    assert curve.sizes.tolist() == sorted(curve.sizes.tolist(), reverse=True) and curve.sizes[0] == 192
    laws = curve.laws(seed)
    assert laws.at(2 * n).low <= error(2 * n) <= laws.at(2 * n).high
    assert laws.gain(n).low - 0.01 <= error(n) - error(2 * n) <= laws.gain(n).high + 0.01


def test_labels_at_random_gain_nothing_and_score_as_guessing_does() -> None:
    x, y = features(300), np.random.default_rng(3).integers(0, 4, 300)
    curve = more_labels.measure(x, y, FOUR, FOUR.metric("accuracy"))
    assert curve.errors.min() > 0.68
    assert curve.laws(0).gain(300).high < 0.1


def test_copies_are_held_out_together() -> None:
    x, y = features(60), np.random.default_rng(3).integers(0, 4, 60)
    x, y, units = np.tile(x, (4, 1)), np.tile(y, 4), np.tile(np.arange(60), 4)
    leaking = more_labels.measure(x, y, FOUR, FOUR.metric("accuracy"))
    tied = more_labels.measure(x, y, FOUR, FOUR.metric("accuracy"), units=units)
    assert leaking.errors[0] < 0.5 < 0.65 < tied.errors[0]


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_other_tasks_have_curves_of_their_own_score(kind: str) -> None:
    x = features(200)
    if kind == "regression":
        y = 100 + 10 * (x[:, 0] - x[:, 1]) + np.random.default_rng(2).normal(0, 5, 200)
        task, name = regression.learn(list(y), name="weight").fitted(y), "rmse"
    else:
        y = np.stack([x[:, 0] > 0, x[:, 1] + x[:, 2] > 0.5], axis=1).astype(np.float32)
        task, name = multilabel.learn([("dark", "wet")]), "mean_average_precision"
    curve = more_labels.measure(x, y, task, task.metric(name))
    assert curve.errors[0] < curve.errors[-1], "more labels, less error"
    if kind == "regression":
        assert 4.5 < curve.errors[0] < 8, "in the target's own unit"
    again = more_labels.measure(x, y, task, task.metric(name))
    assert np.array_equal(again.replicates, curve.replicates)


def test_no_error_at_all_is_not_certainly_none() -> None:
    x = features(120)
    y = (x[:, 0] > 0).astype(int)
    x[:, 0] *= 100
    two = classification.learn(["no", "yes"])
    curve = more_labels.measure(x, y, two, two.metric("accuracy"))
    assert curve.laws(0).at(120).high > 0.003
