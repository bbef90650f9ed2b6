"""Every label keeps its share in every part, where a plain draw would lose the rare ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.base.errors import DataError
from headstart.measure import folds, stratification


def labels(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((n, 6)) < [0.5, 0.3, 0.2, 0.1, 0.05, 0.03]


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(n=st.integers(1, 120), seed=st.integers(0, 999), parts=st.integers(2, 6))
def test_sizes_are_kept_and_every_item_has_a_part(n: int, seed: int, parts: int) -> None:
    found = stratification.iterative(labels(n, seed), [1 / parts] * parts, draw=draw(seed))
    sizes = np.bincount(found, minlength=parts)
    assert sizes.sum() == n
    assert sizes.max() - sizes.min() <= 6


def test_labels_are_spread_better_than_by_chance() -> None:
    worst, by_chance = [], []
    for seed in range(20):
        y = labels(200, seed)
        wanted = y.sum(axis=0) / 5
        for found, into in (
            (stratification.iterative(y, [0.2] * 5, draw=draw(seed)), worst),
            (draw(seed).permutation(200) % 5, by_chance),
        ):
            each = np.array([y[found == part].sum(axis=0) for part in range(5)])
            into.append(np.abs(each - wanted).max())
    assert np.mean(worst) < 0.45 * np.mean(by_chance)


def test_the_rarest_label_is_in_both_parts() -> None:
    y = np.zeros((100, 2), dtype=bool)
    y[:60, 0], y[:4, 1] = True, True
    found = stratification.iterative(y, [0.75, 0.25], draw=draw())
    assert y[found == 1, 1].sum() == 1
    assert (found == 1).sum() == 25


def test_a_large_row_counts_as_many() -> None:
    y = np.ones((5, 1), dtype=bool)
    found = stratification.iterative(y, [0.5, 0.5], draw=draw(), sizes=[4, 1, 1, 1, 1])
    assert len({int(part) for part in found[1:]}) == 1 and found[0] != found[1]


def test_the_draw_decides() -> None:
    y = labels(80, 0)
    first, again, other = (stratification.iterative(y, [0.5, 0.5], draw=draw(seed)).tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_folds_of_truths_hold_every_item_out_once() -> None:
    pairs = folds.stratified(labels(63, 0), seed=3)
    assert sorted(np.concatenate([held for _, held in pairs])) == list(range(63))


def test_what_is_no_truth_is_refused() -> None:
    with pytest.raises(DataError, match="yes or no"):
        stratification.iterative([[0, 2]], [0.5, 0.5], draw=draw())
