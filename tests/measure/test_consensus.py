"""An order of candidates: what the items prove comes first, votes settle the rest."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from headstart.base.errors import DataError
from headstart.measure import consensus


def test_mean_ranks_by_hand() -> None:
    votes = [[3.0, 2.0, 1.0], [1.0, 1.0, 5.0]]
    assert consensus.mean_ranks(votes).tolist() == [(1 + 2.5) / 2, (2 + 2.5) / 2, (3 + 1) / 2]


def test_a_vote_without_an_opinion_moves_nobody_it_does_not_know() -> None:
    votes = [[9.0, 8.0, 7.0, 6.0], [None, None, None, 1.0]]
    # The only one it knows is put into the middle: neither before nor behind the others.
    assert consensus.mean_ranks(votes).tolist() == [1, 2, 3, (4 + 2.5) / 2]
    assert consensus.mean_ranks([[None, None]]).tolist() == [1.5, 1.5]
    assert consensus.mean_ranks([[1.0, float("nan")]]).tolist() == [1.5, 1.5]


@given(st.lists(st.lists(st.integers(-5, 5), min_size=4, max_size=4), min_size=1, max_size=5))
def test_mean_ranks_depend_on_order_alone_and_sum_to_what_ranks_sum_to(votes: list[list[int]]) -> None:
    found = consensus.mean_ranks(votes)
    assert found.sum() == pytest.approx(10)
    assert consensus.mean_ranks([[3.0 * value - 100 for value in vote] for vote in votes]) == pytest.approx(found)
    assert consensus.mean_ranks([vote[::-1] for vote in votes])[::-1] == pytest.approx(found)


def test_votes_about_different_candidates_are_refused() -> None:
    with pytest.raises(DataError, match="same candidates"):
        consensus.mean_ranks([[1.0, 2.0], [1.0]])
    with pytest.raises(DataError, match="same candidates"):
        consensus.mean_ranks([])
    with pytest.raises(DataError, match="differ in number"):
        consensus.arrange(np.full((2, 2), 0.5), [1.0, 2.0, 3.0])


def test_the_probability_is_that_of_a_normal_mean() -> None:
    """For many items the bootstrap of a mean difference is normal: P = Phi(mean / standard error)."""
    draw = np.random.default_rng(0)
    a = draw.normal(size=2000)
    difference = draw.normal(0.02, 0.5, size=2000)
    found = consensus.beating(np.stack([a, a + difference], axis=1), replicates=20_000)
    expected = norm.cdf(difference.mean() / (difference.std() / np.sqrt(2000)))
    assert found[0, 1] == pytest.approx(expected, abs=0.01)
    assert found[0, 1] + found[1, 0] == pytest.approx(1)


def test_what_is_hard_for_both_counts_for_neither() -> None:
    draw = np.random.default_rng(1)
    hard = draw.exponential(10.0, size=300)
    paired = consensus.beating(np.stack([hard, hard + 0.1], axis=1))
    shuffled = consensus.beating(np.stack([hard, draw.permutation(hard) + 0.1], axis=1))
    assert paired[0, 1] == 1.0 and shuffled[0, 1] < 0.9


def test_identical_candidates_are_even() -> None:
    each = np.random.default_rng(0).random((50, 1))
    assert consensus.beating(np.repeat(each, 3, axis=1)).tolist() == np.full((3, 3), 0.5).tolist()


def test_the_tie_of_two_equal_candidates_is_called_at_its_rate() -> None:
    """Of candidates that do not differ, 1 in 20 pairs is told apart, as a 95 % interval allows."""
    draw = np.random.default_rng(2)
    told = [
        not consensus.is_tie(consensus.beating(draw.normal(size=(200, 2)), seed=i, replicates=400)[0, 1])
        for i in range(300)
    ]
    assert 0.02 < np.mean(told) < 0.09


def test_what_the_items_prove_no_vote_turns_round() -> None:
    losses = np.random.default_rng(0).normal(0, 0.1, size=(400, 3)) + np.array([0.0, 0.5, 1.0])
    beats = consensus.beating(losses)
    for votes in itertools.permutations([1.0, 2.0, 3.0]):
        assert consensus.arrange(beats, votes).tolist() == [0, 1, 2]


def test_where_the_items_prove_nothing_votes_decide() -> None:
    losses = np.random.default_rng(0).normal(size=(20, 3)) + np.array([0.0, 0.01, 0.02])
    assert consensus.arrange(consensus.beating(losses), [3.0, 1.0, 2.0]).tolist() == [1, 2, 0]
    even = np.full((2, 2), 0.5)
    assert consensus.arrange(even, [1.0, 1.0]).tolist() == [0, 1]


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_nobody_stands_above_one_that_surely_beats_it(seed: int, m: int) -> None:
    draw = np.random.default_rng(seed)
    losses = draw.normal(size=(40, m)) * draw.uniform(0.1, 2) + draw.normal(0, 0.5, size=m)
    beats = consensus.beating(losses, replicates=200)
    order = consensus.arrange(beats, draw.permutation(m) + 1.0)
    assert sorted(order.tolist()) == list(range(m))
    for above, below in itertools.combinations(order, 2):
        assert beats[below, above] < consensus.SURE
