"""Equal rows become one row with a weight, whatever their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.base.errors import DataError
from headstart.measure.copies import merged

X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 2.0], [5.0, 6.0]])


def test_copies_add_up_and_a_different_target_is_no_copy() -> None:
    found = merged(X, [0, 1, 0, 1, 1])
    weight = dict(zip(found.rows.tolist(), found.weights.tolist(), strict=True))
    assert weight == {0: 2.0, 1: 1.0, 3: 1.0, 4: 1.0}
    assert not found.even


def test_what_weighs_nothing_is_left_out() -> None:
    found = merged(X, [0, 1, 0, 1, 1], [0.5, 0, 1, 0, 2])
    assert dict(zip(found.rows.tolist(), found.weights.tolist(), strict=True)) == {0: 1.5, 4: 2.0}
    assert merged(X, np.arange(5)).even


@given(rows=st.lists(st.integers(0, 5), min_size=1, max_size=30), seed=st.integers(0, 99))
def test_weights_are_repetitions_and_the_order_does_not_matter(rows: list[int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    kinds = np.random.default_rng(0).normal(size=(6, 3))
    repeated = np.array(rows)
    present, times = np.unique(repeated, return_counts=True)
    shuffled = draw.permutation(repeated)
    one, other = merged(kinds[shuffled], shuffled), merged(kinds[present], present, times)
    assert kinds[shuffled][one.rows].tolist() == kinds[present][other.rows].tolist()
    assert one.weights.tolist() == other.weights.tolist()


def test_arrays_have_to_fit() -> None:
    with pytest.raises(DataError, match="differ in number"):
        merged(X, [0, 1])
    with pytest.raises(DataError, match="Weights"):
        merged(X, [0, 1, 0, 1, 1], [1, 1])
