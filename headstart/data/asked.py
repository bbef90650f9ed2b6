"""Questions and the texts that they are asked of, and the places in such a text where an answer may begin or end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from headstart.base import hashes
from headstart.data import scripts
from headstart.data.readers import splitting

Place = tuple[int, int]
"""A word's first character in its text, and the one behind its last."""
NOTHING = "(no answer)"
"""What stands in the list of words for there being no answer."""
_BETWEEN = "\x1f"


@dataclass(frozen=True, eq=False)
class Asked:
    """A question and the text that holds its answer, or does not.

    Attributes:
        question: the question.
        context: the text.
        name: how messages name it.
    """

    question: str
    context: str
    name: str

    def __str__(self) -> str:
        return self.name

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where each word of the context stands in it: at spaces, and around marks."""
        return tuple(_words(self.context))

    @cached_property
    def units(self) -> tuple[tuple[int, int, int], ...]:
        """What is judged, as (text, start, end): the question's first word for "no answer", then every word."""
        first = next(_words(self.question), (0, len(self.question)))
        return ((0, *first), *((1, *place) for place in self.places))

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The different words of the context, in lower case."""
        return frozenset(word.casefold() for word in scripts.pieces(self.context))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of both texts."""
        return hashes.of_texts(["asked", self.question, self.context])

    def word(self, number: int) -> str:
        """What the unit of a number is, in words."""
        return NOTHING if number == 0 else self.context[slice(*self.places[number - 1])]


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some of the places that are judged; nearly always one.

    Attributes:
        asked: question and text.
        chosen: numbers of the units, ascending; 0 is for "no answer", 1 the first word of the context.
    """

    asked: Asked
    chosen: tuple[int, ...]

    @property
    def name(self) -> str:
        """How messages name them."""
        if len(self.chosen) != 1:
            return self.asked.name
        number = self.chosen[0]
        place = NOTHING if number == 0 else f"word {number} ({self.asked.word(number)})"
        return f"{self.asked.name}, {place}"

    def __str__(self) -> str:
        return self.name


def each(asked: Asked) -> list[Chosen]:
    """Its places, one by one."""
    return [Chosen(asked, (number,)) for number in range(len(asked.units))]


def packed(chosen: Chosen) -> bytes:
    """Places with their question and text as bytes, which ``unpacked`` reads."""
    numbers = " ".join(map(str, chosen.chosen))
    return _BETWEEN.join([numbers, chosen.asked.question, chosen.asked.context]).encode("utf-8", "replace")


def unpacked(data: bytes) -> Chosen:
    """Inverse of ``packed``."""
    numbers, question, context = [*data.decode("utf-8", "replace").split(_BETWEEN, 2), "", ""][:3]
    asked = Asked(question or "a", context if context.strip() else "a", "item")
    known = {int(each) for each in numbers.split() if each.isdigit() and int(each) < len(asked.units)}
    return Chosen(asked, tuple(sorted(known)) or (0,))


def covering(places: Sequence[Place], start: int, end: int) -> tuple[int, int] | None:
    """The first and the last of the words that some characters of their text touch; None if they touch none."""
    touched = [number for number, (first, behind) in enumerate(places) if first < end and start < behind]
    return (touched[0], touched[-1]) if touched else None


def _words(text: str) -> Iterator[Place]:
    for chunk in splitting.chunks(text):
        for word, start in splitting.tokens(chunk):
            yield start, start + len(word)
