"""Which column of a table is the image or the text, the label, the part: found from names and values, and said back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from headstart.base.errors import BadOption, BadSource, UnknownName
from headstart.data import tree, wording
from headstart.data.labels import is_missing
from headstart.data.parts import part_of
from headstart.data.pixels import is_image_name
from headstart.data.printable import listing, printable

PATH_NAMES = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "imagepath"),
    *("image_file", "image_name", "img", "img_path", "picture", "photo"),
)
LABEL_NAMES = (
    *("label", "class", "target", "category", "labels", "class_name", "classname", "label_name", "species", "y"),
    *("class_id", "label_id", "category_id", "classes", "categories", "targets"),
)
TEXT_LABEL_NAMES = (*LABEL_NAMES, "sentiment", "topic", "intent", "rating", "stars", "score")
"""What a text's label is called besides."""
SPLIT_NAMES = ("split", "part", "subset", "partition", "set", "fold", "usage")
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns to use; ``split`` and ``group`` may be absent.

    Attributes:
        items: of the items: one, or the two whose texts belong together.
        modality: what the items are.
    """

    items: tuple[str, ...]
    label: str
    split: str | None
    notes: tuple[str, ...] = ()
    group: str | None = None
    modality: str = "images"

    @property
    def path(self) -> str:
        """The column of the items, where there is one."""
        return self.items[0]

    def sentence(self) -> str:
        """What was chosen, for the user to check."""
        split = f", column '{printable(self.split)}' the part" if self.split else ""
        group = f", column '{printable(self.group)}' the group" if self.group else ""
        names = [f"'{printable(name)}'" for name in self.items]
        what = f"column {names[0]} is the {self.modality.removesuffix('s')}"
        if len(names) > 1:
            what = f"columns {names[0]} and {names[1]} are the pair of texts"
        return f"{what}, column '{printable(self.label)}' the label{split}{group}"


def find(
    columns: Mapping[str, Sequence[Any]],
    *,
    label: str | None,
    path: str | None,
    base: Path,
    origin: str,
    group: str | None = None,
    text: str | Sequence[str] | None = None,
) -> Chosen:
    """Choose the columns.

    The image column is the one most of whose values are image names, existing files, PIL images or arrays. Where there
    is none, the text column goes by its name; else it is the one with the longest texts. The label column goes by its
    name; else it is the only remaining column whose values repeat.

    Args:
        columns: name -> values.
        label, path, group: named by the user; taken as they are. There is a group only if it is named.
        text: named by the user likewise; two with a comma between are a pair.
        base: folder that relative paths are looked up in.
        origin: the table, for messages.

    Raises:
        UnknownName: a named column does not exist.
        BadSource: no column, or more than one, could be meant.
    """
    for name in (path, label, group):
        _known(columns, name, origin)
    pair = named_texts(columns, text, origin)
    if path is not None and pair:
        raise BadSource("--path and --text are both given", where=origin, expected="one of the two")
    notes: list[str] = []
    items, modality = pair, "texts"
    if not pair:
        image = path if path is not None else _image(columns, base, origin, exclude=label)
        items, modality = (image,) if image else (), "images" if image else "texts"
    items = items or wording.columns(columns, [name for name in (label, group) if name], notes, origin)
    split = _split(columns, (*items, label, group), notes, origin)
    if label is None:
        label = _label(
            columns, (*items, split, group), origin, LABEL_NAMES if modality == "images" else TEXT_LABEL_NAMES
        )
    what = modality.removesuffix("s")
    if label in items:
        twice = f"Column '{label}' cannot be both the {what} and the label"
        raise BadSource(twice, where=origin, expected="two columns")
    if group is not None and group in (*items, label):
        other = "label" if group == label else what
        what = f"Column '{printable(str(group))}' cannot be both the group and the {other}"
        raise BadSource(what, where=origin, expected="a column of its own for the group, such as patient")
    return Chosen(items, label, split, tuple(notes), group, modality)


def named_texts(columns: Mapping[str, Any], text: str | Sequence[str] | None, origin: str) -> tuple[str, ...]:
    """The text columns that the user named: none, one, or the two of a pair.

    Args:
        columns: name -> values.
        text: one name, several in a list, or several with commas between.
        origin: the table, for messages.

    Raises:
        UnknownName: one of them does not exist.
        BadOption: more than two.
    """
    if text is None:
        return ()
    names = [text] if isinstance(text, str) else list(text)
    if isinstance(text, str) and text not in columns and "," in text:
        names = [name.strip() for name in text.split(",") if name.strip()]
    names = list(dict.fromkeys(names))
    if len(names) > 2:
        raise BadOption(f"--text names {len(names)} columns", expected="one column, or two whose texts belong together")
    for name in names:
        _known(columns, name, origin)
    return tuple(names)


def _known(columns: Mapping[str, Any], name: str | None, origin: str) -> None:
    if name is not None and name not in columns:
        raise UnknownName("column", name, columns, next_move=f"the columns of {origin} are {_named(columns)}")


def sample(values: Sequence[Any]) -> list[Any]:
    """At most 200 of the non-empty values, evenly spaced."""
    present = [value for value in values if not _is_empty(value)]
    return present[:: max(1, len(present) // _LOOKED_AT)]


def _named(columns: Mapping[str, Any] | Sequence[str]) -> str:
    return listing([f"'{printable(name)}'" for name in columns], 12)


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return is_missing(value)


def _image(columns: Mapping[str, Sequence[Any]], base: Path, origin: str, *, exclude: str | None) -> str | None:
    likely: dict[str, tuple[bool, float]] = {}
    for name, values in columns.items():
        looked_at = sample(values)
        if name == exclude or not looked_at:
            continue
        there = [_is_there(value, base) for value in looked_at]
        like = [found or _is_like_image(value) for value, found in zip(looked_at, there, strict=True)]
        if 2 * sum(like) > len(like):
            likely[name] = (name.strip().casefold() in PATH_NAMES, round(sum(there) / len(there), 1))
    if not likely:
        return None
    best = max(likely.values())
    tied = [name for name, rank in likely.items() if rank == best]
    if len(tied) > 1:
        raise BadSource(
            f"More than one column holds image paths: {_named(tied)}", where=origin, next_move="choose one with --path"
        )
    return tied[0]


def _is_there(value: Any, base: Path) -> bool:
    if isinstance(value, (str, Path)):
        return tree.holds((base / str(value).strip()).is_file)
    return isinstance(value, Image.Image) or (isinstance(value, np.ndarray) and value.ndim >= 2)


def _is_like_image(value: Any) -> bool:
    return isinstance(value, (str, Path)) and is_image_name(str(value).strip())


def _split(
    columns: Mapping[str, Sequence[Any]], taken: Sequence[str | None], notes: list[str], origin: str
) -> str | None:
    for name in sorted(columns, key=lambda name: _rank(name, SPLIT_NAMES)):
        if name in taken or _rank(name, SPLIT_NAMES) == len(SPLIT_NAMES):
            continue
        values = {value for value in columns[name] if isinstance(value, str) and value.strip()}
        strange = sorted(printable(value) for value in values if part_of(value) is None)
        if not values or len(strange) == len(values):
            notes.append(f"column '{printable(name)}' is not used: its values are not train, val or test")
        elif strange:
            raise BadSource(
                f"Column '{printable(name)}' names parts that are not known: {listing(strange)}",
                where=origin,
                expected="train, val (valid, validation, dev) or test; an empty cell is train",
            )
        else:
            return name
    return None


def _rank(name: str, names: Sequence[str]) -> int:
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    return names.index(plain) if plain in names else len(names)


def _label(columns: Mapping[str, Sequence[Any]], taken: Sequence[str | None], origin: str, names: Sequence[str]) -> str:
    free = [name for name in columns if name not in taken]
    named = sorted((name for name in free if _rank(name, names) < len(names)), key=lambda n: _rank(n, names))
    if named:
        return named[0]
    sensible = free if len(free) == 1 else [name for name in free if _repeats(columns[name])]
    if len(sensible) == 1:
        return sensible[0]
    what = f"could each be the label: {_named(sensible)}" if sensible else "none of which looks like a label"
    raise BadSource(
        f"{len(sensible) or len(free)} columns {what}" if free else "There is no label column",
        where=origin,
        expected="a column called label, class, target or category, or just one beside the item's",
        next_move=f"name the column with --label; the columns are {_named(columns)}",
    )


def _repeats(values: Sequence[Any]) -> bool:
    """True if the values are few and recur, as classes do; identifiers, measurements and constants do not."""
    present = [value for value in values if not _is_empty(value)]
    if any(not isinstance(value, (str, int, float, bool)) for value in present[:_LOOKED_AT]):
        return False
    distinct = len(set(map(str, present)))
    return 2 <= distinct <= max(2, len(present) // 2)
