from __future__ import annotations

import hashlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.splitting import AGAIN, FOLDS, SMALL, groups_of, owners, split


def digest(value: object) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()


def distinct(n: int) -> list[str]:
    return [digest(i) for i in range(n)]


@st.composite
def labelled(draw: st.DrawFn, least: int = 3, most: int = 150) -> tuple[np.ndarray, list[str]]:
    """Two to five classes, some pictures several times over; every class has three different ones."""
    targets: list[int] = []
    digests: list[str] = []
    for label in range(draw(st.integers(2, 5))):
        for number in range(draw(st.integers(least, most))):
            copies = draw(st.sampled_from([1] * 12 + [2, 3])) if least == 3 else 1
            targets += [label] * copies
            digests += [digest((label, number))] * copies
    return np.array(targets), digests


@settings(deadline=None, max_examples=60)
@given(labelled(), st.integers(0, 99))
def test_a_split_is_complete_disjoint_and_keeps_copies_together(data: tuple[np.ndarray, list[str]], seed: int) -> None:
    targets, digests = data
    found = split(targets, digests, [None] * len(targets), seed=seed)
    development = set(np.flatnonzero(found.parts != "test"))
    for train, val in found.folds:
        assert set(train) | set(val) == development
        assert not set(train) & set(val)
        assert set(targets[train]) == set(targets), "every class is in every training part"
        assert not {digests[i] for i in train} & {digests[i] for i in val}
    tested = {digests[i] for i in np.flatnonzero(found.parts == "test")}
    assert not tested & {digests[i] for i in development}
    if len(found.folds) > 1:
        assert sorted(np.concatenate([val for _, val in found.folds])) == sorted(development)
        assert set(found.parts) <= {"train", "test"}
    else:
        train, val = found.folds[0]
        assert (found.parts[train] == "train").all()
        assert (found.parts[val] == "val").all()


@settings(deadline=None, max_examples=40)
@given(labelled(), st.integers(0, 99), st.randoms(use_true_random=False))
def test_a_split_does_not_depend_on_the_order_of_items(
    data: tuple[np.ndarray, list[str]], seed: int, random: object
) -> None:
    targets, digests = data
    order = list(range(len(targets)))
    random.shuffle(order)  # type: ignore[attr-defined]
    first = split(targets, digests, [None] * len(targets), seed=seed)
    second = split(targets[order], [digests[i] for i in order], [None] * len(targets), seed=seed)
    assert (first.parts[order] == second.parts).all()
    for (_, a), (_, b) in zip(first.folds, second.folds, strict=True):
        assert {digests[i] for i in a} == {digests[order[i]] for i in b}


@settings(deadline=None, max_examples=30)
@given(labelled(least=100, most=300), st.integers(0, 99))
def test_shares_are_right_in_every_class(data: tuple[np.ndarray, list[str]], seed: int) -> None:
    targets, digests = data
    found = split(targets, digests, [None] * len(targets), seed=seed)
    for label in set(targets):
        own = found.parts[targets == label]
        test, val = (own == "test").sum(), (own == "val").sum()
        assert abs(test - 0.2 * len(own)) <= 1
        if len(found.folds) == 1:
            assert abs(val - 0.2 * (len(own) - test)) <= 1


def test_the_seed_decides() -> None:
    targets, digests = np.arange(500) % 3, distinct(500)
    parts = [split(targets, digests, [None] * 500, seed=seed).parts for seed in (0, 0, 1)]
    assert (parts[0] == parts[1]).all()
    assert (parts[0] != parts[2]).any()


def test_the_split_is_the_same_in_every_version() -> None:
    found = split(np.arange(300) % 3, distinct(300), [None] * 300, seed=0)
    assert digest(found.parts.tolist()) == "0aacb4e0bd3d9dc0d7bcda3ded0a517cf6e71fb7f92d80b5a8b4e1433760c77f"


@pytest.mark.parametrize(
    ("n", "folds", "tested"), [(SMALL - 1, FOLDS, 0), (SMALL, FOLDS, 40), (249, FOLDS, 50), (300, 1, 60)]
)
def test_small_sets_are_cross_validated(n: int, folds: int, tested: int) -> None:
    found = split(np.arange(n) % 2, distinct(n), [None] * n, seed=0)
    assert len(found.folds) == folds
    assert abs((found.parts == "test").sum() - tested) <= 1


