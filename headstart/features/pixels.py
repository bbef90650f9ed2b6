"""Decoded inputs, once: what was read and resized, or tokenised, for one backbone is not read again by another run.

Pictures are of one size. Texts are of their own: tokens (w, t, 2) of w windows, filled up with zeros where they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from headstart.base import discovery
from headstart.base.errors import DiskFull, Undecodable
from headstart.base.progress import Reporter, Silent
from headstart.base.vocabulary import Reading
from headstart.features.reading import load_each
from headstart.features.store import EXTENT, Store, Writer, joined


class Pixels:
    """Inputs of a list of items, uint8 (n, 3, s, s), read by position.

    Kept in the store when they fit under its limit; decoded at each reading when they do not.

    Args:
        items, digests: the items and the digests of their bytes.
        preprocessing: only its geometry matters; mean and std are the network's business.
        store: where decoded inputs are kept.
        modality: a plug-in of the data room.
        report: told how many items have been decoded.

    Attributes:
        owners: None, for every item is a whole; see ``features.units``.
    """

    def __init__(
        self,
        items: Sequence[Any],
        digests: Sequence[str],
        preprocessing: Reading,
        store: Store,
        *,
        modality: str = "images",
        report: Reporter | None = None,
    ) -> None:
        self.items, self.digests, self.preprocessing, self.modality = items, digests, preprocessing, modality
        self.owners: np.ndarray | None = None
        room = discovery.load("data", modality)
        self.ragged: bool = getattr(room, "RAGGED", False)
        self.bytes = len(items) * int(np.prod(room.shape(preprocessing)))
        self.shelf = store.shelf(what="inputs", modality=modality, **room.geometry(preprocessing))
        self.stored = store.room_for(self.bytes)
        if self.stored:
            self._keep(report or Silent())

    def __len__(self) -> int:
        return len(self.items)

    @property
    def whole(self) -> Pixels:
        """The inputs of what is read at once: of the items themselves."""
        return self

    def shared(self, positions: Sequence[int] | np.ndarray) -> tuple[list[int], Callable[[torch.Tensor], torch.Tensor]]:
        """What is read for the items at ``positions``, and what becomes of a batch of it: nothing."""
        return [int(position) for position in positions], lambda batch: batch

    def _keep(self, report: Reporter) -> None:
        try:
            self._fill(report)
        except DiskFull as error:
            # What is decoded again is the same, only slower: no reason to give up.
            self.stored = False
            report.end()
            report.say(f"{error.what} ({error.where}): items are decoded anew whenever they are needed")

    def _fill(self, report: Reporter) -> None:
        wanted = set(self.shelf.missing(self.digests))
        if not wanted:
            return
        first = {digest: position for position, digest in reversed(list(enumerate(self.digests))) if digest in wanted}
        order = sorted(first.values())
        report.begin("decode", len(order))
        writer = Writer(self.shelf)
        try:
            loaded = load_each([self.items[i] for i in order], self.preprocessing, modality=self.modality)
            for position, array in zip(order, loaded, strict=True):
                if isinstance(array, Undecodable):
                    raise array
                writer.add([self.digests[position]], self._values(torch.from_numpy(array)[None]))
                report.advance()
        finally:
            writer.flush()
        report.end()

    def _values(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        extent = {"inputs" + EXTENT: torch.tensor([inputs.shape[1:3]], dtype=torch.int32)} if self.ragged else {}
        return {"inputs": inputs, **extent}

    @cached_property
    def extents(self) -> np.ndarray:
        """(n, 2) windows and tokens of each text."""
        if self.stored:
            return self.shelf.gather(self.digests, "inputs" + EXTENT).numpy()
        return np.array([self[[position]].shape[1:3] for position in range(len(self))])

    @cached_property
    def sizes(self) -> np.ndarray | None:
        """(n,) tokens of each text, the empty places of its windows too; None where all items are of one size."""
        return self.extents.prod(axis=1) if self.ragged else None

    def by_length(self, rows: np.ndarray) -> np.ndarray:
        """The turn (m,) in which to batch the items at ``rows``: texts of about one length follow one another.

        A batch costs what its longest item costs.
        """
        return np.arange(len(rows)) if self.sizes is None else np.argsort(self.sizes[rows], kind="stable")

    def overview(self) -> str:
        """What is to be said of how the items are read; empty for nothing."""
        if not self.ragged or not len(self):
            return ""
        room = discovery.load("data", self.modality)
        return str(room.overview(self.items, self.extents, self.preprocessing))

    @property
    def fill(self) -> float:
        """Share of what items might take that they do take, on average."""
        if not self.ragged or not len(self):
            return 1.0
        return float(self.extents.prod(axis=1).mean()) / self.preprocessing.size

    def __getitem__(self, positions: Sequence[int] | np.ndarray) -> torch.Tensor:
        """Inputs (b, 3, s, s) uint8 of the items at ``positions``."""
        chosen = [int(position) for position in positions]
        if self.stored:
            return self.shelf.gather([self.digests[i] for i in chosen], "inputs")
        arrays = []
        for array in load_each([self.items[i] for i in chosen], self.preprocessing, modality=self.modality):
            if isinstance(array, Undecodable):
                raise array
            arrays.append(torch.from_numpy(array)[None])
        return joined(arrays)
