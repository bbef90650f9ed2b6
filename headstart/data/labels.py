"""Raw labels become class names: text, numbers, booleans and missing values, read over the whole column."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from headstart.base.errors import DataError
from headstart.data.printable import listing, printable

_JOINED = re.compile(r"[\s_-]+")
_WHOLE = re.compile(r"[+-]?[0-9]+(\.0+)?")


def names(labels: Sequence[Any]) -> list[str | None]:
    """The class name of each label, None where it is missing (None, NaN, NA, empty text).

    Whole numbers lose an empty fraction (1.0 is "1"), but only if every label is one: among versions 1.0 and 1.5
    the text stays. Text is stripped and brought to Unicode's composed form, for one folder name may be
    spelt in two ways on two systems.

    Raises:
        DataError: when a label is a list or another container.
    """
    plain = [_plain(label) for label in labels]
    present = [label for label in plain if label is not None]
    texts = [_text(label) for label in present]
    if any("." in text for text in texts) and all(_WHOLE.fullmatch(text) for text in texts):
        texts = [text.split(".")[0] for text in texts]
    found = iter(texts)
    return [None if label is None else next(found) for label in plain]


def is_missing(value: Any) -> bool:
    """True for None, NaN and pandas' NA and NaT."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def alike(classes: Iterable[str]) -> list[str]:
    """Groups of class names that differ only by case, spaces, hyphens or underscores, each as "Cat / cat"."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        groups[_JOINED.sub("", name.casefold())].append(name)
    return [" / ".join(group) for key, group in groups.items() if key and len(group) > 1]


def _plain(label: Any) -> Any:
    if hasattr(label, "item") and not getattr(label, "ndim", 1):
        label = label.item()
    if is_missing(label):
        return None
    if isinstance(label, (list, tuple, set, frozenset, dict)) or hasattr(label, "ndim"):
        raise DataError(
            f"A label is a {type(label).__name__}: {listing([printable(repr(label)[:80])])}",
            expected="one class per item: text or a number",
            next_move="for one-hot rows pass labels.argmax(axis=1)",
        )
    if isinstance(label, bytes):
        label = label.decode("utf-8", "replace")
    if isinstance(label, str):
        return unicodedata.normalize("NFC", label).strip() or None
    return label


def _text(label: Any) -> str:
    return printable(label if isinstance(label, str) else str(label))