def test_folds_are_balanced_over_all_and_in_each_class() -> None:
    targets = np.repeat(np.arange(7), [3, 4, 5, 6, 7, 8, 9])
    found = split(targets, distinct(len(targets)), [None] * len(targets), seed=0)
    sizes = [len(val) for _, val in found.folds]
    assert max(sizes) - min(sizes) <= 1
    for label in range(7):
        own = [(targets[val] == label).sum() for _, val in found.folds]
        assert max(own) - min(own) <= 1


def test_further_draws_deal_the_same_items_otherwise() -> None:
    targets = np.repeat(np.arange(3), 20)
    digests = [digest(i // 2) for i in range(60)]
    found = split(targets, digests, [None] * 60, seed=0)
    assert len(found.again) == AGAIN
    draws = {tuple(tuple(sorted(held)) for _, held in folds) for folds in (found.folds, *found.again)}
    assert len(draws) == 1 + AGAIN, "every draw is another one"
    for folds in found.again:
        assert sorted(np.concatenate([held for _, held in folds])) == list(range(60))
        for train, held in folds:
            assert not {digests[i] for i in train} & {digests[i] for i in held}
            assert np.bincount(targets[held], minlength=3).min() >= 2
    assert split(targets, digests, [None] * 60, seed=0).again[0][0][1].tolist() == found.again[0][0][1].tolist()
    assert split(np.zeros(1000, dtype=int), distinct(1000), [None] * 1000, seed=0).again == ()


def test_given_parts_are_kept() -> None:
    given_parts = ["train"] * 200 + ["val"] * 30 + ["test"] * 20
    found = split(np.arange(250) % 2, distinct(250), given_parts, seed=0)
    assert found.parts.tolist() == given_parts
    assert len(found.folds) == 1
    assert found.notes == ()


def test_given_val_and_test_are_kept_in_a_small_set() -> None:
    given_parts = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    found = split(np.arange(40) % 2, distinct(40), given_parts, seed=0)
    assert found.parts.tolist() == given_parts
    assert len(found.folds) == 1


def test_a_given_test_with_few_to_learn_from_leaves_folds() -> None:
    found = split(np.arange(60) % 2, distinct(60), [None] * 40 + ["test"] * 20, seed=0)
    assert (found.parts == "test").tolist() == [False] * 40 + [True] * 20
    assert len(found.folds) == FOLDS


def test_a_missing_test_part_is_drawn_from_train_and_said() -> None:
    found = split(np.arange(600) % 2, distinct(600), ["train"] * 500 + ["val"] * 100, seed=0)
    assert (found.parts[500:] == "val").all()
    assert (found.parts == "test").sum() == 100
    assert "no test part was given" in found.notes[0]


def test_a_given_val_joins_the_folds_of_a_small_set_without_test() -> None:
    found = split(np.arange(60) % 2, distinct(60), ["train"] * 40 + ["val"] * 20, seed=0)
    assert set(found.parts) == {"train"}
    assert len(found.folds) == FOLDS
    assert "joins" in found.notes[0]


def test_unmarked_items_beside_marked_ones_are_for_training() -> None:
    found = split(np.arange(400) % 2, distinct(400), ["test"] * 50 + [None] * 350, seed=0)
    assert (found.parts[50:] != "test").all()
    assert (found.parts == "val").sum() == 70


def test_one_picture_many_times_does_not_fill_the_test_part() -> None:
    digests = [digest("same")] * 200 + [digest(i) for i in range(100)]
    targets = np.array([0] * 202 + [1] * 98)
    found = split(targets, digests, [None] * 300, seed=0)
    assert (found.parts[:200] == "train").all()
    assert set(targets[found.parts == "test"]) == set(targets[found.parts == "val"]) == {0, 1}


def test_a_picture_under_two_labels_counts_for_the_frequent_one() -> None:
    groups = groups_of(["a", "a", "a", "b", "b", "c"])
    assert owners(groups, np.array([1, 1, 0, 2, 1, 0])).tolist() == [1, 1, 0]
    assert owners(groups_of([]), np.zeros(0, int)).tolist() == []


def test_a_hundred_thousand_items_take_seconds() -> None:
    n = 100_000
    digests, targets = [digest(i % 99_000) for i in range(n)], np.arange(n) % 1000
    start = time.perf_counter()
    split(targets, digests, [None] * n, seed=0)
    assert time.perf_counter() - start < 10
