"""Sentences that are split into words already, and some of their words: what a model of words is asked about."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from headstart.base import hashes
from headstart.data.readers import splitting

Place = tuple[int, int]
"""A word's first character in its sentence, and the one behind its last."""
_BETWEEN = "\x1f"


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence, or whatever else of a text was read together.

    Attributes:
        words: in order.
        text: what they stand in.
        places: where each of them stands in it.
        name: how messages name it.
    """

    words: tuple[str, ...]
    text: str
    places: tuple[Place, ...]
    name: str

    def __str__(self) -> str:
        return self.name

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the words."""
        return hashes.of_texts(["words", *self.words])


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Some words of a sentence; nearly always one.

    Attributes:
        sentence: theirs.
        chosen: which of its words, counted from 0, ascending.
    """

    sentence: Sentence
    chosen: tuple[int, ...]

    @property
    def name(self) -> str:
        """How messages name them."""
        if len(self.chosen) != 1:
            return self.sentence.name
        return f"{self.sentence.name}, word {self.chosen[0] + 1} ({self.sentence.words[self.chosen[0]]})"

    def __str__(self) -> str:
        return self.name


def of_words(words: Sequence[str], name: str) -> Sentence:
    """The sentence of words that somebody else split, with a space between each two."""
    clean = tuple(unicodedata.normalize("NFC", word) for word in words)
    places, start = [], 0
    for word in clean:
        places.append((start, start + len(word)))
        start += len(word) + 1
    return Sentence(clean, " ".join(clean), tuple(places), name)


def of_text(text: str, name: str) -> Sentence:
    """The sentence of a text, split at spaces and around marks, as corpora with labelled words nearly always are."""
    text = unicodedata.normalize("NFC", text)
    found = [token for chunk in splitting.chunks(text) for token in splitting.tokens(chunk)]
    return Sentence(
        tuple(word for word, _ in found), text, tuple((start, start + len(word)) for word, start in found), name
    )


def each(sentence: Sentence) -> list[Words]:
    """Its words, one by one."""
    return [Words(sentence, (number,)) for number in range(len(sentence.words))]


def packed(words: Words) -> bytes:
    """Words and their sentence as bytes, which ``unpacked`` reads."""
    chosen = " ".join(map(str, words.chosen))
    return _BETWEEN.join([chosen, *words.sentence.words]).encode("utf-8", "replace")


def unpacked(data: bytes) -> Words:
    """Inverse of ``packed``."""
    chosen, *words = data.decode("utf-8", "replace").split(_BETWEEN)
    sentence = of_words([word for word in words if word] or ["a"], "item")
    numbers = [int(each) for each in chosen.split() if each.isdigit() and int(each) < len(sentence.words)]
    return Words(sentence, tuple(sorted(set(numbers))) or (0,))
