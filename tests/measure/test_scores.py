"""The scores are scikit-learn's, and behave as scores do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from headstart.base.errors import BadOption, DataError, UnknownName
from headstart.measure import scores
from tests.measure.drawing import guesses

REFERENCE = {
    "accuracy": lambda p, y: metrics.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda p, y: metrics.balanced_accuracy_score(y, p.argmax(1)),
    "f1_macro": lambda p, y: metrics.f1_score(y, p.argmax(1), average="macro", zero_division=0),
    "log_loss": lambda p, y: metrics.log_loss(y, p, labels=np.arange(p.shape[1])),
}

problems = st.tuples(st.integers(1, 60), st.integers(2, 7), st.floats(-1, 4), st.integers(0, 10_000))


@pytest.mark.parametrize("name", REFERENCE)
@given(problem=problems)
@pytest.mark.filterwarnings("ignore:y_pred contains classes:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label:UserWarning")
def test_equals_scikit_learn(name: str, problem: tuple[int, int, float, int]) -> None:
    n, classes, skill, seed = problem
    p, y = guesses(n, classes, skill=skill, seed=seed)
    assert scores.score(name, p, y) == pytest.approx(REFERENCE[name](p, y), abs=1e-9)


@pytest.mark.parametrize("name", scores.NAMES)
@given(problem=problems)
def test_order_of_items_and_names_of_classes_do_not_matter(name: str, problem: tuple[int, int, float, int]) -> None:
    n, classes, skill, seed = problem
    p, y = guesses(n, classes, skill=skill, seed=seed)
    rng = np.random.default_rng(seed)
    items, renamed = rng.permutation(n), rng.permutation(classes)
    q = np.empty_like(p)
    q[:, renamed] = p[items]
    assert scores.score(name, q, renamed[y[items]]) == pytest.approx(scores.score(name, p, y), abs=1e-12)


@pytest.mark.parametrize("name", scores.NAMES)
@given(problem=problems)
def test_bounds(name: str, problem: tuple[int, int, float, int]) -> None:
    p, y = guesses(problem[0], problem[1], skill=problem[2], seed=problem[3])
    value = scores.score(name, p, y)
    assert 0 <= value <= (16.2 if name == "log_loss" else 1)


@pytest.mark.parametrize("name", scores.NAMES)
def test_perfect_is_best(name: str) -> None:
    y = np.arange(12) % 3
    assert scores.score(name, np.eye(3)[y], y) == (1.0 if scores.higher_is_better(name) else 0.0)


def test_direction() -> None:
    lower = {name for name in scores.NAMES if not scores.higher_is_better(name)}
    assert lower == {"log_loss", "calibration_error"}


def test_a_class_without_items_does_not_count_in_balanced_accuracy() -> None:
    p = np.eye(4)[[0, 0, 1, 3]]
    # Class 0: both right; class 1: one right, one taken for the absent class 3.
    assert scores.score("balanced_accuracy", p, [0, 0, 1, 1]) == pytest.approx(0.75)


def test_one_sure_mistake_costs_a_finite_loss() -> None:
    assert scores.score("log_loss", [[1.0, 0.0]], [1]) == pytest.approx(-np.log(1e-7))


def test_calibration_error_by_hand() -> None:
    # Two items at 0.9 confidence, one of them right; two at 0.6, both right.
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    assert scores.score("calibration_error", p, [0, 1, 0, 0]) == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    assert scores.bin_of(np.array([0.2, 0.2000001, 1.0, 0.0]), bins=5).tolist() == [0, 1, 4, 0]


def test_confusion_has_true_classes_in_rows() -> None:
    p = np.eye(3)[[1, 1, 2, 0]]
    assert scores.confusion(p, [0, 1, 2, 0]).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_losses_average_to_the_score() -> None:
    p, y = guesses(50, 4, seed=3)
    assert scores.losses("log_loss", p, y).mean() == pytest.approx(scores.score("log_loss", p, y))
    assert 1 - scores.losses("accuracy", p, y).mean() == pytest.approx(scores.score("accuracy", p, y))


def test_a_score_without_a_loss_per_item_says_so() -> None:
    with pytest.raises(BadOption, match="f1_macro"):
        scores.losses("f1_macro", [[0.5, 0.5]], [0])


def test_a_misspelt_score_is_answered_with_the_right_one() -> None:
    with pytest.raises(UnknownName, match="did you mean f1_macro"):
        scores.score("f1macro", [[0.5, 0.5]], [0])


def test_probabilities_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="row 0"):
        scores.score("accuracy", [[np.nan, 0.5]], [0])


def test_effective_items_of_even_classes_are_all_items() -> None:
    assert scores.effective_items(np.arange(40) % 4) == pytest.approx(40)
    assert scores.effective_items([0] * 98 + [1] * 2) == pytest.approx(4 / (1 / 98 + 1 / 2))
