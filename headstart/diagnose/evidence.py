"""What a diagnosis may read when nothing has been trained: a data set as it was found, and what fit would make of it.

The items are numbered 0 to n - 1. Plain facts stand for what they show, so a diagnosis never learns what kind of thing
an item is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headstart.base import discovery, natural
from headstart.base.errors import DataError
from headstart.base.vocabulary import BackboneInfo, Demand, Fact, Skipped
from headstart.data.dataset import Dataset
from headstart.data.looking import Looked
from headstart.data.printable import count

LISTED = 12
"""Items that a finding names; the rest are counted."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """A data set before any training.

    Attributes:
        modality: plural noun for the items, and the data room's file.
        items: how messages name each usable item, n.
        digests: of their contents.
        labels: (n,) indices into ``classes``.
        classes: class names in natural order.
        given: part that the source put each item in; None where it did not.
        facts: name -> (n,) values, floats with NaN where unknown, or texts.
        words: name of a fact -> what it is.
        demands: what items should be like, by name.
        skipped: items that cannot be used.
        total: items in the source, usable or not.
        data: the data set that fit would train on; None if it would refuse.
        refusal: why it would.
        backbone: the network that the items are compared with, if one was named.
    """

    modality: str
    items: Sequence[str]
    digests: Sequence[str]
    labels: np.ndarray
    classes: tuple[str, ...]
    given: Sequence[str | None]
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: Mapping[str, Fact] = field(default_factory=dict)
    demands: Mapping[str, Demand] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    total: int = 0
    data: Dataset | None = None
    refusal: DataError | None = None
    backbone: BackboneInfo | None = None

    def __len__(self) -> int:
        return len(self.items)

    @property
    def counts(self) -> np.ndarray:
        """(C,) items of each class."""
        return np.bincount(self.labels, minlength=len(self.classes))

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
    rows = looked.rows
    # What has no class is all of one: findings about classes then have nothing to say.
    names = rows.labels if all(isinstance(label, str) for label in rows.labels) else [looked.task] * len(rows.labels)
    classes = natural.ordered(names)
    index = {name: position for position, name in enumerate(classes)}
    return Inspection(
        modality=looked.modality,
        items=rows.wheres,
        digests=rows.digests,
        labels=np.array([index[name] for name in names], dtype=np.int64),
        classes=classes,
        given=rows.parts,
        facts=looked.facts,
        words=getattr(module, "FACTS", {}),
        demands={demand.name: demand for demand in module.expects(backbone)},
        skipped=looked.skipped,
        total=len(looked.table.items),
        data=data,
        refusal=refusal,
        backbone=backbone,
    )
