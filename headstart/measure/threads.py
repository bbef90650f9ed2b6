"""How many threads a matrix product may use.

BLAS threads wait for each other by spinning. For small products they gain little, and where other processes hold the
processors each product waits for a turn of the scheduler: logistic regression on 1,000 x 512 features was measured 27
times slower with two threads than with one on a busy two-core machine.
"""

from __future__ import annotations

from threadpoolctl import threadpool_limits

WORTH = 1e9
"""Floating-point operations of one product from which on threads are left alone."""


def suited(operations: float) -> threadpool_limits:
    """A context in which BLAS uses one thread, unless a product takes enough ``operations`` to share."""
    return threadpool_limits(1 if operations < WORTH else None, user_api="blas")
