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
        texts: one, or the two of a pair, as the source has them; None where it has none.
        name: how messages name it.
    """

    texts: tuple[Any, ...]
    name: str

    def __str__(self) -> str:
        return self.name


def of_rows(columns: Mapping[str, Sequence[Any]], names: Sequence[str], word: str = "row") -> tuple[Passage, ...]:
    """The passage of each row, named by its number, which is counted from 1."""
    return tuple(
        Passage(tuple(None if is_missing(text) else text for text in texts), f"{word} {number}")
        for number, texts in enumerate(zip(*(columns[name] for name in names), strict=True), start=1)
    )
