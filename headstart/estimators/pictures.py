"""Pictures and texts as scikit-learn passes them around: what counts as such, and a sealed model as bytes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base.errors import BadSource

if TYPE_CHECKING:
    from headstart.ship.sealed import Model

_NUMBERS = tuple("biufc")


def holds(X: Any) -> bool:
    """True if X is a list or array of paths, PIL images, arrays, texts or pairs of texts; False for rows of numbers.

    A single path counts too, so that ``items`` can say what is wrong with it. So does a table of one column that has
    paths or texts in it, which is what a ``ColumnTransformer`` passes on. Pairs of texts are tuples in a list.
    """
    if _is_item(X) and not isinstance(X, np.ndarray):
        return True
    dimensions = getattr(X, "ndim", None)
    if dimensions is not None and dimensions > 2:
        return True
    if dimensions == 2:
        return X.shape[1] == 1 and not _is_numeric(X) and any(map(_is_item, _column(X)))
    if dimensions == 1 or isinstance(X, list | tuple):
        return not _is_numeric(X) and any(_is_item(each) or _is_pair(each) for each in X)
    return False


def items(X: Any) -> list[Any]:
    """The pictures or texts of an X that ``holds`` them, one by one.

    Raises:
        BadSource: a single path, or an array that cannot be pictures.
    """
    if _is_item(X) and not isinstance(X, np.ndarray):
        raise BadSource(
            f"X is a single {type(X).__name__}",
            expected="a list of paths, PIL images, arrays or texts, one an item",
            next_move="[X] for a single item; headstart.fit(folder) for a folder of class subfolders",
        )
    dimensions = getattr(X, "ndim", 1)
    found = list(_column(X) if dimensions == 2 else np.asarray(X) if dimensions > 2 else X)
    channels = np.shape(X)[-1] if dimensions == 4 else 3
    if dimensions > 4 or channels not in (1, 3, 4):
        raise BadSource(
            f"An array of shape {np.shape(X)} holds no pictures",
            where="X",
            expected="(n, H, W) or (n, H, W, channels) with 1, 3 or 4 channels; (n, d) for vectors",
        )
    if not found:
        raise BadSource("X is empty", expected="at least one path, picture, array or text")
    return [os.fspath(item) if isinstance(item, os.PathLike) else item for item in found]


def _is_item(value: Any) -> bool:
    if isinstance(value, str | os.PathLike):
        return True
    if isinstance(value, np.ndarray):
        return value.ndim >= 2
    pillow = sys.modules.get("PIL.Image")  # without it imported nobody holds a picture
    return pillow is not None and isinstance(value, pillow.Image)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, str) for each in value)


def _is_numeric(X: Any) -> bool:
    return getattr(getattr(X, "dtype", None), "kind", None) in _NUMBERS


def _column(X: Any) -> Any:
    return X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]


class Sealed:
    """A sealed model in a temporary folder of its own, which goes when this does; pickled, it is the folder's bytes.

    Args:
        folder: made by ``new_folder``.
        model: what was sealed in it.
    """

    def __init__(self, folder: Path, model: Model) -> None:
        self._own(folder)
        self._model: Model | None = model

    @property
    def model(self) -> Model:
        """The model; read from the folder, golden examples and all, when it came here as bytes."""
        if self._model is None:
            from headstart.ship import sealed

            self._model = sealed.load(self.folder)
        return self._model

    def files(self) -> dict[str, bytes]:
        """The folder, by relative path; the run that led to it stays behind."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        named = {path.relative_to(self.folder).as_posix(): path for path in found}
        return {name: path.read_bytes() for name, path in named.items() if not name.startswith("run/")}

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        folder = new_folder()
        for name, data in state["files"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        self._own(folder)
        self._model = None

    def _own(self, folder: Path) -> None:
        self.folder = folder
        self._gone = weakref.finalize(self, _leave, folder, os.getpid())


def new_folder() -> Path:
    """An empty temporary folder."""
    return Path(tempfile.mkdtemp(prefix="headstart-estimator-"))


def remove(folder: Path) -> None:
    """Remove a temporary folder, as far as it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def _leave(folder: Path, owner: int) -> None:
    """A forked process forgets its copy of the model too, and must leave the folder to the first one."""
    if os.getpid() == owner:
        remove(folder)


def in_order(classes: Sequence[str], wanted: Sequence[str | None]) -> list[int]:
    """Positions of the wanted names among a model's classes; -1 for one that is not there."""
    place: dict[str | None, int] = {name: position for position, name in enumerate(classes)}
    return [place.get(name, -1) for name in wanted]
