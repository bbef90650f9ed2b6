"""Items of many clients, answered in batches: decoded by a few threads, judged by one.

An item goes from the event loop to a thread that decodes it, from there straight to the one thread that runs the
network, and its prediction comes back to the loop together with those of its batch. A batch is as large as what is
waiting when the network is free, up to a bound; a small one waits a moment for company, unless there was none last
time: a lone client never waits. What nobody waits for any more is dropped wherever it is.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.ship.server.limits import Limits

Outcome = Any
"""What is said of an item, as ``judge`` gives it; or the exception that says why nothing is."""


@dataclass(frozen=True, slots=True)
class Round:
    """One forward pass: how many items, and how long it took (seconds)."""

    items: int
    seconds: float


class Job:
    """The items of one request.

    Attributes:
        outcomes: resolves to one outcome an item; cancel it when nobody waits for it any more.
    """

    __slots__ = ("_found", "_left", "outcomes")

    def __init__(self, size: int) -> None:
        self.outcomes: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._found: list[Any] = [None] * size
        self._left = size

    def settle(self, position: int, outcome: Outcome) -> None:
        """The outcome of one item; on the event loop's thread."""
        self._found[position] = outcome
        self._left -= 1
        if not self._left and not self.outcomes.done():
            self.outcomes.set_result(self._found)


@dataclass(slots=True)
class _Ticket:
    job: Job
    position: int
    parcel: Any
    prepared: Outcome | None = None

    @property
    def dropped(self) -> bool:
        return self.job.outcomes.cancelled()


class Batcher:
    """Forms batches and runs them.

    Args:
        prepare: a parcel to a prepared item, on any of several threads; raises Undecodable.
        judge: prepared items to what is said of each, always on the same thread.
        limits: how large a batch is, and how long it waits.
        observe: told of every round, on the event loop's thread.
        first: called on the judging thread before anything else.
    """

    def __init__(
        self,
        prepare: Callable[[Any], np.ndarray],
        judge: Callable[[Sequence[np.ndarray]], Sequence[Outcome]],
        limits: Limits,
        *,
        observe: Callable[[Round], None],
        first: Callable[[], None] = lambda: None,
    ) -> None:
        self._prepare, self._judge, self._limits, self._observe, self._first = prepare, judge, limits, observe, first
        self._new: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._decoding = [threading.Thread(target=self._open, daemon=True) for _ in range(os.cpu_count() or 1)]
        self._judging = threading.Thread(target=self._work, daemon=True)
        # Each is written by one thread only, so no lock is needed to compare them.
        self._submitted = self._arrived = 0
        self._company = False

    async def start(self) -> None:
        """Start the threads; returns when the network is ready."""
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        for thread in (self._judging, *self._decoding):
            thread.start()
        await self._ready

    def submit(self, parcels: Sequence[Any]) -> Job:
        """Have the items of a request judged; on the event loop's thread."""
        job = Job(len(parcels))
        for position, parcel in enumerate(parcels):
            self._submitted += 1
            self._new.put(_Ticket(job, position, parcel))
        return job

    def close(self) -> None:
        """End the threads; what is still waiting is not answered."""
        for _ in self._decoding:
            self._new.put(None)
        self._queue.put(None)
        if self._judging.is_alive():
            self._judging.join(timeout=5)

    def _open(self) -> None:
        while (ticket := self._new.get()) is not None:
            if not ticket.dropped:
                try:
                    ticket.prepared = self._prepare(ticket.parcel)
                except Exception as error:  # whatever one item does, the others are answered
                    ticket.prepared = error
            ticket.parcel = None
            self._queue.put(ticket)

    def _work(self) -> None:
        try:
            self._first()
        except Exception as error:  # told by start
            self._loop.call_soon_threadsafe(self._ready.set_exception, error)
            return
        self._loop.call_soon_threadsafe(self._ready.set_result, None)
        while (batch := self._gather()) is not None:
            started = time.perf_counter()
            outcomes = self._judged(batch)
            done = Round(
                sum(not isinstance(ticket.prepared, Exception) for ticket in batch), time.perf_counter() - started
            )
            self._loop.call_soon_threadsafe(self._deliver, batch, outcomes, done)

    def _gather(self) -> list[_Ticket] | None:
        """The next batch, its unreadable items included; None at the end."""
        batch: list[_Ticket] = []
        until = None
        while len(batch) < self._limits.batch:
            try:
                ticket = self._queue.get(**self._patience(until))
            except queue.Empty:
                break
            if ticket is None:
                return None
            self._arrived += 1
            until = time.perf_counter() + self._limits.wait if until is None else until
            if not ticket.dropped:
                batch.append(ticket)
        self._company = len(batch) > 1
        return batch

    def _patience(self, until: float | None) -> dict[str, Any]:
        """How long to wait for one more: for ever for the first, not at all where nobody else seems to be there."""
        if until is None:
            return {}
        left = until - time.perf_counter()
        if left <= 0 or not (self._company or self._submitted > self._arrived):
            return {"block": False}
        return {"timeout": left}

    def _judged(self, batch: Sequence[_Ticket]) -> list[Outcome]:
        outcomes: list[Any] = [ticket.prepared for ticket in batch]
        readable = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, Exception)]
        if not readable:
            return outcomes
        try:
            rows: Sequence[Outcome] = list(self._judge([outcomes[place] for place in readable]))
        except Exception as error:  # told to every client of the batch, and in the log
            rows = [error] * len(readable)
        for place, row in zip(readable, rows, strict=True):
            outcomes[place] = row
        return outcomes

    def _deliver(self, batch: Sequence[_Ticket], outcomes: Sequence[Outcome], done: Round) -> None:
        if done.items:
            self._observe(done)
        for ticket, outcome in zip(batch, outcomes, strict=True):
            ticket.job.settle(ticket.position, outcome)
