"""The number of threads is the fastest one's, and what is plain is not asked again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch

from headstart.engine import threads


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("slow", "best"), [(1, 2), (2, 1)])
def test_the_faster_count_is_found_and_in_force(slow: int, best: int) -> None:
    asked: list[int] = []

    def work() -> None:
        asked.append(torch.get_num_threads())
        time.sleep(0.05 if asked[-1] == slow else 0.005)

    assert threads.fastest(work, [1, 2]) == best == torch.get_num_threads()
    assert asked == [1, 2] * 2, "ten times as fast in both of two attempts is plain"


def test_counts_that_are_near_one_another_are_asked_about_as_often_as_was_wanted() -> None:
    asked: list[int] = []
    seconds = {1: 0.030, 2: 0.034}

    def work() -> None:
        asked.append(torch.get_num_threads())
        time.sleep(seconds[asked[-1]])

    threads.fastest(work, [1, 2], repeats=3)
    assert asked == [1, 2] * 4


def test_a_warm_up_alone_decides_nothing() -> None:
    """The first call of a network builds what later calls find ready."""
    asked: list[int] = []

    def work() -> None:
        asked.append(torch.get_num_threads())
        time.sleep(0.1 if len(asked) == 1 else 0.01 if asked[-1] == 1 else 0.03)

    assert threads.fastest(work, [1, 2]) == 1
    assert len(asked) == 8
