"""Whole words: those of a vocabulary, one a line; a word that is not in it leaves nothing, and is counted.

A word is looked up as it stands, then in lower case, then with # for its digits (as word2vec's news vectors have
numbers); one that is not found is taken apart at short forms and inner marks, or, where a script has no spaces, into
the longest words that are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Tokenization
from headstart.data.readers import splitting
from headstart.data.readers.reader import Text, Window, cut, texts
from headstart.data.readers.splitting import Placed

Known = tuple[int, int, int]
"""A word's line in the vocabulary, and the characters that it takes in its text."""
_DIGITS = str.maketrans("0123456789", "#" * 10)


class Words:
    """A vocabulary.

    Args:
        numbers: word -> its line in the vocabulary, from 0.
        reading: how long windows are.
    """

    def __init__(self, numbers: Mapping[str, int], reading: Tokenization) -> None:
        self.numbers, self.length = numbers, reading.length
        self.overlap = max(0, min(reading.overlap, reading.length // 2))
        self.longest = min(max(map(len, numbers), default=1), 32)

    def windows(self, text: Text) -> list[Window]:
        """Windows of (t, 2): the word's line, from 1, and 1 for a word of a pair's second text.

        A text without any known word is one token that is nothing.
        """
        rows, spans = [], []
        for which, each in enumerate(texts(text)):
            for line, start, end in self._read(each)[0]:
                rows.append((line + 1, which))
                spans.append((which, start, end))
        whole = Window(np.array(rows or [(0, 0)], dtype=np.int32), spans or [(None, 0, 0)])
        return cut(whole, self.length, self.overlap)

    def unknown(self, text: Text) -> tuple[int, int]:
        """Words that are not in the vocabulary, of all words; marks are no words."""
        read = [self._read(each) for each in texts(text)]
        return sum(strangers for _, strangers, _ in read), sum(words for _, _, words in read)

    def words(self) -> list[str]:
        """The vocabulary."""
        return list(self.numbers)

    def written(self, draws: Sequence[int]) -> str:
        """Words of the vocabulary with spaces between them."""
        known = self.words()
        return " ".join(known[each % len(known)] for each in draws)

    def spelled(self, rows: np.ndarray) -> str:
        """A window's words (t, 2) with spaces between them."""
        known = self.words()
        return " ".join(known[int(each) - 1] for each in rows[:, 0] if each > 0)

    def _read(self, text: str) -> tuple[list[Known], int, int]:
        """The known words in order; how many words are unknown, of how many."""
        found: list[Known] = []
        strangers = words = 0
        for chunk in splitting.chunks(text):
            if whole := self._known([chunk]):
                found += whole
                words += splitting.is_word(chunk[0])
                continue
            for token in splitting.tokens(chunk):
                known, lost = self._taken_apart(token)
                found += known
                strangers += lost
                words += max(lost + len(known), 1) if splitting.is_word(token[0]) else 0
        return found, strangers, words

    def _known(self, placed: Sequence[Placed]) -> list[Known]:
        """Those of some words that are in the vocabulary."""
        lines = [(self._line(word), word, start) for word, start in placed]
        return [(line, start, start + len(word)) for line, word, start in lines if line is not None]

    def _line(self, word: str) -> int | None:
        for form in (word, word.lower()):
            if (line := self.numbers.get(form)) is not None:
                return line
        return self.numbers.get(word.translate(_DIGITS)) if any("0" <= char <= "9" for char in word) else None

    def _taken_apart(self, token: Placed) -> tuple[list[Known], int]:
        """A token's words that are known, and how many of them are not."""
        if known := self._known([token]):
            return known, 0
        if not splitting.is_word(token[0]):
            return [], 0
        halves = splitting.short_form(token)
        if halves is not None and (known := self._known(halves)):
            return known, int(self._line(halves[0][0]) is None)
        found: list[Known] = []
        lost = 0
        for part in splitting.parts(token):
            if known := self._known([part]):
                found += known
            elif splitting.is_unspaced(part[0]):
                known, rest = self._longest_first(part)
                found, lost = found + known, lost + rest
            else:
                lost += 1
        return found, lost

    def _longest_first(self, run: Placed) -> tuple[list[Known], int]:
        """The known words of a run without spaces, the longest at each place; letters that begin none are lost."""
        text, start = run
        found: list[Known] = []
        lost = at = 0
        while at < len(text):
            for size in range(min(self.longest, len(text) - at), 0, -1):
                if (line := self.numbers.get(text[at : at + size])) is not None:
                    found.append((line, start + at, start + at + size))
                    at += size
                    break
            else:
                lost, at = lost + 1, at + 1
        return found, lost


def ready(reading: Tokenization) -> Words:
    """The vocabulary in ``reading.content``.

    Raises:
        WeightsError: when it is no UTF-8 text, or has a word twice.
    """
    try:
        lines = reading.content.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise WeightsError("The vocabulary is no UTF-8 text", expected="one word a line") from error
    numbers = {word: line for line, word in enumerate(lines)}
    if len(numbers) < len(lines):
        raise WeightsError("The vocabulary has a word more than once", expected="one word a line, each once")
    return Words(numbers, reading)
