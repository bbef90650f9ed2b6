"""Hugging Face data sets: in memory, in a folder of save_to_disk or of Parquet files, or hf:owner/name on the hub.

Pictures stay undecoded in the memory-mapped tables until they are needed. No code of a data set is ever run: the
``datasets`` library from version 4 knows no loading scripts.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.base import reach
from headstart.base.errors import BadSource, MissingExtra, Undecodable, UnknownName
from headstart.base.vocabulary import Table
from headstart.data import columns as finding
from headstart.data import layouts, passages, tree
from headstart.data.deferred import Deferred, Shelf
from headstart.data.parts import part_of
from headstart.data.printable import count, listing, printable

_HUB = "hf:"
_NAME = re.compile(r"hf:(?P<name>[\w.-]+(/[\w.-]+)?)(:(?P<config>[^@]+))?(@(?P<revision>.+))?")
_SCALARS = ("string", "large_string", "bool", "int", "uint", "float")


def claims(source: Any) -> bool:
    """True for data sets of the library, alone or by part, hf: names, and folders that the library has written."""
    if isinstance(source, str) and source.startswith(_HUB):
        return True
    path = tree.as_path(source)
    return layouts.is_saved(path) if path is not None else _is_ours(source)


def open(
    source: Any,
    *,
    label: str | None = None,
    path: str | None = None,
    group: str | None = None,
    text: str | Sequence[str] | None = None,
) -> Table:
    """Read everything but the pictures.

    The image column is the one with an ``Image`` feature, the label column the one with a ``ClassLabel`` feature; where
    that does not settle it, columns go by name and values as in any table.

    Args:
        source: a data set, a mapping {part: data set}, a folder, or ``hf:owner/name[:config][@revision]``.
        label, path, group: names of columns.
        text: name of the text column; two, in a list or with a comma between, are a pair.

    Raises:
        BadSource: nothing usable there, or it cannot be reached.
        UnknownName: a named column does not exist.
        MissingExtra: without the library.
    """
    sets, notes = _by_part(_loaded(source))
    origin = printable(str(source)) if isinstance(source, (str, Path)) else "the data set"
    items: list[Any] = []
    labels: list[Any] = []
    parts: list[str | None] = []
    groups: list[Any] = []
    chosen = None
    for name, data in sets.items():
        where = f"{origin} ({name})" if len(sets) > 1 else origin
        chosen, read = _columns(data, label=label, path=path, group=group, text=text, origin=where)
        items += _items(data, chosen, read, where)
        labels += read[chosen.label]
        own = [part_of(value) for value in read[chosen.split]] if chosen.split else [None] * len(data)
        parts += [part_of(name)] * len(data) if len(sets) > 1 else own
        groups += read[chosen.group] if chosen.group else []
    if chosen is None or not items:
        raise BadSource("The data set has no rows", where=origin, expected="one row an item")
    sizes = f" ({', '.join(f'{name} {len(data):,}' for name, data in sets.items())})" if len(sets) > 1 else ""
    return Table(
        items=tuple(items),
        labels=tuple(labels),
        parts=tuple(parts),
        origin=origin,
        understood=f"{origin}: Hugging Face data set with {count(len(items), 'row')}{sizes}; {chosen.sentence()}",
        notes=(*notes, *chosen.notes),
        groups=tuple(groups),
        modality=chosen.modality,
    )


def _is_ours(source: Any) -> bool:
    library = sys.modules.get("datasets")  # without it imported nobody holds a data set
    if library is None or not hasattr(library, "Dataset"):
        return False
    kinds = (library.Dataset, library.IterableDataset)
    if isinstance(source, Mapping) and source:
        return all(isinstance(value, kinds) for value in source.values())
    return isinstance(source, kinds)


def _loaded(source: Any) -> Any:
    if not isinstance(source, (str, Path)):
        return source
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import datasets
    except ImportError as error:
        raise MissingExtra("datasets", "datasets") from error
    shown = printable(str(source))
    if str(source).startswith(_HUB):
        return _from_hub(str(source), datasets)
    folder = tree.as_path(source)
    try:
        with _quiet(datasets):
            if layouts.is_saved(folder, arrow=True):
                return datasets.load_from_disk(str(folder))
            return datasets.load_dataset(str(folder))
    except Exception as error:  # the library raises anything from OSError to pyarrow's own errors on a damaged folder
        raise BadSource(
            f"It cannot be read as a Hugging Face data set: {_first(error)}",
            where=shown,
            expected="a whole folder of save_to_disk, or of Parquet files",
        ) from error


def _from_hub(source: str, datasets: Any) -> Any:
    match = _NAME.fullmatch(source)
    if match is None:
        raise BadSource(f"This is no name of a data set: {printable(source)}", expected="hf:owner/name, or hf:name")
    from datasets.exceptions import DatasetNotFoundError

    asked = {"path": match["name"], "name": match["config"], "revision": match["revision"]}
    gone = "" if datasets.config.HF_HUB_OFFLINE else reach.unreachable(datasets.config.HF_ENDPOINT)
    try:
        with _quiet(datasets), _offline(datasets) if gone else contextlib.nullcontext():
            return datasets.load_dataset(**asked)
    except DatasetNotFoundError as error:
        gated = "gated" in str(error)
        raise BadSource(
            f"The data set {match['name']} is gated" if gated else f"The hub has no data set {match['name']}",
            where=source,
            expected="access, which its page on the hub gives" if gated else "the name as its page on the hub shows it",
            next_move="ask for access there, then log in with: hf auth login" if gated else "",
        ) from error
    except OSError as error:
        raise BadSource(
            f"The data set {match['name']} cannot be fetched: {gone or _first(error)}",
            where=source,
            expected="a connection to the hub, or a copy of the data set in the library's cache",
            next_move="download it elsewhere with save_to_disk, and name that folder",
        ) from error
    except Exception as error:  # a repository may hold anything, and the library raises as many kinds of errors
        configs = "Config name is missing" in str(error)
        raise BadSource(
            f"The data set {match['name']} cannot be read: {_first(error)}",
            where=source,
            next_move=f"name one of its configurations: {source}:NAME" if configs else "",
        ) from error


@contextlib.contextmanager
def _offline(datasets: Any) -> Iterator[None]:
    """Where the hub cannot be reached, the library would ask for half a minute before it looks into its cache."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


