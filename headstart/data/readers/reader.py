"""What every reader of texts gives, and how a long text is cut into windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Text = str | tuple[str, str]
"""One text, or a pair of them that belong together."""
Span = tuple[int | None, int, int]
"""Where a token stands: in which of the texts, its first character there, and the one behind its last; None for a token
that only frames a text."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some consecutive tokens of a text.

    Attributes:
        rows: (t, c) int32, c numbers a token: ids + 1, 0 for nothing.
        spans: where each token stands.
    """

    rows: np.ndarray
    spans: Sequence[Span]


class Reader(Protocol):
    """Reads texts in one backbone's way."""

    @property
    def overlap(self) -> int:
        """Tokens that neighbouring windows share."""
        ...

    def windows(self, text: Text) -> list[Window]:
        """All of the text, in at least one window."""
        ...

    def unknown(self, text: Text) -> tuple[int, int]:
        """How many words or pieces of the text the backbone has no id for, and of how many."""
        ...

    def words(self) -> list[str]:
        """Words that it knows, as they are written; empty where there is no list of them."""
        ...

    def written(self, draws: Sequence[int]) -> str:
        """A text of as many known tokens as there are draws; empty where there is no list of them."""
        ...

    def spelled(self, rows: np.ndarray) -> str:
        """The tokens (t, c) of a window, written."""
        ...


def cut(window: Window, length: int, overlap: int) -> list[Window]:
    """A window of any length in windows of at most ``length``, neighbours sharing ``overlap`` tokens."""
    if len(window.rows) <= length:
        return [window]
    step = length - overlap
    starts = range(0, len(window.rows) - length + step, step)
    return [Window(window.rows[start : start + length], window.spans[start : start + length]) for start in starts]


def texts(text: Text) -> tuple[str, ...]:
    """One text, or the two of a pair."""
    return (text,) if isinstance(text, str) else tuple(text)
