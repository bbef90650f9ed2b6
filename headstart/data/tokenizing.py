"""From a text to the tokens that a backbone reads, in windows where it is long; nothing of a text is left out unsaid.

What tokens are is said by a reader (``data/readers/``). Its file travels with the weights, and is data: no code of a
model's repository is run.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from headstart.base import discovery, hashes
from headstart.base.errors import UnknownName, WeightsError
from headstart.base.vocabulary import Tokenization
from headstart.data.readers.reader import Reader, Span, Text, Window

__all__ = ["COMMON", "Span", "Text", "overlap", "spans", "spelled", "tokens", "unknown", "words", "written"]

_READY: dict[Tokenization, Reader] = {}
_MAKING = threading.Lock()


def tokens(text: Text, reading: Tokenization) -> np.ndarray:
    """The tokens of a text.

    A text longer than ``reading.length`` is read in overlapping windows; of one with more than ``reading.windows`` of
    them, so many are read that lie evenly from its beginning to its end.

    Returns:
        int32 (w, t, c): w windows of up to t tokens, c numbers each (``reading.numbers``). Those of a piece or a word
        are its id + 1, and 1 where it is of a pair's second text; those of a word read by its characters are their
        ids + 1. Zero behind the end of a shorter window.

    Raises:
        WeightsError: when the reader's file is missing or cannot be read.
        MissingExtra: without the library that it needs.
    """
    return _beside(_windows(text, reading), reading)


def everything(text: Text, reading: Tokenization) -> tuple[np.ndarray, list[list[Span]]]:
    """The tokens (w, t, c) of a text in all its windows, however many they are, and where they stand.

    Raises:
        WeightsError, MissingExtra: as ``tokens``.
    """
    windows = _ready(reading).windows(text)
    return _beside(windows, reading), [list(window.spans) for window in windows]


def _beside(windows: Sequence[Window], reading: Tokenization) -> np.ndarray:
    longest = max(len(window.rows) for window in windows)
    found = np.zeros((len(windows), longest, reading.numbers), dtype=np.int32)
    for row, window in zip(found, windows, strict=True):
        row[: len(window.rows)] = window.rows
    return found


def spans(text: Text, reading: Tokenization) -> list[list[Span]]:
    """Where the tokens of each window stand in the text, in the order of ``tokens``.

    Raises:
        WeightsError, MissingExtra: as ``tokens``.
    """
    return [list(window.spans) for window in _windows(text, reading)]


def unknown(text: Text, reading: Tokenization) -> tuple[int, int]:
    """How many words (or pieces) of a text the backbone does not know, and of how many.

    Raises:
        WeightsError, MissingExtra: as ``tokens``.
    """
    return _ready(reading).unknown(text)


def written(reading: Tokenization, draws: Sequence[int]) -> str:
    """A text of as many of the vocabulary's tokens as there are draws, written as the reader's texts are."""
    text = _ready(reading).written(draws)
    # Of what only frames texts nothing is written, and a text has to say something.
    return text if text.strip() else " ".join(COMMON[each % len(COMMON)] for each in draws)


def spelled(reading: Tokenization, tokens: np.ndarray) -> str:
    """Tokens (w, t, c) of a text, the first window of them, as the reader writes them."""
    text = _ready(reading).spelled(tokens[0])
    return text if text.strip() else "a"


def overlap(reading: Tokenization) -> int:
    """Tokens that neighbouring windows share, fewer than half of what a window has room for."""
    return _ready(reading).overlap


def counted(text: Text, reading: Tokenization) -> int:
    """How many windows a text fills, those that are not read among them.

    Raises:
        WeightsError, MissingExtra: as ``tokens``.
    """
    return len(_ready(reading).windows(text))


def taken_apart(word: str, reading: Tokenization) -> tuple[int, int]:
    """Of how many tokens a word inside a text is read, and how many of them stand for what is unknown.

    Raises:
        WeightsError, MissingExtra: as ``tokens``.
    """
    before, both = (len(_ready(reading).windows(text)[0].rows) for text in ("a", f"a {word}"))
    return both - before, unknown(f"a {word}", reading)[0] - unknown("a", reading)[0]


def _windows(text: Text, reading: Tokenization) -> list[Window]:
    windows = _ready(reading).windows(text)
    if len(windows) > reading.windows:
        spread = np.linspace(0, len(windows) - 1, reading.windows).round().astype(int)
        windows = [windows[i] for i in spread]
    return windows


COMMON = (
    *("the", "and", "of", "to", "in", "is", "it", "that", "was", "for", "on", "with", "as", "this", "not", "but"),
    *("good", "bad", "new", "old", "day", "time", "work", "house", "water", "year", "people", "world", "7", "42", "!"),
)
"""Words where nothing says which ones are known."""


def words(reading: Tokenization | None) -> list[str]:
    """Words that a backbone knows, as they are written; common English ones where it has no list of them."""
    return (_ready(reading).words() if reading is not None else []) or list(COMMON)


def _ready(reading: Tokenization) -> Reader:
    with _MAKING:
        if reading not in _READY:
            _READY[reading] = _made(reading)
        return _READY[reading]


def _made(reading: Tokenization) -> Reader:
    if hashes.of_bytes(reading.content) != reading.digest:
        raise WeightsError("The tokenizer is not the one that the network was trained with")
    try:
        plugin = discovery.load("data.readers", reading.reader)
    except UnknownName as error:
        raise WeightsError(
            f"The network reads texts as {reading.reader!r}, which nothing here can", expected=error.expected
        ) from error
    made: Reader = plugin.ready(reading)
    return made
