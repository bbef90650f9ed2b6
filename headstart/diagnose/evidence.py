"""What a diagnosis may read when nothing has been trained: a data set as it was found, and what fit would make of it.

The items are numbered 0 to n - 1. Plain facts stand for what they show, so a diagnosis never learns what kind of thing
an item is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.base.errors import DataError
from headstart.base.vocabulary import BackboneInfo, Demand, Fact, Skipped
from headstart.data.dataset import Dataset
from headstart.data.looking import Looked
from headstart.data.printable import count
from headstart.tasks.task import Task, Value, text

LISTED = 12
"""Items that a finding names; the rest are counted."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """A data set before any training.

    Attributes:
        modality: plural noun for the items, and the data room's file.
        items: how messages name each usable item, n.
        digests: of their contents.
        task: what the labels are for.
        said: what each item is said to be, n: a class, a tuple of labels, a number.
        given: part that the source put each item in; None where it did not.
        facts: name -> (n,) values, floats with NaN where unknown, or texts.
        words: name of a fact -> what it is.
        demands: what items should be like, by name.
        skipped: items that cannot be used.
        total: items in the source, usable or not.
        data: the data set that fit would train on; None if it would refuse.
        refusal: why it would.
        backbone: the network that the items are compared with, if one was named.
        marks: names of single things that an item may show, such as words, and which items show them, sparse (n, m);
            asked for when needed. None if the modality knows of none.
    """

    modality: str
    items: Sequence[str]
    digests: Sequence[str]
    task: Task
    said: Sequence[Value]
    given: Sequence[str | None]
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Mapping[str, Fact] = field(default_factory=dict)
    demands: Mapping[str, Demand] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    total: int = 0
    data: Dataset | None = None
    refusal: DataError | None = None
    backbone: BackboneInfo | None = None
    marks: Callable[[], tuple[Sequence[str], Any]] | None = None

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def targets(self) -> np.ndarray:
        """What is said of the items as the task reads it, one row an item."""
        return self.task.encode(self.said)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes or labels, L, in natural order; none where numbers are said, for they name nothing."""
        return self.task.names if self.task.words.counted else ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The names if each item has exactly one of them; none otherwise."""
        return self.names if self.targets.ndim == 1 else ()

    @property
    def labels(self) -> np.ndarray:
        """(n,) each item's index in ``classes``; empty where there are none."""
        return self.targets if self.classes else np.zeros(0, dtype=np.int64)

    def counts(self, positions: Sequence[int] | np.ndarray | slice = slice(None)) -> np.ndarray:
        """(L,) items of each name, among those at these positions; all by default."""
        if not self.names:
            return np.zeros(0, dtype=np.int64)
        return np.asarray(self.task.members(self.targets[positions]).sum(axis=0), dtype=np.int64)

    def stated(self, position: int) -> str:
        """What an item is said to be, in a message: "cat", "cat|dog", "3.5"."""
        return text(self.said[position]) or "none"

    @property
    def different(self) -> np.ndarray:
        """Positions of the first item of every content: the data set without exact copies."""
        if not len(self):
            return np.zeros(0, dtype=np.int64)
        return np.sort(np.unique(np.asarray(self.digests), return_index=True)[1])

    def count(self, number: int) -> str:
        """A number of items in words: "1 image", "1,200 images"."""
        return count(int(number), self.modality.removesuffix("s"), self.modality)

    def named(self, positions: Sequence[int] | np.ndarray, most: int = LISTED) -> list[str]:
        """The first of these items, by name."""
        return [self.items[int(position)] for position in positions[:most]]

    def copies(self) -> list[list[int]]:
        """Positions of the items that share one content, a list for each content that several have."""
        found: dict[str, list[int]] = {}
        for position, digest in enumerate(self.digests):
            found.setdefault(digest, []).append(position)
        return [positions for positions in found.values() if len(positions) > 1]


def inspection(
    looked: Looked,
    *,
    data: Dataset | None = None,
    refusal: DataError | None = None,
    backbone: BackboneInfo | None = None,
) -> Inspection:
    """The evidence of a table that was looked at.

    Args:
        looked: every item, before anything was decided.
        data: the data set that came of it.
        refusal: why none did.
        backbone: what to compare the items with.
    """
    module = discovery.load("data", looked.modality, kind="modality")
    rows, facts = looked.rows, dict(looked.facts)
    if backbone is not None and backbone.modality == looked.modality and hasattr(module, "against") and rows.items:
        facts |= module.against(rows.items, looked.facts, backbone.preprocessing)
    return Inspection(
        modality=looked.modality,
        items=rows.wheres,
        digests=rows.digests,
        task=discovery.load("tasks", looked.task).learn(rows.labels, name=looked.table.target),
        said=rows.labels,
        given=rows.parts,
        facts=facts,
        words=getattr(module, "FACTS", {}),
        demands={demand.name: demand for demand in module.expects(backbone)},
        skipped=looked.skipped,
        total=len(looked.table.items),
        data=data,
        refusal=refusal,
        backbone=backbone,
        marks=partial(module.marks, rows.items) if hasattr(module, "marks") else None,
    )
