"""PyTorch data sets: any map-style data set of (image, label), torchvision's among them, alone or as {part: data set}.

Pictures are asked for one at a time, when they are needed. Where torchvision knows the files (``ImageFolder``), the
files are read; where it holds pictures itself, its transforms are set aside, for preparing and varying pictures is done
here.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from headstart.base.errors import BadOption, BadSource, HeadstartError, Undecodable
from headstart.base.vocabulary import Table
from headstart.data.deferred import Deferred, Shelf
from headstart.data.parts import part_of
from headstart.data.printable import count, listing, printable

_PAIR = "data sets whose items are (image, label), the image a PIL image, an array or a tensor"
_LABELS = ("targets", "labels", "_labels")
_PROBES = 3


def claims(source: Any) -> bool:
    """True for a torch data set, or a mapping of nothing but such."""
    torch = sys.modules.get("torch")  # without it imported nobody holds a data set
    if torch is None or not hasattr(torch, "utils"):
        return False
    kind = torch.utils.data.Dataset
    if isinstance(source, Mapping) and source:
        return all(isinstance(value, kind) for value in source.values())
    return isinstance(source, kind)


def open(source: Any, *, label: str | None = None, path: str | None = None) -> Table:
    """Find the labels, and read as few pictures as possible for it.

    Args:
        source: a data set, or {"train": ..., "val": ..., "test": ...}.
        label, path: columns of tables; a data set has none.

    Raises:
        BadSource: no length, no pairs, or pictures that are different at each reading.
        BadOption: a column was named, or a part that is none.
    """
    if label is not None or path is not None:
        raise BadOption("label and path name columns of a table", expected="a PyTorch data set without these options")
    sets = source if isinstance(source, Mapping) else {None: source}
    strange = [printable(str(name)) for name in sets if name is not None and part_of(name) is None]
    if strange:
        raise BadOption(f"These are no parts: {listing(strange)}", expected="train, val and test as the keys")
    items: list[Any] = []
    labels: list[Any] = []
    parts: list[str | None] = []
    notes: dict[str, None] = {}
    for name, data in sets.items():
        found = _unfolded(data, notes)
        items += found.items
        labels += found.labels
        parts += [part_of(name)] * len(found.items)
    if not items:
        raise BadSource("The data set is empty", expected=_PAIR)
    kinds = " and ".join(dict.fromkeys(type(data).__name__ for data in sets.values()))
    files = sum(isinstance(item, str) for item in items)
    how = "read from its files" if files == len(items) else "asked for one at a time"
    return Table(
        items=tuple(items),
        labels=tuple(labels),
        parts=tuple(parts),
        origin=f"the PyTorch data set {kinds}",
        understood=f"PyTorch data set {kinds} with {count(len(items), 'item')}, {how}",
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    items: list[Any]
    labels: list[Any]


def _unfolded(data: Any, notes: dict[str, None]) -> _Found:
    """Items and labels of a data set, of what it is a part of, or of what it is put together from."""
    from torch.utils.data import ConcatDataset, IterableDataset, Subset

    if isinstance(data, Subset):
        whole = _unfolded(data.dataset, notes)
        try:
            return _Found(*([values[int(i)] for i in data.indices] for values in (whole.items, whole.labels)))
        except IndexError as error:
            raise BadSource("A Subset has indices beyond its data set", expected="indices of items") from error
    if isinstance(data, ConcatDataset):
        joined = [_unfolded(each, notes) for each in data.datasets]
        return _Found([i for each in joined for i in each.items], [y for each in joined for y in each.labels])
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__"):
        raise BadSource(
            f"A {type(data).__name__} can only be run through, so it has no items to split",
            expected="a map-style data set, with __len__ and __getitem__",
            next_move="collect its items in lists: fit(images, labels)",
        )
    files = _files(data)
    if files is not None:
        if data.transform is not None:
            notes["transforms of the data set are not used: the files are read as they are"] = None
        return files
    return _asked(data, notes)


def _files(data: Any) -> _Found | None:
    """Paths and class names of torchvision's ImageFolder; None for anything else."""
    folder = getattr(sys.modules.get("torchvision.datasets.folder"), "DatasetFolder", None)
    if folder is None or not isinstance(data, folder):
        return None
    if (
        data.loader is not sys.modules["torchvision.datasets.folder"].default_loader
        or data.target_transform is not None
    ):
        return None
    return _Found([str(path) for path, _ in data.samples], [data.classes[number] for _, number in data.samples])


