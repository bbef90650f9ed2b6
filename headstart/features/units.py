"""Inputs of items that are parts of larger ones, such as the words of a sentence: one reading serves a whole.

Whoever asks for some parts gets a batch of wholes in which these parts are marked, so that a network gives one row for
each, in the order asked for. Parts of one whole that are asked for one after the other share one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from headstart.backbones import units
from headstart.base import discovery
from headstart.base.progress import Reporter
from headstart.base.vocabulary import Reading
from headstart.features.pixels import Pixels
from headstart.features.store import Store

Run = tuple[int, list[int]]
"""A whole, and which of its parts."""


class Units:
    """Inputs of a list of items that are parts of wholes, read by position as ``Pixels`` are.

    Args:
        items, digests, preprocessing, store, modality, report: as ``Pixels`` takes them.

    Attributes:
        whole: the inputs of the wholes.
        owners: (n,) the whole that each item is a part of.
        places: (n,) which part of it.
    """

    def __init__(
        self,
        items: Sequence[Any],
        digests: Sequence[str],
        preprocessing: Reading,
        store: Store,
        *,
        modality: str,
        report: Reporter | None = None,
    ) -> None:
        self.items, self.digests = items, digests
        room = discovery.load("data", modality)
        wholes, self.owners, self.places = apart(items, room)
        named = [room.digest(whole) for whole in wholes]
        self.whole = Pixels(wholes, named, preprocessing, store, modality=modality, report=report)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def preprocessing(self) -> Reading:
        """How the wholes are read."""
        return self.whole.preprocessing

    def by_length(self, rows: np.ndarray) -> np.ndarray:
        """The turn (m,) in which to batch the items at ``rows``: as they come, for parts of one whole share a pass."""
        return np.arange(len(rows))

    @property
    def modality(self) -> str:
        """The plug-in of the data room."""
        return self.whole.modality

    @property
    def ragged(self) -> bool:
        """Whether wholes have extents of their own."""
        return self.whole.ragged

    @property
    def bytes(self) -> int:
        """Of the inputs of all wholes."""
        return self.whole.bytes

    @property
    def stored(self) -> bool:
        """Whether they are kept."""
        return self.whole.stored

    @property
    def sizes(self) -> np.ndarray | None:
        """(n,) tokens of the whole that each item is a part of."""
        return None if self.whole.sizes is None else self.whole.sizes[self.owners]

    @property
    def fill(self) -> float:
        """Share of what the wholes might take that they do take, on average."""
        return self.whole.fill

    def overview(self) -> str:
        """What is to be said of how the wholes are read; empty for nothing."""
        return self.whole.overview()

    def __getitem__(self, positions: Sequence[int] | np.ndarray) -> torch.Tensor:
        """Inputs (b, ...) of the wholes, one for neighbours, in which the items at ``positions`` are asked about."""
        wholes, marked = self.shared(positions)
        return marked(self.whole[wholes])

    def shared(self, positions: Sequence[int] | np.ndarray) -> tuple[list[int], Callable[[torch.Tensor], torch.Tensor]]:
        """The wholes of the items at ``positions``, and what marks these items in a batch of them, behind a cut too."""
        runs = list(_runs(self.owners, self.places, positions))
        parts = [places for _, places in runs]
        return [whole for whole, _ in runs], lambda batch: units.only(batch, parts)


def of(
    items: Sequence[Any],
    digests: Sequence[str],
    preprocessing: Reading,
    store: Store,
    *,
    modality: str = "images",
    report: Reporter | None = None,
) -> Pixels | Units:
    """The inputs of some items, whether they are wholes or parts."""
    kind = Units if hasattr(discovery.load("data", modality), "whole") else Pixels
    return kind(items, digests, preprocessing, store, modality=modality, report=report)


def apart(items: Sequence[Any], room: Any) -> tuple[list[Any], np.ndarray, np.ndarray]:
    """The wholes of items that are parts, the whole (n,) of each item, and which part (n,) of it the item is."""
    wholes: list[Any] = []
    number: dict[int, int] = {}
    owners, places = np.zeros(len(items), dtype=np.int64), np.zeros(len(items), dtype=np.int64)
    for position, item in enumerate(items):
        key, places[position] = room.part(item)
        if key not in number:
            number[key] = len(wholes)
            wholes.append(room.whole(item))
        owners[position] = number[key]
    return wholes, owners, places


def runs(items: Sequence[Any], room: Any) -> Iterator[tuple[Any, list[int]]]:
    """Items that one pass can serve: one item for them all, and their positions, in order."""
    if not hasattr(room, "whole"):
        yield from ((item, [position]) for position, item in enumerate(items))
        return
    wholes, owners, places = apart(items, room)
    start = 0
    for whole, chosen in _runs(owners, places, range(len(items))):
        yield room.some(wholes[whole], chosen), list(range(start, start + len(chosen)))
        start += len(chosen)


def _runs(owners: np.ndarray, places: np.ndarray, positions: Sequence[int] | np.ndarray) -> Iterator[Run]:
    """Neighbours of one whole, in ascending order, together."""
    current: Run | None = None
    for position in positions:
        owner, place = int(owners[int(position)]), int(places[int(position)])
        if current is not None and current[0] == owner and place > current[1][-1]:
            current[1].append(place)
            continue
        if current is not None:
            yield current
        current = (owner, [place])
    if current is not None:
        yield current
