"""Golden examples: a few inputs with the predictions they had when the model was sealed, replayed at every load.

A model that reproduces them still means what it meant: same weights, same preprocessing, same reading of the network
by the libraries. The inputs are drawn from a seed by their modality (noise and shapes; words that a tokenizer knows),
so that nobody's items travel with a model unless its owner asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from headstart.base import discovery
from headstart.base.errors import ModelFolderError
from headstart.base.vocabulary import Reading
from headstart.features import inference

COUNT = 8
TOLERANCE = 1e-3
STRANGENESS_TOLERANCE = 1e-2
"""Of how far the line is away, or of how far the item is, whichever is more."""


_KINDS = (("uint8", 4), ("int32", 4), ("uint8", 2))
"""Types and axes that inputs may have."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Inputs and what they must give.

    Attributes:
        inputs: (n, ...), already preprocessed: pictures (3, s, s) uint8, the tokens (w, t, 2) int32 of texts, or, for a
            model without a network, their bytes uint8.
        predictions: (n, K) float32, on a scale on which 0.001 is little.
        strangeness: (n,) float32; None where that is not measured.
    """

    inputs: np.ndarray
    predictions: np.ndarray
    strangeness: np.ndarray | None = None

    def save(self, path: Path) -> None:
        """Write them as safetensors."""
        arrays = {"inputs": self.inputs, "predictions": self.predictions}
        save_file(arrays if self.strangeness is None else {**arrays, "strangeness": self.strangeness}, path)


def generate(preprocessing: Reading | None, *, modality: str, seed: int, count: int = COUNT) -> np.ndarray:
    """Inputs (count, ...), each of another kind, drawn from ``seed``."""
    found: np.ndarray = discovery.load("data", modality).generated(preprocessing, seed=seed, count=count)
    return found


def own(items: Sequence[Any], preprocessing: Reading | None, *, modality: str, count: int = COUNT) -> np.ndarray:
    """The first ``count`` of the user's own items as inputs (n, ...).

    Raises:
        Undecodable: for an item that cannot be read.
    """
    return inference.batch(list(items)[:count], preprocessing, modality=modality).numpy()


def read(path: Path, *, columns: int) -> Golden:
    """Read golden examples and check their shapes.

    Raises:
        ModelFolderError: when the file is not what ``Golden.save`` writes.
    """
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFolderError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    # Until schema version 2 there were classifiers only, and what they predict are probabilities.
    inputs, predictions = arrays.get("inputs"), arrays.get("predictions", arrays.get("probabilities"))
    strangeness = arrays.get("strangeness")
    if (
        inputs is None
        or predictions is None
        or (inputs.dtype.name, inputs.ndim) not in _KINDS
        or (inputs < 0).any()
        or predictions.shape != (len(inputs), columns)
        or not len(inputs)
        or (strangeness is not None and strangeness.shape != (len(inputs),))
    ):
        raise ModelFolderError(
            f"{path.name} does not hold golden examples",
            where=str(path),
            expected=f"inputs (n, ...) and predictions (n, {columns})",
        )
    return Golden(inputs, predictions.astype(np.float32), strangeness)


def check(golden: Golden, found: np.ndarray, *, tolerance: float, where: str) -> float:
    """Compare replayed predictions (n, K) with the expected ones; the largest difference.

    A label may change only between columns whose expected predictions were closer than the tolerance allows to
    tell apart.

    Raises:
        ModelFolderError: on drift, with both numbers.
    """
    expected = golden.predictions.astype(np.float64)
    gap = np.abs(found - expected)
    worst = float(gap.max()) if np.isfinite(found).all() else float("inf")
    rows = np.arange(len(expected))
    before, after = expected.argmax(axis=1), found.argmax(axis=1)
    flipped = expected[rows, before] - expected[rows, after] > 2 * tolerance
    if worst <= tolerance and not flipped.any():
        return worst
    row = int(flipped.argmax() if flipped.any() else gap.max(axis=1).argmax())
    column = int(np.nan_to_num(gap[row], nan=np.inf).argmax())
    raise ModelFolderError(
        "The model no longer gives what it gave when it was sealed",
        where=f"{where}, golden example {row + 1} of {len(expected)}",
        expected=f"{expected[row, column]:.6f}, got {found[row, column]:.6f} "
        f"(largest difference {worst:.2g}, allowed {tolerance:g})",
        next_move="install the library versions of its manifest.json, or fit again",
    )


def check_strangeness(golden: Golden, found: np.ndarray, *, where: str) -> None:
    """Compare replayed strangeness (n,) with the expected one: close to it, and on the same side of the line.

    Raises:
        ModelFolderError: on drift, or where one has it and the other has not.
    """
    measured = bool(np.isfinite(found).any())
    if golden.strangeness is None and not measured:
        return
    expected = np.full(len(found), np.nan) if golden.strangeness is None else golden.strangeness.astype(np.float64)
    allowed = STRANGENESS_TOLERANCE * np.maximum(1.0, np.abs(expected))
    beside = np.abs(expected - 1.0) <= allowed
    good = (np.abs(found - expected) <= allowed) & (((found > 1.0) == (expected > 1.0)) | beside)
    if good.all():
        return
    row = int(np.flatnonzero(~good)[0])
    raise ModelFolderError(
        "The model no longer finds the same items unfamiliar as when it was sealed",
        where=f"{where}, golden example {row + 1} of {len(found)}",
        expected=f"a strangeness of {expected[row]:.4f}, got {found[row]:.4f}",
        next_move="install the library versions of its manifest.json, or fit again",
    )
