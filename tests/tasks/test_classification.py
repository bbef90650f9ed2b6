"""The head starts undecided, the loss is PyTorch's, rare classes count when they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from headstart.base.errors import BadOption, DataError, UnknownName
from headstart.measure import balance, scores
from headstart.tasks import classification


def kinds(classes: int) -> classification.Classification:
    return classification.learn([str(each) for each in range(classes)])


def test_a_new_head_is_undecided() -> None:
    torch.manual_seed(0)
    head = kinds(10).head(512, 10)
    p = torch.softmax(head(torch.randn(100, 512)), dim=1)
    assert p.max() < 0.25
    assert head.bias.abs().max() == 0
    assert head.weight.std() > 0


@pytest.mark.parametrize(("width", "classes"), [(0, 3), (5, 1)])
def test_an_impossible_head_is_refused(width: int, classes: int) -> None:
    with pytest.raises(BadOption, match="classes"):
        kinds(2).head(width, classes)


def test_the_loss_is_the_cross_entropy() -> None:
    outputs, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    assert kinds(4).loss(outputs, targets) == pytest.approx(functional.cross_entropy(outputs, targets))
    p = torch.softmax(outputs, dim=1).numpy()
    assert float(kinds(4).loss(outputs, targets)) == pytest.approx(
        scores.score("log_loss", p, targets.numpy()), abs=1e-5
    )


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0, 0.5, 3.0])])
def test_certain_probabilities_are_the_same_as_indices(weights: torch.Tensor | None) -> None:
    outputs, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    soft = functional.one_hot(targets, 4).float()
    assert kinds(4).loss(outputs, soft, weights) == pytest.approx(kinds(4).loss(outputs, targets, weights))


def test_a_weighted_item_counts_as_copies() -> None:
    outputs, targets, weights = torch.randn(3, 2), torch.tensor([0, 1, 1]), torch.tensor([1.0, 2.0])
    copies = torch.tensor([0, 1, 1, 2, 2])
    copied = functional.cross_entropy(outputs[copies], targets[copies], reduction="sum") / 3
    assert kinds(4).loss(outputs, targets, weights) == pytest.approx(copied)


def test_the_loss_has_a_gradient() -> None:
    outputs = torch.zeros(2, 3, requires_grad=True)
    kinds(4).loss(outputs, torch.tensor([0, 2]), torch.ones(3)).backward()
    assert outputs.grad is not None
    assert outputs.grad[0, 0] < 0 < outputs.grad[0, 1]


def test_every_score_is_reported() -> None:
    found = kinds(2).score([[0.9, 0.1], [0.2, 0.8]], [0, 1])
    assert tuple(found) == scores.NAMES
    assert found["accuracy"] == 1


def test_a_label_comes_with_its_confidence() -> None:
    task = classification.learn(["dog", "cat"])
    assert task.answer(np.array([0.25, 0.75])) == {"label": "dog", "confidence": 0.75}
    assert task.answer(np.array([0.5, 0.5]))["label"] == "cat"
    assert task.answer(np.array([0.25, 0.75]), 2)["top"][1] == {"label": "cat", "confidence": 0.25}
    assert task.said(np.array([0.25, 0.75]), 2) == "dog 75.0 %, cat 25.0 %"
    assert task.header(2) == ["label", "confidence", "label_2", "confidence_2"]
    assert task.cells(np.array([0.25, 0.75]), 2) == ["dog", "0.750000", "cat", "0.250000"]


@pytest.mark.parametrize("label", [(0, 1), (1,), ()])
def test_a_list_is_no_class(label: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"A label is a list.*item 2(.|\n)*one class per item(.|\n)*argmax"):
        classification.parse(["cat", label])


def test_an_unknown_class_is_named_with_those_there_are() -> None:
    with pytest.raises(DataError, match=r"does not know the class fox(.|\n)*cat, dog"):
        classification.learn(["dog", "cat"]).encode(["cat", "fox"])


@pytest.mark.parametrize(
    ("counts", "metric"), [((10, 10), "log_loss"), ((29, 10), "log_loss"), ((30, 10), "balanced_accuracy")]
)
def test_three_times_the_smallest_class_changes_the_metric(counts: tuple[int, int], metric: str) -> None:
    targets = np.repeat([0, 1], counts)
    assert kinds(2).choose_metric(targets) == metric
    assert (balance.class_weights(targets, 2) is None) is (metric == "log_loss")


def test_a_class_without_items_is_as_uneven_as_can_be() -> None:
    assert balance.imbalance([0, 0, 1], 3) == float("inf")
    assert balance.class_weights([0, 0, 1], 3).tolist() == pytest.approx([0.75, 1.5, 1.0])


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_weighted_classes_count_equally_and_the_mean_weight_is_1(counts: list[int]) -> None:
    targets = np.repeat(np.arange(len(counts)), counts)
    weights = balance.class_weights(targets, len(counts))
    if max(counts) / min(counts) < 3:
        assert weights is None
        return
    assert weights * counts == pytest.approx(np.full(len(counts), len(targets) / len(counts)))
    assert weights[targets].mean() == pytest.approx(1)


@pytest.mark.parametrize(("metric", "weighted"), [("log_loss", False), ("accuracy", False), ("f1_macro", True)])
def test_weights_only_where_the_metric_wants_them(metric: str, weighted: bool) -> None:
    assert (balance.class_weights([0] * 30 + [1] * 3, 2, metric) is not None) is weighted


def test_a_misspelt_metric_gets_no_silent_weights() -> None:
    with pytest.raises(UnknownName, match="f1_macro"):
        balance.class_weights([0, 1], 2, "f1macro")


def test_what_is_worth_looking_at_in_answers() -> None:
    task = classification.learn(["cat", "dog"])
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    truth = np.array([1, 1, 1, 0])
    np.testing.assert_allclose(task.mistaken(p, truth), [0.8, 0, 0.2, 0.4], atol=1e-12)
    assert task.kinds(p, truth).tolist() == [2, 3, 2, 1], "true class times 2, and the class that was answered"
    found = task.trust(p, truth)
    assert found["selective"]["risk"] == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4])
    assert [row["count"] for row in found["reliability"]["bins"]] == [4]
    assert task.mistaken(p[:0], truth[:0]).shape == (0,)
    direction = task.direction(p)
    np.testing.assert_allclose(direction, [[0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [-0.5, 0.5]])
    assert [task.meant(each) for each in truth] == ["dog", "dog", "dog", "cat"]


def test_a_suspected_class_is_named_both_ways() -> None:
    p, truth = np.tile([0.97, 0.03], (20, 1)), np.zeros(20, dtype=int)
    p[10:], truth[10:], truth[3] = [0.03, 0.97], 1, 1
    (found,) = classification.learn(["cat", "dog"]).suspects(p, truth)
    assert (found["row"], found["said"], found["likely"]) == (3, "dog", "cat")
    assert found["because"] == "97 % against 3 %"


def test_each_item_is_left_out_of_its_own_prediction() -> None:
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(60, 5)), draw.integers(0, 3, 60)
    p = kinds(3).each_left_out(X, y)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p.argmax(axis=1) == y).mean() < 0.6, "noise that was learnt by heart would be answered right"


def test_a_doubted_label_may_become_any_class_and_nothing_else():
    task = classification.learn(["cat", "dog", "fox"])
    assert task.corrections("dog") == ("cat", "dog", "fox")
    assert task.corrected("cat", "cat", "fox") == "fox"
    with pytest.raises(DataError, match="no class cow"):
        task.corrected("cat", "cat", "cow")
