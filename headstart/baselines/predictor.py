"""What every baseline fits to: a predictor that is arrays and plain JSON, so that it can be sealed without pickle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.base import discovery
from headstart.base.errors import ModelFolderError
from headstart.base.vocabulary import Preprocessing
from headstart.tasks.task import Task

if TYPE_CHECKING:
    from torch import nn

Arrays = dict[str, NDArray[Any]]
Meta = dict[str, Any]


class Predictor(Protocol):
    """A fitted baseline.

    One that can leave as a graph has a method ``graph()`` besides, which gives a ``Graph``.

    Attributes:
        name: the plug-in that restores it.
    """

    name: str

    def predict(self, items: Sequence[Any]) -> NDArray[np.float64]:
        """The task's predictions (n, K) of items as the modality takes them: probabilities, or values.

        Raises:
            Undecodable: when an item cannot be read.
        """
        ...

    def state(self) -> tuple[Arrays, Meta]:
        """Arrays by name and plain JSON, from which, with the task, ``restore`` makes an equal predictor."""
        ...


class Graph(NamedTuple):
    """What a baseline computes, on tensors.

    Attributes:
        preprocessing: how items are read for it.
        module: items read so, (n, 3, s, s) uint8 -> the task's predictions (n, K); ``torch.export`` can follow it.
    """

    preprocessing: Preprocessing
    module: nn.Module


def serves(room: ModuleType, task: Task) -> str:
    """Why a baseline is not for a task; empty if it is. One that names no ``TASKS`` is for all of them."""
    tasks = getattr(room, "TASKS", None)
    return "" if tasks is None or task.kind in tasks else f"for {' and '.join(tasks)} only"


def reading(modality: str) -> list[str]:
    """The baselines that take such items, by name. One that names no ``MODALITIES`` takes all of them."""
    rooms = {name: plugin.load() for name, plugin in discovery.plugins("baselines").items()}
    return [name for name, room in rooms.items() if modality in getattr(room, "MODALITIES", (modality,))]


def array(
    arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int | None, ...], kind: type[np.generic]
) -> NDArray[Any]:
    """An array of a saved state, checked: it comes from a folder that anyone may have edited.

    Args:
        shape: None where any length will do.
        kind: numpy type it must have.

    Raises:
        ModelFolderError: missing, of another shape or type, or not finite.
    """
    found = arrays.get(name)
    if found is None:
        raise ModelFolderError(f"The baseline lacks its array {name}")
    fits = len(found.shape) == len(shape) and all(w in (None, s) for s, w in zip(found.shape, shape, strict=True))
    if not fits or found.dtype != kind:
        expected = f"{np.dtype(kind)} ({', '.join('any' if size is None else str(size) for size in shape)})"
        raise ModelFolderError(
            f"The baseline's array {name} does not fit", where=f"{found.dtype} {found.shape}", expected=expected
        )
    if not np.isfinite(found).all():
        raise ModelFolderError(f"The baseline's array {name} is not finite")
    return found


def number(meta: Mapping[str, Any], name: str, low: float, high: float) -> Any:
    """A number of a saved state between two bounds, both included; whole where ``low`` is an int.

    Raises:
        ModelFolderError: missing, no number, or out of bounds.
    """
    found = meta.get(name)
    kind = int if isinstance(low, int) else (int, float)
    if isinstance(found, bool) or not isinstance(found, kind) or not low <= found <= high:
        raise ModelFolderError(f"The baseline's {name} cannot be {found!r}", expected=f"a number from {low} to {high}")
    return found