def _asked(data: Any, notes: dict[str, None]) -> _Found:
    name = f"the data set {type(data).__name__}"
    bare = _without_transforms(data)
    if bare is not data:
        notes["transforms of the data set are set aside: pictures are prepared and varied here"] = None
    elif getattr(data, "transform", None) is not None:
        notes["the data set's own transforms are applied first; leave out cropping, resizing and normalising"] = None
    shelf = Shelf(_Pictures(bare), name)
    items = [Deferred(shelf, number) for number in range(len(data))]
    if items:
        _steady(items)
    return _Found(items, _names(_labels(bare), getattr(data, "classes", None)))


def _without_transforms(data: Any) -> Any:
    vision = getattr(sys.modules.get("torchvision.datasets.vision"), "VisionDataset", None)
    if vision is None or not isinstance(data, vision):
        return data
    if getattr(data, "transform", None) is None and getattr(data, "transforms", None) is None:
        return data
    from torchvision.datasets.vision import StandardTransform

    bare, labelled = copy.copy(data), getattr(data, "target_transform", None)
    bare.transform = None
    bare.transforms = None if labelled is None else StandardTransform(None, labelled)
    return bare


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """The pictures of a data set, tensors as arrays."""

    data: Any

    def __call__(self, number: int) -> Any:
        return _picture(_pair(self.data[number])[0])


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, (tuple, list)) and len(value) >= 2:
        return value[0], value[1]
    raise Undecodable(f"its items are no pairs but {type(value).__name__}", expected="(image, label)")


def _picture(value: Any) -> Any:
    """A tensor (C, H, W) or (H, W) as an array with channels last; all else as it is."""
    if not (hasattr(value, "detach") and hasattr(value, "permute")):
        return value
    tensor = value.detach().cpu()
    if tensor.ndim == 3 and tensor.shape[0] in (1, 3, 4):
        tensor = tensor.permute(1, 2, 0)
    array = np.ascontiguousarray((tensor.float() if tensor.is_floating_point() else tensor).numpy())
    if array.dtype.kind == "f" and array.size and not (array.min() >= 0 and array.max() <= 1):
        raise Undecodable(
            f"the tensor's values go from {array.min():g} to {array.max():g}, as after normalising",
            expected="0 to 1, or uint8",
            next_move="leave Normalize out of the transforms: headstart normalises for the backbone itself",
        )
    return array


def _steady(items: Sequence[Deferred]) -> None:
    """Refuse pictures that cannot be read, and such as change from one reading to the next.

    Raises:
        BadSource
    """
    for item in items[:_PROBES]:
        try:
            first = item.read()
            again = [item.read() for _ in range(_PROBES)]
        except Undecodable as error:
            raise BadSource(
                f"The data set's items cannot be read: {error.what}",
                where=item.name,
                expected=error.expected or _PAIR,
                next_move=error.next_move,
            ) from error
        if any(_bytes(other) != _bytes(first) for other in again):
            raise BadSource(
                "The data set gives another picture each time it is asked: its transforms are random",
                where=item.name,
                expected="the same picture every time; headstart varies pictures itself while it trains",
                next_move="leave the random transforms out",
            )


def _bytes(picture: Any) -> Any:
    if isinstance(picture, np.ndarray):
        return picture.shape, picture.tobytes()
    return (picture.size, picture.tobytes()) if isinstance(picture, Image.Image) else picture


def _labels(data: Any) -> list[Any]:
    """All labels: those the data set lists, if they are what its items have, else by running through it once."""
    for name in _LABELS:
        listed = getattr(data, name, None)
        if listed is None or not hasattr(listed, "__len__") or len(listed) != len(data):
            continue
        values = list(listed.tolist() if hasattr(listed, "tolist") else listed)
        probes = {0, len(values) // 2, len(values) - 1} if values else set()
        if all(_plain(values[i]) == _plain(_pair(data[i])[1]) for i in probes):
            return values
    try:
        return [_plain(_pair(data[number])[1]) for number in range(len(data))]
    except HeadstartError:
        raise
    except Exception as error:  # somebody else's data set raises anything
        raise BadSource(
            f"The labels cannot be read: {printable(str(error)) or type(error).__name__}", expected=_PAIR
        ) from error


def _plain(label: Any) -> Any:
    return label.item() if hasattr(label, "item") and getattr(label, "ndim", 1) == 0 else label


def _names(labels: list[Any], classes: Any) -> list[Any]:
    """Class names for numbers, where the data set has them."""
    if not isinstance(classes, (list, tuple)) or not labels:
        return labels
    if not all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each < len(classes) for each in labels):
        return labels
    return [str(name[0] if isinstance(name, tuple) else name) for name in (classes[each] for each in labels)]
