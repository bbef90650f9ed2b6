"""How many threads a network is fastest with: measured, for small networks on a busy machine want one.

Where other programs hold the cores, two threads that wait for one another were measured slower than one. The number
is part of the run's record, for it decides the order of floating-point sums.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from headstart.base.machine import use_threads


def fastest(work: Callable[[], object], counts: Sequence[int], repeats: int = 3) -> int:
    """The count with the lowest median time of ``work``; the counts are tried in turn, after one warm-up each.

    The count that was found is in force afterwards.
    """
    times: dict[int, list[float]] = {count: [] for count in counts}
    for attempt in range(repeats + 1):
        for count in counts:
            use_threads(count)
            started = time.perf_counter()
            work()
            if attempt:
                times[count].append(time.perf_counter() - started)
    best = min(counts, key=lambda count: sorted(times[count])[repeats // 2])
    use_threads(best)
    return best
