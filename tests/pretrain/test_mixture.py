"""The stream of patterns: who gets how many classes, what a batch holds, and how it continues."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.base.errors import BadOption
from headstart.pretrain.mixture import SHARES, PatternStream, class_counts, render_pool


@pytest.fixture(scope="module")
def stream() -> PatternStream:
    return PatternStream(classes=12, instances=3, size=16, batch=8, steps=5, seed=3)


@given(st.integers(len(SHARES), 5000))
def test_class_counts_add_up_and_leave_no_family_out(classes: int) -> None:
    counts = class_counts(classes)
    assert sum(counts.values()) == classes
    assert min(counts.values()) >= 1


def test_too_few_classes_are_refused() -> None:
    with pytest.raises(BadOption, match="6 families"):
        class_counts(3)


def test_the_pool_is_pure_in_its_seed() -> None:
    sizes = {"classes": 8, "instances": 2, "size": 24}
    assert torch.equal(render_pool(**sizes, seed=1), render_pool(**sizes, seed=1))
    assert not torch.equal(render_pool(**sizes, seed=1), render_pool(**sizes, seed=2))


def test_a_batch_holds_two_different_instances_of_each_of_its_classes(stream: PatternStream) -> None:
    batch = next(stream.batches(0))
    assert batch.inputs.shape == (8, 3, 16, 16)
    assert batch.inputs.dtype == torch.uint8
    assert torch.equal(batch.targets[:4], batch.targets[4:])
    assert len(set(batch.targets.tolist())) == 4
    assert len(set(batch.index.tolist())) == 8
    assert torch.equal(batch.index // 3, batch.targets)


def test_order_is_pure_in_seed_and_epoch(stream: PatternStream) -> None:
    twin = PatternStream(classes=12, instances=3, size=16, batch=8, steps=5, seed=3)
    for ours, theirs in zip(stream.batches(2), twin.batches(2), strict=True):
        assert torch.equal(ours.inputs, theirs.inputs)
        assert torch.equal(ours.index, theirs.index)
    first, other = next(stream.batches(0)), next(stream.batches(1))
    assert not torch.equal(first.inputs, other.inputs)


@pytest.mark.parametrize("start", [0, 1, 4, 5])
def test_an_epoch_continues_at_any_step(stream: PatternStream, start: int) -> None:
    whole, rest = list(stream.batches(1)), list(stream.batches(1, start))
    assert len(stream) == len(whole) == 5
    assert len(rest) == 5 - start
    for ours, theirs in zip(whole[start:], rest, strict=True):
        assert torch.equal(ours.inputs, theirs.inputs)


def test_all_classes_are_seen(stream: PatternStream) -> None:
    seen = {label for epoch in range(6) for batch in stream.batches(epoch) for label in batch.targets.tolist()}
    assert seen == set(range(12))
