"""The door: how many items and bytes are inside at once, and whether the house is closing.

A request takes a place before its body is read, so that a flood is turned away while it is still cheap.
"""

from __future__ import annotations

import math
from types import TracebackType

from headstart.ship.server import refusals
from headstart.ship.server.limits import Limits

LONGEST_WAIT = 60
"""Seconds that a client is told to wait at most."""


class Door:
    """Counts who is inside; all its methods are for the event loop's thread.

    Args:
        limits: of the server.

    Attributes:
        closing: the server is stopping, nobody new comes in.
        items: that are inside.
        held: bytes of requests that are inside.
        pace: seconds that an item took of late, for the time that a refused client is told to wait.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits, self.closing, self.items, self.held, self.pace = limits, False, 0, 0, 0.0

    def enter(self) -> Visit:
        """A place for one item.

        Raises:
            Refusal: 503, when the server is stopping or full.
        """
        if self.closing:
            raise refusals.unavailable("Stopping", "The server is stopping", seconds=5)
        visit = Visit(self)
        visit.bring(1)
        return visit

    def full(self, what: str) -> refusals.Refusal:
        """503, with a guess when there will be room."""
        seconds = min(LONGEST_WAIT, max(1, math.ceil(self.items * self.pace)))
        return refusals.unavailable("Busy", what, seconds=seconds)


class Visit:
    """What one request holds; given back when the block ends."""

    def __init__(self, door: Door) -> None:
        self._door, self._items, self._held = door, 0, 0

    def bring(self, items: int) -> None:
        """More items come in.

        Raises:
            Refusal: 503, when there is no room for them.
        """
        if self._door.items + items > self._door.limits.queue:
            raise self._door.full(f"{self._door.items} items are waiting")
        self._door.items += items
        self._items += items

    def hold(self, size: int) -> None:
        """More bytes come in.

        Raises:
            Refusal: 503, when requests already hold too many.
        """
        if self._door.held + size > self._door.limits.memory:
            raise self._door.full("Large requests are waiting")
        self._door.held += size
        self._held += size

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._door.items -= self._items
        self._door.held -= self._held
