"""Items in memory: paths, PIL images, arrays or texts with labels, a DataFrame, or {label: [items]}."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.base.errors import BadOption, BadSource
from headstart.base.vocabulary import Table
from headstart.data import passages, several, written
from headstart.data.columns import find
from headstart.data.labels import is_missing
from headstart.data.parts import part_of
from headstart.data.printable import count, printable
from headstart.data.sources import huggingface, torchsets


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Items and their labels, as ``fit(items, labels)`` receives them."""

    items: Any
    labels: Any


def claims(source: Any) -> bool:
    """True for values with labels, sequences, arrays, DataFrames and mappings of items."""
    if isinstance(source, Mapping) and (huggingface.claims(source) or torchsets.claims(source)):
        return False
    return isinstance(source, (Values, list, tuple, np.ndarray, Mapping)) or _is_frame(source)


def open(
    source: Any,
    *,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    text: str | Sequence[str] | None = None,
) -> Table:
    """Take items as they are; relative paths are relative to the working directory.

    Strings are paths if most of them end as an image's or a text's file does, or exist; else they are texts.

    Args:
        source: the items.
        label, path, group, text: columns of a DataFrame.

    Raises:
        BadSource: items without labels, or values that are no items.
        BadOption: labels that do not fit the items, or options that do not go with them.
        UnknownName: a named column does not exist.
    """
    labels: Any = None
    if isinstance(source, Values):
        source, labels = source.items, source.labels
    if _is_frame(source):
        return _frame(source, labels, label=label, path=path, group=group, text=text)
    if any(name is not None for name in (label, path, group, text)):
        raise BadOption(
            "label, path, text and group name columns of a table",
            expected="a table or a DataFrame with these options; groups=[...] gives one group an item",
        )
    if isinstance(source, (str, os.PathLike)):
        raise BadOption(
            f"labels were given for {printable(str(source))}, which has its own",
            expected="labels only with a list of items; --label names the label column of a table",
        )
    if isinstance(source, Mapping):
        return _mapping(source, labels)
    items = _items(source)
    if labels is None:
        raise BadSource(
            f"{count(len(items), 'item')} without labels",
            expected="one label per item: fit(items, labels), or {label: [items]}",
        )
    return _table(items, _labels(labels, len(items)), f"{count(len(items), 'item')} in memory")


def _table(items: list[Any], labels: list[Any], origin: str, *, task: str = "") -> Table:
    texts = written.passages(items)
    return Table(
        items=tuple(items if texts is None else texts.items),
        labels=tuple(labels),
        parts=(None,) * len(items),
        origin=origin,
        understood=f"{origin}, {f'with {_kinds(items)} as items' if texts is None else texts.how}",
        task=task,
        modality="images" if texts is None else "texts",
    )


def _kinds(items: list[Any]) -> str:
    if not items:
        return "nothing"
    paths, arrays = (sum(isinstance(item, kind) for item in items) for kind in (str, np.ndarray))
    rest = len(items) - paths - arrays
    counted = ((paths, "path"), (arrays, "array"), (rest, "PIL image"))
    return " and ".join(count(number, noun) for number, noun in counted if number)


def _mapping(source: Mapping[Any, Any], labels: Any) -> Table:
    if labels is not None:
        raise BadOption("labels were given for a mapping, whose keys are the labels", expected="one of the two")
    items: list[Any] = []
    names: list[Any] = []
    for name, members in source.items():
        found = _items([members] if isinstance(members, (str, os.PathLike)) else members)
        items += found
        names += [name] * len(found)
    origin = f"{count(len(items), 'item')} in memory under {count(len(source), 'label')}"
    return _table(items, names, origin, task="classification")


def _frame(
    frame: Any,
    labels: Any,
    *,
    label: str | None,
    path: str | None,
    group: str | None,
    text: str | Sequence[str] | None,
) -> Table:
    columns: Mapping[str, Any] = {str(name): frame.iloc[:, i].tolist() for i, name in enumerate(frame.columns)}
    if isinstance(labels, str):
        label, labels = labels, None
    given = None if labels is None else _labels(labels, len(frame))
    if given is not None:
        label = next(name for name in ("label", "labels (given)", "labels (given) ") if name not in columns)
        columns = {**columns, label: given}
    if not len(frame):
        raise BadSource("The DataFrame has no rows", expected="one row an item")
    origin = "the DataFrame"
    columns, label = several.together(columns, label, origin)
    chosen = find(columns, label=label, path=path, base=Path(), origin=origin, group=group, text=text)
    parts = [part_of(value) for value in columns[chosen.split]] if chosen.split else [None] * len(frame)
    return Table(
        items=passages.of_rows(columns, chosen.items)
        if chosen.modality == "texts"
        else tuple(_item(value) for value in columns[chosen.path]),
        labels=tuple(columns[chosen.label]),
        parts=tuple(parts),
        origin=origin,
        understood=f"DataFrame with {count(len(frame), 'row')}; {chosen.sentence()}",
        notes=chosen.notes,
        groups=tuple(columns[chosen.group]) if chosen.group else (),
        target="" if given is not None else printable(chosen.label),
        modality=chosen.modality,
    )


def _items(values: Any) -> list[Any]:
    if isinstance(values, np.ndarray) and values.ndim > 1 and not written.is_pairs(values):
        return _pictures(values)
    if not isinstance(values, Iterable) or not isinstance(values, Sized):
        raise BadSource(
            f"A {type(values).__name__} holds no items", expected="a list of paths, PIL images, arrays or texts"
        )
    return [_item(value) for value in values]


def _item(value: Any) -> Any:
    if isinstance(value, (str, os.PathLike)):
        text = os.fsdecode(value)
        return str(Path(text).expanduser()) if text.startswith("~") else text or None
    return None if is_missing(value) else value


def _pictures(values: np.ndarray) -> list[Any]:
    shape = values.shape
    if values.ndim == 2:
        raise BadSource(
            f"An array of shape {shape} has rows, not pictures",
            expected="(n, H, W) or (n, H, W, channels)",
            next_move="reshape it, as in array.reshape(-1, 8, 8); rows of numbers are for headstart.TransferClassifier",
        )
    if values.ndim == 4 and shape[3] not in (1, 3, 4) and shape[1] in (1, 3, 4):
        raise BadSource(
            f"An array of shape {shape} has its channels first",
            expected="(n, H, W, channels)",
            next_move="array.transpose(0, 2, 3, 1)",
        )
    if values.ndim > 4 or (values.ndim == 4 and shape[3] not in (1, 3, 4)):
        raise BadSource(f"An array of shape {shape} holds no pictures", expected="(n, H, W) or (n, H, W, 1, 3 or 4)")
    return list(values)


def _labels(labels: Any, wanted: int) -> list[Any]:
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise BadOption(f"labels is a {type(labels).__name__}", expected="one label per item")
    found = list(labels.tolist() if hasattr(labels, "tolist") else labels)
    if len(found) != wanted:
        raise BadOption(f"{count(wanted, 'item')} but {count(len(found), 'label')}", expected="one label per item")
    return found


def _is_frame(source: Any) -> bool:
    pandas = sys.modules.get("pandas")  # without it imported nobody holds a DataFrame
    return pandas is not None and isinstance(source, pandas.DataFrame)
