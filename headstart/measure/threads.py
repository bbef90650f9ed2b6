"""How many threads a matrix product may use.

BLAS threads wait for each other by spinning. For small products they gain little, and where other processes hold the
processors each product waits for a turn of the scheduler: logistic regression on 1,000 x 512 features was measured 27
times slower with two threads than with one on a busy two-core machine.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import scipy.linalg  # noqa: F401 - brings a BLAS of its own, which has to be there when the libraries are looked for
from threadpoolctl import ThreadpoolController

WORTH = 1e9
"""Floating-point operations of one product from which on threads are left alone."""


def suited(operations: float) -> AbstractContextManager[Any]:
    """A context in which BLAS uses one thread, unless a product takes enough ``operations`` to share."""
    found: AbstractContextManager[Any] = _libraries().limit(limits=1 if operations < WORTH else None, user_api="blas")
    return found


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """The libraries with threads of their own, looked for once: that takes longer than a small solution."""
    return ThreadpoolController()
