"""Small products keep to one thread, and the setting ends with the context."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info

from headstart.measure import threads


def in_use() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_small_work_uses_one_thread_and_large_work_all() -> None:
    before = in_use()
    with threads.suited(1e6):
        assert set(in_use()) == {1}
    with threads.suited(1e12):
        assert in_use() == before
    assert in_use() == before
