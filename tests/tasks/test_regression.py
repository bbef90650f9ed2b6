"""Numbers: read with points and commas, standardised inside, said in their own unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from headstart.base.errors import DataError, ModelFolderError, TooFewExamples
from headstart.tasks import regression

TARGETS = np.array([10.0, 20.0, 30.0, 40.0])
TASK = regression.learn(TARGETS.tolist(), name="age").fitted(TARGETS)


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        (["1.5", " 2 ", "-3e2", ".5"], [1.5, 2.0, -300.0, 0.5]),
        (["1,5", "2", "-0,25"], [1.5, 2.0, -0.25]),
    ],
)
def test_numbers_are_read(labels: list[Any], values: list[Any]) -> None:
    assert regression.parse(labels) == values


@pytest.mark.parametrize("label", ["old", "1.2.3", True, float("inf"), ("1",), "nan", "1 000"])
def test_what_is_no_number_is_refused_with_its_item(label: Any) -> None:
    with pytest.raises(DataError, match=r"no number(.|\n)*item 2"):
        regression.parse([1.5, label])


def test_points_and_commas_are_not_mixed() -> None:
    with pytest.raises(DataError, match="mix decimal points"):
        regression.parse(["1.5", "1,5"])


def test_the_network_sees_standardised_numbers() -> None:
    assert (TASK.mean, TASK.scale) == (25.0, pytest.approx(np.std(TARGETS)))
    ideal = TASK.ideal(TARGETS)
    assert ideal.mean() == pytest.approx(0) and ideal.std() == pytest.approx(1)
    assert TASK.predictions(ideal)[:, 0] == pytest.approx(TARGETS)
    assert TASK.loss(torch.tensor(ideal), torch.tensor(TARGETS)) == pytest.approx(0)
    assert TASK.loss(torch.zeros(4, 1), torch.tensor(TARGETS)) == pytest.approx(1)
    assert TASK.loss(torch.zeros(4, 1), torch.tensor(TARGETS)[:, None].float()) == pytest.approx(1)
    assert TASK.constant(TARGETS) == pytest.approx([25.0])


def test_a_large_offset_costs_no_precision() -> None:
    far = 1e9 + np.arange(20.0)
    task = regression.learn(far.tolist()).fitted(far)
    assert task.loss(torch.tensor(task.ideal(far)).float(), torch.tensor(far)) < 1e-10
    assert np.abs(task.comparable(task.predictions(task.ideal(far))) - task.ideal(far)).max() < 1e-6


def test_the_solution_is_scikit_learns_ridge() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 5)) * 3 + 1
    y = x @ rng.normal(size=5) + 7
    task = regression.learn(y.tolist()).fitted(y)
    linear, penalty = task.solve(x, y, penalty=0.5, weights=None, seed=0)
    known = Ridge(alpha=2.0).fit(StandardScaler().fit_transform(x), y)
    assert task.predictions(linear.outputs(x))[:, 0] == pytest.approx(known.predict(StandardScaler().fit_transform(x)))
    assert penalty == 0.5
    chosen = task.solve(x, y, penalty=None, weights=None, seed=0)[1]
    assert task.solve(x, y, penalty=chosen, weights=None, seed=0)[1] == pytest.approx(chosen)
    loss, word = task.left_out(x, y)
    assert 0 <= loss < 0.5 and "leave-one-out" in word


def test_strata_are_even_bins_along_the_numbers() -> None:
    y = np.random.default_rng(0).lognormal(size=200)
    strata = TASK.strata(y)
    assert np.bincount(strata).tolist() == [20] * 10
    assert all(y[strata == low].max() <= y[strata == low + 1].min() for low in range(9))


def test_few_items_or_one_value_are_refused() -> None:
    with pytest.raises(TooFewExamples, match="9 items"):
        TASK.check(np.arange(9.0), "here")
    with pytest.raises(TooFewExamples, match="the value 3"):
        TASK.check(np.full(20, 3.0), "here")


def test_an_answer_is_the_value() -> None:
    assert TASK.answer(np.array([12.3456789])) == {"value": 12.3457}
    assert TASK.said(np.array([12.3456789])) == "12.3457"
    assert (TASK.header(), TASK.cells(np.array([2.0]))) == (["value"], ["2"])


def test_it_comes_back_from_its_record_and_from_no_other() -> None:
    assert regression.restore(TASK.names, TASK.record()) == TASK
    for record in ({}, {"mean": 1.0}, {"mean": 1.0, "scale": 0.0}, {"mean": "1", "scale": 1.0}):
        with pytest.raises(ModelFolderError, match="does not fit a regression"):
            regression.restore(TASK.names, record)


def test_a_stray_word_among_measurements_makes_no_classes_of_them():
    labels = [str(value / 8) for value in range(1, 90, 2)] + ["unknown"]
    assert "nearly all" in regression.recognise(labels)
    with pytest.raises(DataError, match="'unknown'") as caught:
        regression.parse(labels)
    assert "item 46" in str(caught.value)
    assert regression.recognise(["0.5", "low", "high"]) == ""


def test_what_is_worth_looking_at_in_answers() -> None:
    given = np.array([[11.0], [20.0], [5.0], [41.0]])
    np.testing.assert_allclose(TASK.mistaken(given, TARGETS), [1, 0, 25, 1])
    kinds = TASK.kinds(given, TARGETS)
    assert kinds[0] % 2 == 1 and kinds[2] % 2 == 0 and kinds[0] < kinds[3], "tenths of the targets, too low or too high"
    assert "confidence" in TASK.trust(given, TARGETS)["missing"]
    assert TASK.direction(given) is None and TASK.meant(TARGETS[0]) == "10"


def test_a_suspected_number_says_how_far_it_is_off() -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(50, 10, 100)
    given = truth + draw.normal(0, 1, 100)
    truth[8] += 500
    (found,) = TASK.suspects(given[:, None], truth)
    assert found["row"] == 8 and found["said_probability"] is None
    assert float(found["said"]) == pytest.approx(truth[8], rel=1e-5)
    assert float(found["likely"]) == pytest.approx(given[8], rel=1e-5)
    assert "standard deviations" in found["because"]


def test_each_item_is_left_out_of_its_own_prediction() -> None:
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(40, 3)), draw.normal(25, 10, 40)
    task = regression.learn(y.tolist()).fitted(y)
    wanted = [regression_without(X, y, i, task) for i in range(40)]
    found = task.each_left_out(X, y)[:, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def regression_without(X: Any, y: Any, i: int, task: Any) -> float:
    """scikit-learn's ridge on all other items, at the penalty that was chosen on all."""
    from headstart.measure import ridge

    penalty = ridge.regress(X, task.ideal(y)).penalty
    others = np.arange(len(y)) != i
    scaler = StandardScaler().fit(X)
    return float(Ridge(alpha=penalty).fit(scaler.transform(X[others]), y[others]).predict(scaler.transform(X[[i]]))[0])


