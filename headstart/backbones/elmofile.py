"""Folders of ELMo as they were published: options.json and weights.hdf5, read without trusting either.

Every array must be where the options want it, in the shape that they imply, and lie in the file itself: HDF5 can name
other files, and those are not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from headstart.backbones.bilm import CHARACTER_IDS, Options
from headstart.base.errors import MissingExtra, WeightsError

LARGEST = 2**20
"""Bytes of options beyond which they are refused unread."""
_AGAIN = "copy or download the folder again"
_EXPECTED = "a folder with the published options.json and weights.hdf5 of one model"

Becomes = Callable[[np.ndarray], dict[str, np.ndarray]]
Array = tuple[str, tuple[int, ...], Becomes]
"""Where an array lies in the file, its shape there, and what it becomes in the network."""


def options(folder: Path) -> Options:
    """What a folder's options say of the network.

    Raises:
        WeightsError: when there are none, or they describe no such network.
    """
    path = _only(folder, "options.json")
    try:
        if path.stat().st_size > LARGEST:
            raise WeightsError(f"{path.name} has more than {LARGEST >> 10:,} kB", where=str(folder), expected=_EXPECTED)
        found = Options.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror}", where=str(path)) from error
    except (ValidationError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "nested too deep"}
        raise WeightsError(
            f"{path.name} describes no ELMo: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=str(path),
            expected="char_cnn and lstm, as the published options have them",
        ) from error
    sound(found, str(path))
    return found


def sound(found: Options, where: str) -> None:
    """Refuse options that no network can have.

    Raises:
        WeightsError: naming what is wrong.
    """
    wide = [size for size, count in found.char_cnn.filters if not 1 <= size <= 50 or not 1 <= count <= 8192]
    if wide:
        raise WeightsError("A filter is wider than a word has characters, or of no number", where=where)
    if found.lstm.projection_dim > found.lstm.dim:
        raise WeightsError(
            f"The language models project {found.lstm.dim:,} numbers up to {found.lstm.projection_dim:,}",
            where=where,
            expected="projection_dim at most dim",
        )


def state(folder: Path, wanted: Options) -> dict[str, torch.Tensor]:
    """The tensors of a folder's weights, by the names that ``Bilm`` has for them.

    Raises:
        WeightsError: naming the array that is missing, misshapen or not finite.
        MissingExtra: without h5py.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtra("h5py", "elmo") from error
    path = _only(folder, ".hdf5")
    found: dict[str, torch.Tensor] = {}
    try:
        with h5py.File(path, "r") as file:
            for name, shape, becomes in arrays(wanted):
                values = np.asarray(_dataset(file, name, shape, path)[()], dtype=np.float32)
                if not np.isfinite(values).all():
                    raise WeightsError(f"{name} has values that are not finite", where=str(path), next_move=_AGAIN)
                found |= {key: torch.from_numpy(np.ascontiguousarray(part)) for key, part in becomes(values).items()}
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path.name} cannot be read: {str(error).strip().split(chr(10))[0]}", where=str(path), next_move=_AGAIN
        ) from error
    return found


def arrays(wanted: Options) -> Iterator[Array]:
    """Every array of the published layout."""
    made, language = wanted.char_cnn, wanted.lstm
    total, width = made.width, language.projection_dim
    yield "char_embed", (CHARACTER_IDS, made.embedding.dim), _as("characters.characters")
    for number, (size, count) in enumerate(made.filters):
        place = f"characters.convolutions.{number}."
        shape = (1, size, made.embedding.dim, count)
        yield f"CNN/W_cnn_{number}", shape, _as(f"{place}weight", _convolution)
        yield f"CNN/b_cnn_{number}", (count,), _as(f"{place}bias")
    for number in range(made.n_highway):
        for gate in ("carry", "transform"):
            place, inside = f"characters.highways.{number}.{gate}.", f"CNN_high_{number}"
            yield f"{inside}/W_{gate}", (total, total), _as(f"{place}weight", np.transpose)
            yield f"{inside}/b_{gate}", (total,), _as(f"{place}bias")
    if total != width:
        yield "CNN_proj/W_proj", (total, width), _as("characters.projection.weight", np.transpose)
        yield "CNN_proj/b_proj", (width,), _as("characters.projection.bias")
    for number in range(language.n_layers):
        for direction, name in enumerate(("forwards", "backwards")):
            inside = f"RNN_{direction}/RNN/MultiRNNCell/Cell{number}/LSTMCell"
            yield from _cell(inside, f"layers.{number}.{name}.", language.projection_dim, language.dim)


def _cell(inside: str, place: str, width: int, dim: int) -> Iterator[Array]:
    def halves(kernel: np.ndarray) -> dict[str, np.ndarray]:
        # What a step is given stands above what the step before it put out.
        return {f"{place}given.weight": kernel[:width].T, f"{place}before.weight": kernel[width:].T}

    yield f"{inside}/W_0", (2 * width, 4 * dim), halves
    yield f"{inside}/B", (4 * dim,), _as(f"{place}before.bias")
    if width < dim:
        yield f"{inside}/W_P_0", (dim, width), _as(f"{place}projection.weight", np.transpose)


def _as(name: str, change: Callable[[np.ndarray], np.ndarray] | None = None) -> Becomes:
    return lambda values: {name: values if change is None else change(values)}


def _convolution(kernel: np.ndarray) -> np.ndarray:
    """(1, width, numbers, filters) to (filters, numbers, width)."""
    return kernel[0].transpose(2, 1, 0)


def _dataset(file: Any, name: str, shape: tuple[int, ...], path: Path) -> Any:
    import h5py

    found = file
    for step in name.split("/"):
        link = found.get(step, getlink=True) if isinstance(found, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            reason = "is missing" if link is None else "leads out of the file"
            raise WeightsError(f"{name} {reason}", where=str(path), expected=f"an array of {_times(shape)}")
        found = found[step]
    if not isinstance(found, h5py.Dataset) or found.dtype.kind != "f" or found.shape != shape:
        what = f"{_times(found.shape)} of {found.dtype}" if isinstance(found, h5py.Dataset) else "no array"
        raise WeightsError(f"{name} is {what}", where=str(path), expected=f"{_times(shape)}, as the options imply")
    if found.external or found.is_virtual:
        raise WeightsError(f"The values of {name} lie in another file", where=str(path), next_move=_AGAIN)
    return found


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{each:,}" for each in shape) or "one number"


def _only(folder: Path, ending: str) -> Path:
    """The one file of a folder whose name ends so: published names say which model it is."""
    if not folder.is_dir():
        raise WeightsError("There is no such folder", where=str(folder), expected=_EXPECTED)
    found = sorted(path for path in folder.iterdir() if path.name.endswith(ending) and path.is_file())
    if len(found) != 1:
        what = f"{len(found)} files end" if found else "No file ends"
        raise WeightsError(f"{what} in {ending}", where=str(folder), expected=_EXPECTED)
    return found[0]
