"""Characters of words: each word as the bytes it is written with, as ELMo reads them; no word is unknown to it.

Fifty numbers a word: its beginning, its bytes in UTF-8, its end, and filling behind them; of a longer word the first 48
bytes. Every window is framed by a beginning and an end of its own (Peters et al., Deep contextualized word
representations, 2018; the numbers are those of the published models).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.base.vocabulary import CHARACTERS, Tokenization
from headstart.data.readers import splitting
from headstart.data.readers.reader import Span, Text, Window, cut, texts

TEXT_BEGINS, TEXT_ENDS, BEGINS, ENDS, FILLING = 256, 257, 258, 259, 260
"""What follows the 256 bytes."""


class Characters:
    """Words as their bytes.

    Args:
        reading: how long windows are, their frames included.
    """

    def __init__(self, reading: Tokenization) -> None:
        self.length = max(1, reading.length - 2)
        self.overlap = max(0, min(reading.overlap, self.length // 2))

    def windows(self, text: Text) -> list[Window]:
        """Windows of (t, 50): what each word is written with, plus 1. The two texts of a pair follow each other."""
        rows: list[list[int]] = []
        spans: list[Span] = []
        for which, each in enumerate(texts(text)):
            for word, start in _words(each):
                rows.append(spelled(word.encode("utf-8", "replace")))
                spans.append((which, start, start + len(word)))
        inner = Window(np.array(rows, np.int32).reshape(-1, CHARACTERS), spans)
        return [_framed(window) for window in cut(inner, self.length, self.overlap)]

    def unknown(self, text: Text) -> tuple[int, int]:
        """None, of all words."""
        return 0, sum(len(_words(each)) for each in texts(text))

    def words(self) -> list[str]:
        """There is no list: every word can be read."""
        return []

    def written(self, draws: Sequence[int]) -> str:
        """There is no list."""
        return ""

    def spelled(self, rows: np.ndarray) -> str:
        """A window's words (t, 50) with spaces between them, what frames them left out."""
        # One is added to each number, so a byte is between 1 and 256.
        written = (bytes(int(each) - 1 for each in row if 0 < each <= 256) for row in rows)
        return " ".join(each.decode("utf-8", "replace") for each in written if each)


def spelled(values: bytes | list[int]) -> list[int]:
    """Bytes or marks of one word as its fifty numbers, 1 added to each."""
    inner = [BEGINS, *values[: CHARACTERS - 2], ENDS]
    return [number + 1 for number in (*inner, *[FILLING] * (CHARACTERS - len(inner)))]


def _framed(window: Window) -> Window:
    begin, end = (np.array([spelled([mark])], np.int32) for mark in (TEXT_BEGINS, TEXT_ENDS))
    nowhere: Span = (None, 0, 0)
    return Window(np.concatenate([begin, window.rows, end]), [nowhere, *window.spans, nowhere])


def _words(text: str) -> list[splitting.Placed]:
    found: list[splitting.Placed] = []
    for chunk in splitting.chunks(text):
        for token in splitting.tokens(chunk):
            found += splitting.short_form(token) or (token,)
    return found


def ready(reading: Tokenization) -> Characters:
    """Nothing is needed but the reading itself."""
    return Characters(reading)
