"""Folds hold every item out once and keep the classes' shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.base.errors import DataError
from headstart.measure import folds


@given(y=st.lists(st.integers(0, 4), min_size=2, max_size=80), count=st.integers(2, 7), seed=st.integers(0, 99))
def test_every_item_is_held_out_once_and_classes_are_spread(y: list[int], count: int, seed: int) -> None:
    targets = np.array(y)
    pairs = folds.stratified(targets, folds=count, seed=seed)
    assert sorted(np.concatenate([held for _, held in pairs])) == list(range(len(y)))
    for train, held in pairs:
        assert sorted([*train, *held]) == list(range(len(y)))
    for which in range(5):
        counts = [int((targets[held] == which).sum()) for _, held in pairs]
        assert max(counts) - min(counts) <= 1


def test_the_seed_decides() -> None:
    y = np.arange(40) % 4
    first, again, other = (folds.stratified(y, seed=seed)[0][1].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_one_item_cannot_be_held_out() -> None:
    with pytest.raises(DataError, match="held out"):
        folds.stratified([0])


@pytest.mark.parametrize(("n", "count"), [(folds.ENOUGH - 1, 5), (folds.ENOUGH, 1)])
def test_from_enough_items_on_one_fold_chooses_the_penalty(n: int, count: int) -> None:
    y = np.arange(n) % 3
    found = folds.inner(y, seed=4)
    assert len(found) == count
    assert found[0][1].tolist() == folds.stratified(y, seed=4)[0][1].tolist()
