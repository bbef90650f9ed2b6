"""The parts of a data set as people look at them: items that a model answered without having seen them, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.data.dataset import Dataset
from headstart.data.printable import printable

HELD_OUT = ("tested", "validation")
"""Parts that the winner was not fitted to when it answered."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some items of a data set.

    Attributes:
        rows: (m,) positions in the data set.
        targets: of the m items.
        predictions: (m, K) of the model that is sealed; empty for the items it was always fitted to.
    """

    rows: np.ndarray
    targets: np.ndarray
    predictions: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def parts(ground: Ground, ended: Finished) -> Mapping[str, Part]:
    """``tested`` in the order of the kept predictions, ``validation`` in that of the folds, and the rest."""
    data, held = ground.dataset, ground.held
    training = np.setdiff1d(np.arange(len(ground.items)), held)
    tested = data.test if len(data.test) else data.development[held]
    nothing = np.zeros((0, len(ground.task.names)))
    return {
        "tested": Part(tested, data.targets[tested], ended.predictions),
        "validation": Part(data.development[held], ground.targets[held], ended.trial.predictions),
        "training": Part(data.development[training], ground.targets[training], nothing),
    }


def row(data: Dataset, position: int) -> dict[str, Any]:
    """How an item is named to people, where its file is if it has one, and the digest of its contents."""
    path, where = _path(data.items[position]), data.wheres[position]
    return {
        "where": where if path is None else _within(path, where, data.origin),
        "path": None if path is None else str(path),
        "digest": data.digests[position],
    }


def twins(data: Dataset) -> dict[int, int]:
    """Position of a test item -> that of a near duplicate among the items that were learnt from.

    Only parts that the source gave can tear near duplicates apart; a drawn split keeps them together.
    """
    learnt = set(data.development.tolist())
    found: dict[int, int] = {}
    for cluster in data.near.across:
        partner = next((position for position in cluster if position in learnt), None)
        if partner is not None:
            found |= {position: partner for position in cluster if position not in learnt}
    return found


def _path(item: Any) -> Path | None:
    """The absolute path of an item that is a file; its links are not followed, for the name is the user's."""
    if not isinstance(item, str | os.PathLike):
        return None
    path = Path(item).absolute()
    return path if path.is_file() else None


def _within(path: Path, where: str, origin: str) -> str:
    """The path as seen from the source, if it lies in it or beside it."""
    source = Path(origin).absolute()
    folder = source if source.is_dir() else source.parent
    known = source.exists() and path.is_relative_to(folder)
    return printable(str(path.relative_to(folder))) if known else where
