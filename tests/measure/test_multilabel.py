"""The scores of several answers an item are scikit-learn's, under any weighting of the items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from headstart.base.errors import DataError
from headstart.measure import intervals
from headstart.measure.multilabel import METRICS
from tests.measure.drawing import answers


def mean_over_labels(p: np.ndarray, y: np.ndarray) -> float:
    there = y.sum(axis=0) > 0
    return float(metrics.average_precision_score(y[:, there], p[:, there], average="macro")) if there.any() else 0.0


def f1(p: np.ndarray, y: np.ndarray, average: str) -> float:
    said = p >= 0.5
    if average == "micro":
        return float(metrics.f1_score(y.ravel(), said.ravel(), zero_division=0))
    some = np.flatnonzero((said | (y > 0)).any(axis=0))
    return float(np.mean([metrics.f1_score(y[:, i], said[:, i], zero_division=0) for i in some] or [0]))


REFERENCE = {
    "log_loss": lambda p, y: np.mean([metrics.log_loss(y[:, i], p[:, i], labels=[0, 1]) for i in range(y.shape[1])]),
    "mean_average_precision": mean_over_labels,
    "f1_micro": lambda p, y: f1(p, y, "micro"),
    "f1_macro": lambda p, y: f1(p, y, "macro"),
    "subset_accuracy": lambda p, y: metrics.accuracy_score(y, p >= 0.5),
    "hamming_loss": lambda p, y: metrics.hamming_loss(y, p >= 0.5),
}

problems = st.tuples(st.integers(2, 40), st.integers(2, 6), st.floats(-1, 3), st.integers(0, 10_000))


def test_every_score_has_a_reference() -> None:
    assert set(REFERENCE) == set(METRICS)


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None)
@given(problem=problems)
def test_equals_scikit_learn(name: str, problem: tuple[int, int, float, int]) -> None:
    p, y = answers(problem[0], problem[1], skill=problem[2], seed=problem[3])
    assert METRICS[name].score(p, y) == pytest.approx(REFERENCE[name](p, y), abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None)
@given(problem=problems)
def test_an_item_drawn_twice_counts_as_two_items(name: str, problem: tuple[int, int, float, int]) -> None:
    n, labels, skill, seed = problem
    p, y = answers(n, labels, skill=skill, seed=seed)
    drawn = np.random.default_rng(seed).integers(0, n, n)
    counts = np.bincount(drawn, minlength=n).astype(float)[None]
    assert METRICS[name].prepare(p, y)(counts)[0] == pytest.approx(METRICS[name].score(p[drawn], y[drawn]), abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_the_interval_holds_its_score_and_more_skill_is_a_gain(name: str) -> None:
    better, y = answers(150, 4, skill=2.0, seed=1)
    worse, _ = answers(150, 4, skill=0.5, seed=1)
    found = intervals.bootstrap(METRICS[name], better, y)
    assert found.low < found.value < found.high
    gain = intervals.gain(METRICS[name], better, worse, y)
    assert 0 < gain.low < gain.value < gain.high
    lost = intervals.gain(METRICS[name], worse, better, y)
    assert lost.value == pytest.approx(-gain.value)


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"log_loss"}))
def test_all_right_is_no_certainty(name: str) -> None:
    y = answers(40, 3)[1]
    found = intervals.bootstrap(METRICS[name], y.astype(float), y)
    assert found.high - found.low > 0.03


@pytest.mark.parametrize("truths", [[[0, 2]], [[0, 1, 1]], [0, 1]])
def test_truths_that_do_not_fit_are_refused(truths: list[object]) -> None:
    with pytest.raises(DataError, match="Targets"):
        METRICS["log_loss"].score([[0.5, 0.5]], truths)
