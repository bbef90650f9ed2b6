"""Batches: as large as what waits, never mixed up, never held up by what is broken or was given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np
import pytest

from headstart.base.errors import Undecodable
from headstart.ship.server.batching import Batcher, Outcome, Round
from headstart.ship.server.limits import Limits


class Network:
    """Doubles numbers, and waits while it is told to; keeps the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.go = threading.Event()
        self.go.set()
        self.threads: set[int] = set()

    def prepare(self, parcel: Any) -> np.ndarray:
        if parcel is None:
            raise Undecodable("it is nothing")
        return np.array([float(parcel)])

    def judge(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        self.go.wait(30)
        self.threads.add(threading.get_ident())
        self.batches.append([float(row[0]) for row in rows])
        if -1.0 in self.batches[-1]:
            raise MemoryError("too much")
        return 2 * np.stack(rows)


def run(work: Callable[[Batcher], Awaitable[Any]], network: Network, **limits: Any) -> tuple[Any, list[Round]]:
    """Do something with a batcher; its result, and the rounds."""
    rounds: list[Round] = []

    async def main() -> Any:
        batcher = Batcher(network.prepare, network.judge, Limits(**limits), observe=rounds.append)
        await batcher.start()
        try:
            return await asyncio.wait_for(work(batcher), 30)
        finally:
            network.go.set()
            batcher.close()

    return asyncio.run(main()), rounds


def values(outcomes: Sequence[Outcome]) -> list[Any]:
    return [type(each).__name__ if isinstance(each, Exception) else float(each[0]) for each in outcomes]


def test_everybody_gets_their_own_answers_in_their_own_order() -> None:
    network = Network()

    async def work(batcher: Batcher) -> list[list[Outcome]]:
        return await asyncio.gather(*(batcher.submit(range(i, i + i % 5 + 1)).outcomes for i in range(200)))

    found, rounds = run(work, network, batch=7)
    assert [values(each) for each in found] == [[2.0 * j for j in range(i, i + i % 5 + 1)] for i in range(200)]
    assert max(map(len, network.batches)) == 7
    assert [each.items for each in rounds] == [len(batch) for batch in network.batches]
    assert len(network.threads) == 1


def test_what_waits_while_the_network_works_is_one_batch() -> None:
    network = Network()

    async def work(batcher: Batcher) -> None:
        network.go.clear()
        first = batcher.submit([0])
        await asyncio.sleep(0.1)
        others = [batcher.submit([i]) for i in range(1, 21)]
        await asyncio.sleep(0.1)
        network.go.set()
        await asyncio.gather(first.outcomes, *(each.outcomes for each in others))

    run(work, network, batch=16)
    assert list(map(len, network.batches)) == [1, 16, 4]


def test_a_lone_client_never_waits_for_company_that_does_not_come() -> None:
    network = Network()

    async def work(batcher: Batcher) -> float:
        await batcher.submit([0, 1]).outcomes  # two items keep each other company
        await batcher.submit([0]).outcomes
        began = time.perf_counter()
        for i in range(5):
            await batcher.submit([i]).outcomes
        return time.perf_counter() - began

    took, _ = run(work, network, wait=0.5)
    assert took < 0.5


def test_where_there_was_company_the_next_batch_waits_for_it() -> None:
    network = Network()

    async def work(batcher: Batcher) -> None:
        await batcher.submit([0, 1]).outcomes
        early = batcher.submit([2])
        await asyncio.sleep(0.1)
        late = batcher.submit([3])
        await asyncio.gather(early.outcomes, late.outcomes)

    run(work, network, wait=1.0, batch=2)
    assert network.batches[-1] == [2.0, 3.0]


def test_broken_items_have_their_own_error_and_cost_no_pass() -> None:
    network = Network()

    async def work(batcher: Batcher) -> list[Any]:
        return [values(await batcher.submit([1, None, 2]).outcomes), values(await batcher.submit([None]).outcomes)]

    found, rounds = run(work, network)
    assert found == [[2.0, "Undecodable", 4.0], ["Undecodable"]]
    assert sum(each.items for each in rounds) == 2


def test_a_pass_that_fails_is_told_to_its_items_and_the_next_one_works() -> None:
    network = Network()

    async def work(batcher: Batcher) -> list[Any]:
        return [values(await batcher.submit([each]).outcomes) for each in (-1, 3)]

    found, _ = run(work, network)
    assert found == [["MemoryError"], [6.0]]


def test_what_was_given_up_is_not_computed() -> None:
    network = Network()

    async def work(batcher: Batcher) -> None:
        network.go.clear()
        busy = batcher.submit([0])
        await asyncio.sleep(0.1)
        for i in range(1, 9):
            batcher.submit([i, i]).outcomes.cancel()
        kept = batcher.submit([9])
        await asyncio.sleep(0.1)
        network.go.set()
        await asyncio.gather(busy.outcomes, kept.outcomes)

    run(work, network, batch=4)
    assert [row for batch in network.batches for row in batch] == [0.0, 9.0]


def test_a_network_that_does_not_start_is_told_by_start() -> None:
    def broken() -> None:
        raise MemoryError("too much")

    async def main() -> None:
        network = Network()
        batcher = Batcher(network.prepare, network.judge, Limits(), observe=lambda done: None, first=broken)
        with pytest.raises(MemoryError, match="too much"):
            await batcher.start()
        batcher.close()

    asyncio.run(main())
