"""The head starts undecided, the loss is PyTorch's, rare classes count when they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from headstart.base.errors import BadOption, DataError, UnknownName
from headstart.measure import scores
from headstart.tasks import classification as task


def test_a_new_head_is_undecided() -> None:
    torch.manual_seed(0)
    head = task.head(512, 10)
    p = torch.softmax(head(torch.randn(100, 512)), dim=1)
    assert p.max() < 0.25
    assert head.bias.abs().max() == 0
    assert head.weight.std() > 0


@pytest.mark.parametrize(("width", "classes"), [(0, 3), (5, 1)])
def test_an_impossible_head_is_refused(width: int, classes: int) -> None:
    with pytest.raises(BadOption, match="classes"):
        task.head(width, classes)


def test_the_loss_is_the_cross_entropy() -> None:
    outputs, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    assert task.loss(outputs, targets) == pytest.approx(functional.cross_entropy(outputs, targets))
    p = torch.softmax(outputs, dim=1).numpy()
    assert float(task.loss(outputs, targets)) == pytest.approx(scores.score("log_loss", p, targets.numpy()), abs=1e-5)


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0, 0.5, 3.0])])
def test_certain_probabilities_are_the_same_as_indices(weights: torch.Tensor | None) -> None:
    outputs, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    soft = functional.one_hot(targets, 4).float()
    assert task.loss(outputs, soft, weights) == pytest.approx(task.loss(outputs, targets, weights))


def test_a_weighted_item_counts_as_copies() -> None:
    outputs, targets, weights = torch.randn(3, 2), torch.tensor([0, 1, 1]), torch.tensor([1.0, 2.0])
    copies = torch.tensor([0, 1, 1, 2, 2])
    copied = functional.cross_entropy(outputs[copies], targets[copies], reduction="sum") / 3
    assert task.loss(outputs, targets, weights) == pytest.approx(copied)


def test_the_loss_has_a_gradient() -> None:
    outputs = torch.zeros(2, 3, requires_grad=True)
    task.loss(outputs, torch.tensor([0, 2]), torch.ones(3)).backward()
    assert outputs.grad is not None
    assert outputs.grad[0, 0] < 0 < outputs.grad[0, 1]


def test_every_score_is_reported() -> None:
    found = task.metrics([[0.9, 0.1], [0.2, 0.8]], [0, 1])
    assert tuple(found) == scores.NAMES
    assert found["accuracy"] == 1


def test_a_label_comes_with_its_confidence() -> None:
    assert task.decode(np.array([[0.25, 0.75], [0.5, 0.5]]), ["cat", "dog"]) == [("dog", 0.75), ("cat", 0.5)]
    with pytest.raises(DataError, match="classes"):
        task.decode(np.ones((2, 3)), ["cat", "dog"])


@pytest.mark.parametrize(
    ("counts", "metric"), [((10, 10), "log_loss"), ((29, 10), "log_loss"), ((30, 10), "balanced_accuracy")]
)
def test_three_times_the_smallest_class_changes_the_metric(counts: tuple[int, int], metric: str) -> None:
    targets = np.repeat([0, 1], counts)
    assert task.choose_metric(targets, 2) == metric
    assert (task.class_weights(targets, 2) is None) is (metric == "log_loss")


def test_a_class_without_items_is_as_uneven_as_can_be() -> None:
    assert task.imbalance([0, 0, 1], 3) == float("inf")
    assert task.class_weights([0, 0, 1], 3).tolist() == pytest.approx([0.75, 1.5, 1.0])


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_weighted_classes_count_equally_and_the_mean_weight_is_1(counts: list[int]) -> None:
    targets = np.repeat(np.arange(len(counts)), counts)
    weights = task.class_weights(targets, len(counts))
    if max(counts) / min(counts) < 3:
        assert weights is None
        return
    assert weights * counts == pytest.approx(np.full(len(counts), len(targets) / len(counts)))
    assert weights[targets].mean() == pytest.approx(1)


@pytest.mark.parametrize(("metric", "weighted"), [("log_loss", False), ("accuracy", False), ("f1_macro", True)])
def test_weights_only_where_the_metric_wants_them(metric: str, weighted: bool) -> None:
    assert (task.class_weights([0] * 30 + [1] * 3, 2, metric) is not None) is weighted


def test_a_misspelt_metric_gets_no_silent_weights() -> None:
    with pytest.raises(UnknownName, match="f1_macro"):
        task.class_weights([0, 1], 2, "f1macro")
