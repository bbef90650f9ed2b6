"""Masked batches for the engine: some tokens are hidden, and what they were is what there is to learn.

Of all tokens that stand for text 15 % are chosen; of these 80 % are replaced by the mask, 10 % by another token, and
10 % stay (Devlin et al., BERT, 2019, arXiv 1810.04805). Every epoch draws anew (Liu et al., RoBERTa, 2019, arXiv
1907.11692); held-out windows are masked once and for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from headstart.base.seeds import generator
from headstart.base.work import Batch
from headstart.data.pieces import Masking

MASKED, SWAPPED = 0.8, 0.1
"""Share of the chosen tokens that the mask replaces, and that another token does."""
SORTED = 32
"""Batches whose windows are sorted by length among themselves: what is padded costs as much as what is read."""


class Windows:
    """Windows of texts, each (t, 2): id + 1 and type of every token.

    Args:
        windows: none of them empty.
    """

    def __init__(self, windows: Sequence[np.ndarray]) -> None:
        self.windows = windows

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, positions: np.ndarray) -> torch.Tensor:
        """Tokens (b, 1, t, 2) int32 of the windows at these positions, padded with zeros."""
        chosen = [self.windows[int(position)] for position in positions]
        made = np.zeros((len(chosen), 1, max(map(len, chosen)), 2), dtype=np.int32)
        for row, window in zip(made, chosen, strict=True):
            row[0, : len(window)] = window
        return torch.from_numpy(made)


class Masked:
    """Batches of masked windows, in an order that is a pure function of (seed, epoch).

    A batch's ``inputs`` are ``tokens`` (b, 1, t, 2), ``chosen`` (b, 1, t) and ``wanted`` (m,), the ids that were at the
    m chosen places, which are its ``targets`` too.

    Args:
        windows: to learn from.
        rows: positions of those that are used, (n,).
        masking: of their tokenizer.
        batch: windows a step.
        share: of the tokens that are chosen.
        seed: of order and masks.
        fixed: the same masks in every epoch, in the windows' own order.
    """

    def __init__(
        self,
        windows: Windows,
        rows: np.ndarray,
        *,
        masking: Masking,
        batch: int,
        share: float,
        seed: int,
        fixed: bool = False,
    ) -> None:
        self.windows, self.rows, self.masking = windows, np.asarray(rows), masking
        self.batch, self.share, self.seed, self.fixed = batch, share, seed, fixed
        # By id + 1, as windows have them.
        self._words = np.zeros(masking.size + 1, dtype=bool)
        self._words[masking.words + 1] = True

    def __len__(self) -> int:
        return max(1, -(-len(self.rows) // self.batch))

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from the ``start``-th on."""
        epoch = 0 if self.fixed else epoch
        for step, index in enumerate(self._order(epoch)):
            if step >= start:
                yield self._masked(index, generator(self.seed, "mask", epoch, step))

    def _order(self, epoch: int) -> list[np.ndarray]:
        if self.fixed:
            return np.array_split(self.rows, range(self.batch, len(self.rows), self.batch))
        draw = generator(self.seed, "order", epoch)
        rows = draw.permutation(self.rows)
        found: list[np.ndarray] = []
        for begin in range(0, len(rows), self.batch * SORTED):
            some = rows[begin : begin + self.batch * SORTED]
            some = some[np.argsort([len(self.windows.windows[i]) for i in some], kind="stable")]
            found += np.array_split(some, range(self.batch, len(some), self.batch))
        return [found[i] for i in draw.permutation(len(found))]

    def _masked(self, index: np.ndarray, draw: np.random.Generator) -> Batch:
        tokens = self.windows[index]
        ids = tokens[:, 0, :, 0].numpy()
        chosen = self._chosen(ids, draw)
        wanted = torch.from_numpy(ids[chosen].astype(np.int64) - 1)
        fate = draw.random(int(chosen.sum()))
        others = draw.choice(self.masking.words, size=len(fate))
        ids[chosen] = 1 + np.where(
            fate < MASKED, self.masking.mask, np.where(fate < MASKED + SWAPPED, others, wanted.numpy())
        )
        inputs = {"tokens": tokens, "chosen": torch.from_numpy(chosen)[:, None], "wanted": wanted}
        return Batch(inputs, wanted, index)

    def _chosen(self, ids: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """Where tokens are hidden, (b, t): a share of those that stand for text, at least one in every window."""
        lot = np.where(self._words[ids], draw.random(ids.shape), 2.0)
        chosen: np.ndarray = lot < self.share
        least = lot.argmin(axis=1)
        chosen[np.arange(len(ids)), least] |= lot[np.arange(len(ids)), least] <= 1
        return chosen
