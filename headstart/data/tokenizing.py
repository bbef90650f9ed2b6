"""From a text to the tokens that a backbone reads, in windows where it is long; nothing of a text is left out unsaid.

A tokenizer travels as the file of the tokenizers library (tokenizer.json), which is data: no code of a model's
repository is run.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.base import hashes
from headstart.base.errors import MissingExtra, WeightsError
from headstart.base.vocabulary import Tokenization

Text = str | tuple[str, str]
"""One text, or a pair of them that belong together."""
Span = tuple[int | None, int, int]
"""Where a token stands: in which of the texts, its first character there, and the one behind its last; None for a token
that only frames a text."""
_READY: dict[Tokenization, Any] = {}
_MAKING = threading.Lock()


def tokens(text: Text, reading: Tokenization) -> np.ndarray:
    """The tokens of a text.

    A text longer than ``reading.length`` is read in overlapping windows; of one with more than ``reading.windows`` of
    them, so many are read that lie evenly from its beginning to its end.

    Returns:
        int32 (w, t, 2): w windows of up to t tokens; each token's id + 1, and 1 for one of a pair's second text. Zero
        behind the end of a shorter window.

    Raises:
        WeightsError: when the tokenizer is missing or cannot be read.
        MissingExtra: without the tokenizers library.
    """
    windows = _windows(text, reading)
    found = np.zeros((len(windows), max(1, *(len(each.ids) for each in windows)), 2), dtype=np.int32)
    for row, each in zip(found, windows, strict=True):
        row[: len(each.ids), 0] = np.asarray(each.ids, dtype=np.int32) + 1
        row[: len(each.ids), 1] = each.type_ids
    return found


def spans(text: Text, reading: Tokenization) -> list[list[Span]]:
    """Where the tokens of each window stand in the text, in the order of ``tokens``.

    Raises:
        WeightsError, MissingExtra: as ``tokens``.
    """
    return [
        [(which, *place) for which, place in zip(each.sequence_ids, each.offsets, strict=True)]
        for each in _windows(text, reading)
    ]


def written(reading: Tokenization, draws: Sequence[int]) -> str:
    """A text of as many of the vocabulary's tokens as there are draws, written as the tokenizer writes tokens."""
    tokenizer = _ready(reading)
    size = tokenizer.get_vocab_size()
    text: str = tokenizer.decode([int(each) % size for each in draws])
    # Of what only frames texts nothing is written, and a text has to say something.
    return text if text.strip() else "a"


def spelled(reading: Tokenization, tokens: np.ndarray) -> str:
    """Tokens (w, t, 2) of a text, the first window of them, as the tokenizer writes them."""
    text: str = _ready(reading).decode([int(each) - 1 for each in tokens[0, :, 0] if each > 0])
    return text if text.strip() else "a"


def overlap(reading: Tokenization) -> int:
    """Tokens that neighbouring windows share, fewer than half of what a window has room for."""
    return _shared(_ready(reading), reading)


def _shared(tokenizer: Any, reading: Tokenization) -> int:
    # Of a pair each text has half the room, and the library ends the process's thread if windows do not move on in it.
    framing = tokenizer.num_special_tokens_to_add(is_pair=True)
    return int(max(0, min(reading.overlap, (reading.length - framing) // 2 - 1)))


def _windows(text: Text, reading: Tokenization) -> list[Any]:
    tokenizer = _ready(reading)
    first = tokenizer.encode(text) if isinstance(text, str) else tokenizer.encode(*text)
    windows = [first, *first.overflowing]
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
    if reading is None or reading.reader not in ("pieces", "words"):
        return list(COMMON)
    if reading.reader == "words":
        return reading.content.decode("utf-8", "replace").split() or list(COMMON)
    ranked = sorted(_ready(reading).get_vocab(with_added_tokens=False).items(), key=lambda one: one[1])
    # Marks of a word's inside or beginning are the tokenizer's own.
    plain = [piece.removeprefix("##").strip("\u2581\u0120").removesuffix("</w>") for piece, _ in ranked]
    return [piece for piece in plain if piece.isprintable() and piece.strip()] or list(COMMON)


def _ready(reading: Tokenization) -> Any:
    with _MAKING:
        if reading not in _READY:
            _READY[reading] = _made(reading)
        return _READY[reading]


def _made(reading: Tokenization) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "hf") from error
    if hashes.of_bytes(reading.content) != reading.digest:
        raise WeightsError("The tokenizer is not the one that the network was trained with")
    try:
        made = Tokenizer.from_str(reading.content.decode("utf-8"))
        made.no_padding()
        made.enable_truncation(reading.length, stride=_shared(made, reading))
    except Exception as error:  # the library raises whatever its parser says
        raise WeightsError(f"The tokenizer cannot be read: {error}") from error
    return made
