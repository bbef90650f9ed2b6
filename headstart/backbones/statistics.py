"""What a network's features of its own source looked like: mean, covariance, and a few hundred of them as they were.

They lie beside the weights, so that a target can be compared with a source whose data are elsewhere. The vectors are
other items than those that mean and covariance were taken over: what the source itself scores is then no better than
what a new item of it would. Features differ a little between precisions; under which they were taken is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import safetensors.numpy
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError

from headstart.base.errors import WeightsError
from headstart.measure.arrays import Floats
from headstart.measure.frechet import Moments

FILE = "statistics.safetensors"
KEPT = 500
"""Feature vectors that are kept."""
LEAST = 40
"""Items of a source below which nothing is kept: half of them say too little of a covariance."""
_AGAIN = "copy or make the folder again"


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Pooled features after the last stage, over the source.

    Attributes:
        moments: mean (d,) and covariance (d, d).
        items: that these were taken over.
        sample: (m, d) features of other items of the source, float32.
        rows: (m,) positions of these in the source, in the order in which whoever made the network gives its items.
        precision: that the features were computed in.
    """

    moments: Moments
    items: int
    sample: np.ndarray
    rows: np.ndarray
    precision: str

    def __deepcopy__(self, memo: Any) -> Statistics:
        """Itself: a network is copied often, and what is known of its source never changes."""
        return self


class StatisticsRecord(BaseModel):
    """The file of statistics, as the description of a backbone knows it.

    Attributes:
        sha256: of its bytes.
        bytes: its size.
        items: that mean and covariance are of.
        kept: feature vectors of other items.
        precision: that the features were computed in; the preprocessing is the backbone's own, without augmentation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=1)]
    items: Annotated[int, Field(ge=2)]
    kept: Annotated[int, Field(ge=2)]
    precision: Literal["float32", "bf16"]


def split(features: Any, rows: Any, *, precision: str, seed: int = 0) -> Statistics | None:
    """The statistics of features (n, d) of source items at positions ``rows`` (n,); None for too few of them.

    Up to ``KEPT`` of the vectors are kept, at most half of them; mean and covariance are of the others.
    """
    x, place = np.asarray(features, dtype=np.float32), np.asarray(rows, dtype=np.int64)
    if len(x) < LEAST:
        return None
    turn = np.random.default_rng(seed).permutation(len(x))
    kept = np.sort(turn[: min(KEPT, len(x) // 2)])
    others = np.setdiff1d(np.arange(len(x)), kept)
    return Statistics(Moments.of(x[others]), len(others), x[kept], place[kept], precision)


def to_bytes(found: Statistics) -> bytes:
    """A file: the mean, the covariance's upper triangle, and the vectors in half precision."""
    upper = np.triu_indices(len(found.moments.mean))
    return safetensors.numpy.save(
        {
            "mean": found.moments.mean.astype(np.float32),
            "covariance": found.moments.covariance[upper].astype(np.float32),
            "sample": found.sample.astype(np.float16),
            "rows": found.rows.astype(np.int32),
        }
    )


def from_bytes(data: bytes, record: StatisticsRecord, width: int, where: str) -> Statistics:
    """Read a file that has the recorded digest.

    Raises:
        WeightsError: when it does not hold what such a file holds.
    """
    try:
        held = safetensors.numpy.load(data)
        mean, packed, sample, rows = (held[name] for name in ("mean", "covariance", "sample", "rows"))
        upper = np.triu_indices(width)
        fits = mean.shape == (width,) and packed.shape == upper[0].shape and sample.shape == (record.kept, width)
        if not fits or rows.shape != (record.kept,) or not all(np.isfinite(each).all() for each in held.values()):
            raise ValueError("the arrays have other shapes, or are not finite")
    except (SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(
            f"The statistics of the source are damaged: {error}", where=where, next_move=_AGAIN
        ) from error
    covariance: Floats = np.zeros((width, width))
    covariance[upper] = packed
    covariance += np.triu(covariance, 1).T
    moments = Moments(mean.astype(np.float64), covariance)
    return Statistics(moments, record.items, sample.astype(np.float32), rows.astype(np.int64), record.precision)