@contextlib.contextmanager
def _quiet(datasets: Any) -> Iterator[None]:
    """No progress bars in a file or a pipe."""
    shown = not datasets.are_progress_bars_disabled()
    if shown and not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _first(error: Exception) -> str:
    return printable(str(error).splitlines()[0] if str(error) else type(error).__name__)[:300]


def _by_part(loaded: Any) -> tuple[dict[str, Any], list[str]]:
    """Data sets by the name of their part, in the order given; what is no part is left out and said."""
    if not isinstance(loaded, Mapping):
        _indexable(loaded)
        return {"all": loaded}, []
    for data in loaded.values():
        _indexable(data)
    if len(loaded) == 1:
        return {str(name): data for name, data in loaded.items()}, []
    named = {str(name): data for name, data in loaded.items() if part_of(str(name))}
    others = [printable(str(name)) for name in loaded if str(name) not in named]
    if not named:
        raise BadSource(
            f"None of the data set's splits is a part: {listing(others)}",
            expected="train, validation and test, or a single split",
            next_move="in Python, give {'train': ..., 'test': ...} of the splits that are meant",
        )
    return named, [f"not used: the splits {listing(others)}"] if others else []


def _indexable(data: Any) -> None:
    if not hasattr(data, "num_rows"):
        raise BadSource(
            "A data set that can only be streamed has no order to split",
            expected="a data set with a length, as load_dataset gives without streaming=True",
        )


def _columns(
    data: Any,
    *,
    label: str | None,
    path: str | None,
    group: str | None,
    text: str | Sequence[str] | None,
    origin: str,
) -> tuple[finding.Chosen, dict[str, list[Any]]]:
    """The columns to use, and the values of those that hold no pictures."""
    features = data.features
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    texts = finding.named_texts(kinds, text, origin)
    for name in (label, path, group):
        if name is not None and name not in kinds:
            raise UnknownName(
                "column", name, kinds, next_move=f"the columns of {origin} are {listing(list(kinds), 12)}"
            )
    pictures = [name for name, kind in kinds.items() if kind == "Image"]
    if path is None and not texts and len(pictures) > 1:
        raise BadSource(f"More than one column holds images: {listing(pictures)}", where=origin, next_move="use --path")
    if path is None and not texts and pictures:
        path = pictures[0]
    named = [name for name, kind in kinds.items() if kind == "ClassLabel" and name != group]
    if label is None and len(named) == 1:
        label = named[0]
    wanted = [name for name in kinds if name in (label, group, *texts) or _is_scalar(features[name])]
    rows = data.with_format(None).select_columns(wanted)[:] if wanted else {}
    read = {name: _named(rows[name], features[name]) for name in wanted}
    shown: dict[str, list[Any]] = dict(read)
    if path is not None and path not in shown:
        shown[path] = []  # its values are not looked at
    return finding.find(
        shown, label=label, path=path, base=Path(), origin=origin, group=group, text=texts or None
    ), read


def _is_scalar(feature: Any) -> bool:
    if type(feature).__name__ == "ClassLabel":
        return True
    return type(feature).__name__ == "Value" and str(feature.dtype).startswith(_SCALARS)


def _named(values: list[Any], feature: Any) -> list[Any]:
    """Values with class numbers as names; numbers below 0 stand for no label."""
    inner = getattr(feature, "feature", None)
    if inner is not None and type(inner).__name__ == "ClassLabel":
        return [None if each is None else _named(each, inner) for each in values]
    if type(feature).__name__ != "ClassLabel" or not feature.names:
        return values
    return [None if value is None or value < 0 else feature.names[value] for value in values]


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """Undecoded pictures of one column."""

    rows: Any
    column: str

    def __call__(self, number: int) -> Any:
        cell = self.rows[number][self.column]
        if cell is None:
            raise Undecodable("there is no image in this row")
        return cell["bytes"] if cell.get("bytes") is not None else cell["path"]


def _items(data: Any, chosen: finding.Chosen, read: Mapping[str, list[Any]], where: str) -> list[Any]:
    if chosen.modality == "texts":
        return list(passages.of_rows(read, chosen.items, f"{where}, row" if where != "the data set" else "row"))
    column = chosen.path
    if column in read:
        return [value or None for value in read[column]]
    from datasets import Image

    rows = data.with_format(None).select_columns([column]).cast_column(column, Image(decode=False))
    shelf = Shelf(_Pictures(rows, column), where)
    return [Deferred(shelf, number) for number in range(len(rows))]
