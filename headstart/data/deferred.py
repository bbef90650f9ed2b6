"""An item that stays where it is until it is needed: a place in a data set that somebody else keeps.

A list of such items takes a few bytes each, so memory stays flat however large the data set is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headstart.base.errors import Undecodable
from headstart.data.printable import printable


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """Something that gives items by number, one caller at a time: data sets are rarely made for threads.

    Attributes:
        get: item number -> a path, the bytes of a file, a PIL image or an array.
        name: what messages call the shelf; the item's number follows.
    """

    get: Callable[[int], Any]
    name: str
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True, eq=False)
class Deferred:
    """One item of a shelf."""

    shelf: Shelf
    number: int

    @property
    def name(self) -> str:
        """How messages name it, counted from 1."""
        return f"{self.shelf.name}, item {self.number + 1}"

    def read(self) -> Any:
        """Fetch it.

        Raises:
            Undecodable: whatever the data set raised.
        """
        try:
            with self.shelf.lock:
                return self.shelf.get(self.number)
        except Undecodable:
            raise
        except Exception as error:  # somebody else's data set raises anything
            why = printable(str(error).splitlines()[0] if str(error) else type(error).__name__)
            raise Undecodable(f"the data set does not give it: {why}", where=self.name) from error


def fetched(item: Any) -> Any:
    """A deferred item as what it stands for; any other item as it is.

    Raises:
        Undecodable: as ``Deferred.read``.
    """
    return item.read() if isinstance(item, Deferred) else item
