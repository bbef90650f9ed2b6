"""A stream of pictures, or of several augmented views of each, in an order that is pure in (seed, epoch)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from headstart.base.seeds import derive, generator
from headstart.base.work import Batch
from headstart.features.pixels import Pixels

Vary = Callable[[torch.Tensor, int], torch.Tensor]
"""(batch uint8 (b, 3, h, w), seed) to the batch as another view."""


@dataclass(frozen=True, slots=True)
class Views:
    """Batches of the pictures at ``rows``.

    A batch holds ``views`` views of each of its pictures: first one of all, then the next of all. An incomplete last
    batch is left out of training, for batch statistics and contrasts would be other ones there.

    Attributes:
        pixels: the pictures, decoded.
        rows: positions of those that are streamed.
        targets: class of every picture of ``pixels``; by default each picture is a class of its own.
        batch: pictures a step.
        seed: of order and views.
        vary: makes a view; None gives pictures as they are.
        views: of each picture in its batch.
        fixed: the same views in the same order in every epoch, none left out, for judging.
    """

    pixels: Pixels
    rows: np.ndarray
    batch: int
    seed: int
    vary: Vary | None = None
    targets: np.ndarray | None = None
    views: int = 1
    fixed: bool = False

    def __len__(self) -> int:
        """Steps in one epoch."""
        return -(-len(self.rows) // self.batch) if self.fixed else max(1, len(self.rows) // self.batch)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from the ``start``-th on."""
        epoch = 0 if self.fixed else epoch
        order = self.rows
        if not self.fixed:
            order = order[generator(self.seed, "order", epoch).permutation(len(order))]
        for step in range(start, len(self)):
            yield self._batch(order[step * self.batch : (step + 1) * self.batch], epoch, step)

    def _batch(self, index: np.ndarray, epoch: int, step: int) -> Batch:
        pictures = self.pixels[index]
        made = [
            pictures if self.vary is None else self.vary(pictures, derive(self.seed, "view", view, epoch, step))
            for view in range(self.views)
        ]
        shown = np.tile(index, self.views)
        targets = shown if self.targets is None else self.targets[shown]
        return Batch(torch.cat(made), torch.from_numpy(targets), shown)