def test_a_doubted_number_may_become_any_number():
    assert TASK.corrections("3.5") == ()
    assert TASK.corrected(2.0, "2", " 3,5 ") == 3.5
    for wrong in ("warm", "", "nan", "inf"):
        with pytest.raises(DataError, match="cannot be changed"):
            TASK.corrected(2.0, "2", wrong)


def test_an_interval_comes_from_held_out_items() -> None:
    truth = np.arange(99.0)
    task = TASK.calibrated((truth + np.tile([1.0, -2.0, 0.5], 33))[:, None], truth)
    assert task.margin == 2.0 and task.coverage == 0.9
    assert task.answer(np.array([10.0])) == {"value": 10.0, "low": 8.0, "high": 12.0}
    assert task.said(np.array([10.0])) == "10 (8 to 12)" and task.header() == ["value", "low", "high"]
    assert regression.restore(task.names, task.record()) == task
    assert "90 % of true ones" in task.activation(1.0)
    found = task.details(truth[:, None] + 3, truth)["interval"]
    assert found["covered"]["value"] == 0.0 and found["margin"] == 2.0
    assert "held 100.0 %" in task.trust(truth[:, None], truth)["missing"]


def test_too_few_held_out_items_give_none() -> None:
    few = TASK.calibrated(np.ones((8, 1)), np.ones(8))
    assert few.margin is None and few.answer(np.array([1.0])) == {"value": 1.0} and few.details([[1.0]], [1.0]) == {}
    assert "too few items were held out" in few.trust([[1.0]], [1.0])["missing"]


def test_a_record_from_before_intervals_is_read_and_a_wrong_one_refused() -> None:
    assert regression.restore(("age",), {"mean": 1.0, "scale": 2.0}).margin is None
    for wrong in (
        {"margin": -1.0},
        {"margin": "wide"},
        {"margin": 1.0, "coverage": 2.0},
        {"margin": 1.0, "coverage": None},
    ):
        with pytest.raises(ModelFolderError, match="no usable interval"):
            regression.restore(("age",), {"mean": 1.0, "scale": 2.0, **wrong})
