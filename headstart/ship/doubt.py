"""How far answers can be believed: what a sealed model keeps of the items that were held out when it was made.

The features of training items that tell an unfamiliar item (``features/familiarity.py``), how strange each held-out
item was by them, and how sure and how wrong each held-out answer was. They are numbers in one file of their own, so a
model without it predicts just the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from headstart.base.errors import ModelFolderError
from headstart.base.manifest import DOUBT, FamiliarRecord, Manifest, ScoreRecord
from headstart.base.vocabulary import Interval
from headstart.features.familiarity import Known
from headstart.measure import intervals
from headstart.measure.alarm import Line
from headstart.measure.arrays import Floats

_REFERENCE, _SCALE = "reference", "scale"
_HELD = ("strangeness", "confidence", "loss")
UNSEALED = "nobody measured it when the model was made"


def _nothing() -> np.ndarray:
    return np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """What is known of how far to believe a model.

    Attributes:
        known: features of training items; None where unfamiliar items are not told.
        line: the distance above which an item is unfamiliar, and its rate.
        missing: why there is neither; "" if there is.
        strangeness: (m,) of held-out items, in lines.
        confidence: (h,) of held-out answers that no one had fitted; empty where answers have none.
        loss: (h,) 1 for each of them that was wrong, and 0 otherwise.
    """

    known: Known | None = None
    line: Line | None = None
    missing: str = UNSEALED
    strangeness: np.ndarray = field(default_factory=_nothing)
    confidence: np.ndarray = field(default_factory=_nothing)
    loss: np.ndarray = field(default_factory=_nothing)

    @property
    def record(self) -> FamiliarRecord | None:
        """What the manifest says of it."""
        if self.known is None or self.line is None:
            return None
        rate = self.line.rate
        return FamiliarRecord(
            stages=self.known.stages,
            line=self.line.at,
            rate=ScoreRecord(value=rate.value, low=rate.low, high=rate.high),
            held_out=self.line.items,
            compared_with=len(self.known.reference),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """What the file holds; empty if there is nothing to keep."""
        held = {name: getattr(self, name) for name in _HELD}
        found = {name: np.asarray(values, np.float32) for name, values in held.items() if len(values)}
        if self.known is not None:
            found |= {_REFERENCE: self.known.reference, _SCALE: self.known.scale}
        return found

    def keeping(self, confidence: float) -> tuple[float, Interval] | None:
        """The share of held-out items answered at least so surely, and the share of wrong answers among them.

        None where nothing is known of it, or no answer was so sure.
        """
        sure = self.confidence >= confidence
        if not sure.any():
            return None
        return float(sure.mean()), intervals.wilson(float(self.loss[sure].sum()), int(sure.sum()))


HEADER = ("unfamiliar", "strangeness")
"""Columns of ``cells``."""


def marks(strangeness: float | None) -> dict[str, Any]:
    """What is told of an item beside its answer, as plain data; None where it is not measured."""
    if strangeness is None or not np.isfinite(strangeness):
        return {"unfamiliar": None, "strangeness": None}
    return {"unfamiliar": bool(strangeness > 1.0), "strangeness": float(f"{strangeness:.4g}")}


def cells(strangeness: float | None) -> list[str]:
    """The same as cells of a table; empty where it is not measured."""
    return ["" if value is None else str(value).lower() for value in marks(strangeness).values()]


def left_out(known: Doubt) -> tuple[str, ...]:
    """What is said of an export that does not tell unfamiliar items, where the model does."""
    if known.line is None:
        return ()
    return ("It does not tell unfamiliar items; the model folder does, and an export to ONNX",)


def read(folder: Path, manifest: Manifest) -> Doubt:
    """What a checked folder keeps.

    Raises:
        ModelFolderError: when the file does not hold what the manifest says.
    """
    record, path = manifest.familiar, folder / DOUBT
    if DOUBT not in manifest.files:
        if record is not None:
            raise ModelFolderError(f"The manifest does not list {DOUBT}", where=str(folder))
        return Doubt(missing=manifest.unmeasured or UNSEALED)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFolderError(f"{DOUBT} cannot be read: {error}", where=str(path)) from error
    strangeness, confidence, loss = (_row(arrays, name, path) for name in _HELD)
    if len(confidence) != len(loss):
        raise ModelFolderError(f"{DOUBT} has confidences without losses", where=str(path), expected="as many of both")
    known = None if record is None else _known(arrays, record, path)
    line = None
    if record is not None:
        rate = Interval(record.rate.value, record.rate.low, record.rate.high)
        line = Line(record.line, rate, record.held_out)
    missing = "" if known is not None else manifest.unmeasured or UNSEALED
    return Doubt(known, line, missing, strangeness, confidence, loss)


def _row(arrays: Mapping[str, Any], name: str, path: Path) -> Floats:
    values = arrays.get(name, _nothing())
    if values.ndim != 1 or values.dtype != np.float32 or not np.isfinite(values).all():
        raise ModelFolderError(f"{DOUBT} has no usable {name}", where=str(path), expected="finite float32 numbers (m,)")
    return values


def _known(arrays: Mapping[str, Any], record: FamiliarRecord, path: Path) -> Known:
    reference, scale = arrays.get(_REFERENCE), arrays.get(_SCALE)
    if (
        reference is None
        or scale is None
        or reference.dtype != np.int8
        or scale.dtype != np.float32
        or reference.shape != (record.compared_with, len(scale))
        or not np.isfinite(scale).all()
    ):
        raise ModelFolderError(
            f"{DOUBT} does not hold the features that items are compared with",
            where=str(path),
            expected=f"reference ({record.compared_with}, d) int8 and scale (d,) float32",
        )
    return Known(record.stages, reference, scale)
