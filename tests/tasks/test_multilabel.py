"""Several labels: read from lists, delimited texts and columns of 0 and 1; solved and scored as scikit-learn would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from headstart.base.errors import DataError
from headstart.measure.linear import standardisation
from headstart.tasks import multilabel
from tests.measure.drawing import answers

TASK = multilabel.learn([("cat", "dog"), ("owl",)])


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ([("b", "a"), (), None], [("a", "b"), (), None]),
        (["a|b", "b", "a|c"], [("a", "b"), ("b",), ("a", "c")]),
        (["a; b", "b", "a"], [("a", "b"), ("b",), ("a",)]),
        (["a,b", "b", " a"], [("a", "b"), ("b",), ("a",)]),
        (["a", "b"], [("a",), ("b",)]),
        ([(1, 0, 1), (0, 0, 0)], [("0", "2"), ()]),
        ([(1, 2), (3,)], [("1", "2"), ("3",)]),
        (["a|a|", "|b"], [("a",), ("b",)]),
    ],
)
def test_labels_are_read(labels: list[Any], values: list[Any]) -> None:
    assert multilabel.parse(labels) == values


@pytest.mark.parametrize("label", [("a", None), ("a", ""), (("a",), "b")])
def test_an_entry_that_is_no_name_is_refused_with_its_item(label: Any) -> None:
    with pytest.raises(DataError, match="item 2"):
        multilabel.parse([("a",), label])


def test_rows_of_amounts_are_no_labels() -> None:
    with pytest.raises(DataError, match=r"numbers with decimals: \[0\.5, 2\.0\]"):
        multilabel.parse([(1.0, 2.0), (0.5, 2.0)])


def test_targets_are_truths_in_natural_order() -> None:
    assert TASK.names == ("cat", "dog", "owl")
    assert TASK.encode([("owl", "cat"), ()]).tolist() == [[1, 0, 1], [0, 0, 0]]
    with pytest.raises(DataError, match=r"does not know the label fox(.|\n)*cat, dog, owl"):
        TASK.encode([("fox",)])


def test_without_a_label_the_items_stay() -> None:
    assert TASK.without([("cat", "dog"), ("dog",)], {"dog"}) == [("cat",), ()]


def test_the_loss_is_the_mean_of_binary_cross_entropies_and_takes_mixed_truths() -> None:
    outputs, targets = torch.randn(6, 3), torch.rand(6, 3)
    known = functional.binary_cross_entropy_with_logits(outputs, targets)
    assert TASK.loss(outputs, targets) == pytest.approx(known)
    weights = torch.tensor([1.0, 0.0, 0.0])
    first = functional.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0])
    assert TASK.loss(outputs, targets, weights) == pytest.approx(first / 3)


def test_the_solution_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 6))
    y = (x @ rng.normal(size=(6, 3)) + rng.logistic(size=(80, 3)) > 0).astype(np.float32)
    linear, penalty = TASK.solve(x, y, penalty=0.5, weights=None, seed=0)
    scaled = standardisation(x).apply(x)
    p = TASK.predictions(linear.outputs(x))
    for label in range(3):
        known = LogisticRegression(C=0.5, tol=1e-8).fit(scaled, y[:, label])
        assert p[:, label] == pytest.approx(known.predict_proba(scaled)[:, 1], abs=1e-3)
    assert penalty == 0.5


def test_what_knows_nothing_says_how_often_each_label_is_there() -> None:
    y = answers(200, 3)[1].astype(np.float32)
    assert TASK.constant(y) == pytest.approx(y.mean(axis=0), abs=0.01)


def test_a_baseline_of_noise_is_about_as_good_as_that() -> None:
    rng = np.random.default_rng(1)
    y, x = answers(200, 3)[1].astype(np.float32), rng.normal(size=(200, 20))
    p = TASK.predictions(TASK.simple(x, y).outputs(rng.normal(size=(200, 20))))
    assert (
        TASK.metric("log_loss").score(p, y)
        < TASK.metric("log_loss").score(np.tile(TASK.constant(y), (200, 1)), y) + 0.05
    )
    loss, word = TASK.left_out(x, y)
    assert loss > 0.5 and "log loss" in word


def test_an_answer_names_what_is_there_best_first() -> None:
    row = np.array([0.6, 0.2, 0.9])
    found = TASK.answer(row, 2)
    assert found["labels"] == ["owl", "cat"] and found["probabilities"]["dog"] == 0.2
    assert [each["label"] for each in found["top"]] == ["owl", "cat"]
    assert TASK.said(row) == "owl 90.0 %, cat 60.0 %"
    assert TASK.said(row / 10) == "no label (most probable: owl 9.0 %)"
    assert dict(zip(TASK.header(), TASK.cells(row), strict=True)) == {
        "labels": "owl|cat",
        "cat": "0.600000",
        "dog": "0.200000",
        "owl": "0.900000",
    }


def test_details_are_each_labels_own() -> None:
    p, y = answers(60, 3, skill=2)
    found = TASK.details(p, y)["per_label"]
    said = p[:, 1] >= 0.5
    assert found["dog"]["items"] == y[:, 1].sum()
    assert found["dog"]["recall"]["value"] == pytest.approx((said & (y[:, 1] == 1)).sum() / y[:, 1].sum())


def test_the_same_answer_for_every_item_is_a_collapse() -> None:
    y = answers(10, 3)[1]
    assert TASK.collapsed(np.zeros((10, 3)), y)
    assert not TASK.collapsed(np.random.default_rng(0).normal(size=(10, 3)), y)
    assert not TASK.collapsed(np.zeros((10, 3)), np.ones((10, 3)))


def test_it_comes_back_from_its_record() -> None:
    assert multilabel.restore(TASK.names, TASK.record()) == TASK


def test_what_is_worth_looking_at_in_answers() -> None:
    p = np.array([[0.9, 0.2, 0.1], [0.6, 0.3, 0.9], [0.1, 0.1, 0.1]])
    truth = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]])
    np.testing.assert_allclose(TASK.mistaken(p, truth), [0, 0.7, 0.9])
    assert TASK.kinds(p, truth).tolist() == [-1, 4, 6], "right; the second and the third label missed"
    assert TASK.kinds(1 - p, truth).tolist()[0] == 2, "the first label missed"
    found = TASK.trust(p, truth)
    assert found["selective"]["risk"][-1] == pytest.approx(2 / 3), "two of three items are not all right"
    assert sum(row["count"] for row in found["reliability"]["bins"]) == 9
    assert TASK.direction(p).argmax(axis=1).tolist() == [0, 2, 0]
    assert [TASK.meant(each) for each in truth] == ["cat", "dog, owl", "owl"] and TASK.meant([0, 0, 0]) == "no label"


def test_suspected_labels_are_said_in_words() -> None:
    truth = np.zeros((30, 3))
    truth[:15, 0] = truth[10:25, 2] = truth[::2, 1] = 1
    p = np.where(truth, 0.96, 0.04)
    truth[4, 0], truth[29, 2] = 0, 1
    found = {(each["row"], each["said"], each["likely"]) for each in TASK.suspects(p, truth)}
    assert found == {(4, "no cat", "cat"), (29, "owl", "no owl")}
    assert TASK.each_left_out(np.random.default_rng(0).normal(size=(30, 4)), truth).shape == (30, 3)


def test_a_doubted_label_is_taken_away_or_added_and_the_others_stay():
    task = multilabel.learn([("cat", "dog", "fox")])
    assert task.corrections("no dog") == ("no dog",)
    assert task.corrected(("cat", "dog"), "dog", "no dog") == ("cat",)
    assert task.corrected(("fox",), "no cat", "cat") == ("cat", "fox")
    with pytest.raises(DataError, match="no label cow"):
        task.corrected(("fox",), "no cow", "cow")
