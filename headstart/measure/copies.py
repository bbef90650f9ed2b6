"""Equal rows as one row with a weight, in an order that only their contents decide.

An item given twice then is an item of weight 2, on the same side of every fold, and the order of the rows cannot change
what is drawn: the rule by which pictures are split, for rows of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import hashes
from headstart.base.errors import DataError
from headstart.measure import arrays
from headstart.measure.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class Merged:
    """Different rows.

    Attributes:
        rows: (m,) position of the first of each, ordered by their contents.
        weights: (m,) what its copies weigh together, above 0.
    """

    rows: Ints
    weights: Floats

    @property
    def even(self) -> bool:
        """True if every row weighs 1."""
        return bool((self.weights == 1).all())


def merged(features: Any, targets: Any, weights: Any = None) -> Merged:
    """The different rows of features (n, d) with targets (n,) that have a weight.

    Two rows are equal when their features and their targets are, bit for bit. O(n d).

    Args:
        weights: (n,) of the items; all 1 by default. What weighs nothing is left out.

    Raises:
        DataError: arrays that do not fit each other.
    """
    values, wanted = np.ascontiguousarray(features), np.ascontiguousarray(targets)
    if len(values) != len(wanted):
        raise DataError("Features and targets differ in number", where=f"{len(values)} and {len(wanted)}")
    share = arrays.item_weights(weights, len(values))
    kept = np.flatnonzero(share)
    names = np.array([_name(values[i], wanted[i]) for i in kept])
    _, first, place = np.unique(names, return_index=True, return_inverse=True)
    return Merged(kept[first], np.bincount(place, weights=share[kept]).astype(np.float64))


def _name(row: NDArray[Any], target: Any) -> str:
    return hashes.of_bytes(row.tobytes() + target.tobytes())
