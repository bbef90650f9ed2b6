"""Texts of a source that know where they were found: a row of a table, a place in a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.data.labels import is_missing


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, or two that belong together.

    Attributes:
        texts: one, or the two of a pair, as the source has them.
        name: how messages name it.
    """

    texts: tuple[Any, ...]
    name: str


def of_rows(
    columns: Mapping[str, Sequence[Any]], names: Sequence[str], word: str = "row"
) -> tuple[Passage | None, ...]:
    """The passage of each row, counted from 1; None where one of its texts is missing."""
    return tuple(
        None if any(_is_empty(text) for text in texts) else Passage(texts, f"{word} {number}")
        for number, texts in enumerate(zip(*(columns[name] for name in names), strict=True), start=1)
    )


def _is_empty(text: Any) -> bool:
    return is_missing(text) or (isinstance(text, str) and not text.strip())
