"""Batches for the engine, in an order that is a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from headstart.base import seeds
from headstart.base.errors import BadOption
from headstart.base.work import Batch
from headstart.features import mixing
from headstart.features.frozen import Activations

POOL = 8
"""Batches whose items are sorted by length before they are cut apart: their lengths stay mixed from epoch to epoch."""


class Training:
    """Shuffled batches of activations; each epoch reads the next view, and batches are mixed if that is asked for.

    A last batch of one item is left out, for batch statistics need two. Items of lengths of their own come in batches
    of about one length, for a batch costs what its longest costs. Items that are parts of wholes come whole by whole,
    and it is wholes that a batch has so many of.

    Args:
        activations: what the tail reads.
        rows: positions of the training items, (n,).
        targets: of every item of the data set, (N,) or (N, C).
        batch_size: items in a batch.
        seed: of the order and the mixing.
        augment: False reads the plain view only, and mixes nothing.
        classes: C, for mixing class indices; None counts those there are.

    Raises:
        BadOption: for boxes (CutMix) where no map crosses the cut; for any mixing of items that are parts of wholes.
    """

    def __init__(
        self,
        activations: Activations,
        rows: np.ndarray,
        targets: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        augment: bool = True,
        classes: int | None = None,
    ) -> None:
        self.activations, self.rows, self.targets = activations, np.asarray(rows), targets
        self.batch_size, self.seed, self.classes = batch_size, seed, classes
        self._leaders, self._together = _wholes(activations, self.rows)
        drawn = activations.augmentation
        self.augment = augment and drawn.varies
        self.mix = augment and (drawn.mixup > 0 or drawn.cutmix > 0)
        if self.mix:
            mixing.check(activations.frozen.backbone, activations.depth, drawn)
            if activations.frozen.pixels.owners is not None:
                raise BadOption(
                    "Parts of wholes cannot be mixed", where="augmentation.mixup", expected="0, and cutmix 0"
                )

    def __len__(self) -> int:
        whole, rest = divmod(len(self._leaders), self.batch_size)
        return max(1, whole + (rest > 1))

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from the ``start``-th on."""
        view = self._view(epoch)
        for step, index in enumerate(self._cut(epoch)[start:], start):
            inputs, targets = self.activations.batch(index, view, epoch, step), torch.from_numpy(self.targets[index])
            if self.mix:
                inputs, targets = self._mixed(inputs, targets, seeds.derive(self.seed, "mix", epoch, step))
            yield Batch(inputs, targets, index)

    def _cut(self, epoch: int) -> list[np.ndarray]:
        """The rows of each batch."""
        return [self.rows[self._together(leaders)] for leaders in self._drawn(epoch)]

    def _drawn(self, epoch: int) -> list[np.ndarray]:
        """Where the first row of each whole of each batch stands among the rows."""
        draw = seeds.generator(self.seed, "order", epoch)
        order = self._leaders[draw.permutation(len(self._leaders))]
        sizes = self.activations.frozen.pixels.sizes
        if sizes is None:
            return [order[step * self.batch_size : (step + 1) * self.batch_size] for step in range(len(self))]
        # What is too little for a batch of its own is left out before it is sorted: it shall not always be the longest.
        order, pool = order[: len(self) * self.batch_size], POOL * self.batch_size
        pools = [order[begin : begin + pool] for begin in range(0, len(order), pool)]
        sorted_ = np.concatenate([each[np.argsort(sizes[self.rows[each]], kind="stable")] for each in pools])
        found = [sorted_[begin : begin + self.batch_size] for begin in range(0, len(order), self.batch_size)]
        return [found[int(each)] for each in draw.permutation(len(found))]

    def _mixed(self, inputs: torch.Tensor, targets: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        classes = self.classes or int(self.targets.max()) + 1
        axis = self.activations.frozen.backbone.channel_axis(self.activations.depth)
        drawn = self.activations.augmentation
        return mixing.mixed(inputs, targets, drawn, seed=seed, classes=classes, channel_axis=axis)

    def _view(self, epoch: int) -> int:
        if not self.augment:
            return 0
        # Stored: the views in turn. Not stored: view 0 would be plain, so every epoch is a new one.
        return epoch % self.activations.views if self.activations.views else epoch + 1


class Judging:
    """The plain view of the held-out items, in their own order, or those of lengths of their own the shortest first.

    Attributes:
        order: where each item of the batches stands among ``rows``.
    """

    def __init__(
        self, activations: Activations, rows: np.ndarray, targets: np.ndarray, *, batch_size: int = 64
    ) -> None:
        self.activations, self.rows, self.targets = activations, np.asarray(rows), targets
        self.batch_size = batch_size
        sizes = activations.frozen.pixels.sizes
        leaders, together = _wholes(activations, self.rows)
        if sizes is not None:
            leaders = leaders[np.argsort(sizes[self.rows[leaders]], kind="stable")]
        starts = range(0, max(1, len(leaders)), batch_size)
        self._cut = [together(leaders[start : start + batch_size]) for start in starts]
        self.order = np.concatenate(self._cut)

    def __len__(self) -> int:
        return len(self._cut)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The same batches whatever the epoch."""
        for step in range(start, len(self)):
            index = self.rows[self._cut[step]]
            yield Batch(self.activations.batch(index, 0), torch.from_numpy(self.targets[index]), index)


def _wholes(activations: Activations, rows: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Where among the rows each whole begins, and what gives all places of some wholes by their first ones."""
    owners = activations.frozen.pixels.owners
    if owners is None:
        return np.arange(len(rows)), lambda leaders: leaders
    order = np.argsort(owners[rows], kind="stable")
    starts = np.flatnonzero(np.diff(owners[rows][order], prepend=-1))
    parts = {int(part[0]): part for part in np.split(order, starts[1:])} if len(order) else {}

    def together(leaders: np.ndarray) -> np.ndarray:
        found = [parts[int(leader)] for leader in leaders]
        return np.concatenate(found) if found else leaders

    return order[starts], together
