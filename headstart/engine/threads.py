"""How many threads a network is fastest with: measured, for small networks on a busy machine want one.

Where other programs hold the cores, two threads that wait for one another were measured slower than one. The number
is part of the run's record, for it decides the order of floating-point sums.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from headstart.base.machine import use_threads

CLEAR = 1.4
"""How many times as fast as any other a count must have been, warm-up and once more, for no further question."""


def fastest(work: Callable[[], object], counts: Sequence[int], repeats: int = 3) -> int:
    """The count with the lowest median time of ``work``; the counts are tried in turn, after one warm-up each.

    The count that was found is in force afterwards. One that is far ahead both in its warm-up and after it is found at
    once.
    """
    times: dict[int, list[float]] = {count: [] for count in counts}
    for attempt in range(repeats + 1):
        for count in counts:
            use_threads(count)
            started = time.perf_counter()
            work()
            times[count].append(time.perf_counter() - started)
        if attempt == 1 and _leads(list(times.values())):
            break
    best = min(counts, key=lambda count: statistics.median(times[count][1:]))
    use_threads(best)
    return best


def _leads(times: Sequence[Sequence[float]]) -> bool:
    """Whether one count was far ahead of every other one each time."""
    if len(times) < 2:
        return True
    first = [sorted(each) for each in zip(*times, strict=True)]
    winners = {each.index(min(each)) for each in zip(*times, strict=True)}
    return len(winners) == 1 and all(CLEAR * each[0] <= each[1] for each in first)
