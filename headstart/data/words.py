"""Words in their sentences, each with a tag of its own, as the tokens that backbones of texts read.

An item is one word and the sentence it stands in. All words of a sentence are read at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from headstart.base import hashes
from headstart.base.errors import BadSource, ExportError, Undecodable
from headstart.base.excerpt import Excerpt
from headstart.base.seeds import generator
from headstart.base.vocabulary import BackboneInfo, Demand, Fact, Tokenization, Wire
from headstart.data import asking, excerpts, marking, sentences, texts, tokenizing
from headstart.data.exportable import ExportInputs
from headstart.data.sentences import Sentence, Words

if TYPE_CHECKING:
    import torch

BACKBONES = "texts"
"""The modality whose backbones read it."""
RAGGED = True
"""Inputs have extents of their own: windows and tokens."""
VIEWS = {"strength": 0.0}
"""As for texts, nothing is left out of a training view unless somebody asks for it."""
NOUN = "word"
"""What an item is called."""
PIPELINE = "token"
"""What the hub calls models of words, before what they do."""
PLAIN = None
"""A model without a network reads the words themselves."""
FACTS: dict[str, Fact] = {
    "words": Fact("number of words in its sentence", unit="words"),
    "letters": Fact("share of letters"),
    "capitals": Fact("share of capitals among the letters"),
    "digits": Fact("share of digits"),
}
"""Name -> what it is."""
WIRE = Wire((), text=False, unit="characters", most=200_000)
"""They do not travel to a server: it answers each item by itself, and a sentence is as many as it has words."""
_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
"""Words of generated sentences."""


def decode(item: Any) -> Words:
    """The words that an item is, in their sentence; all words of a sentence, or of a text.

    Raises:
        Undecodable: with the reason, for whatever has no words.
    """
    if isinstance(item, Words):
        return item
    if isinstance(item, list | tuple) and item and all(isinstance(word, str) for word in item):
        item = sentences.of_words(item, " ".join(item))
    if not isinstance(item, Sentence):
        text = texts.decode(item)
        if not isinstance(text, str):
            raise Undecodable("a pair of texts is no sentence", expected="one text, or a list of words")
        item = sentences.of_text(text, str(item))
    if not item.words:
        raise Undecodable("there is no word in it")
    return Words(item, tuple(range(len(item.words))))


def whole(item: Words) -> Words:
    """All words of an item's sentence, which are read at once."""
    return Words(item.sentence, tuple(range(len(item.sentence.words))))


def part(item: Words) -> tuple[int, int]:
    """What tells an item's sentence from others as long as it is in memory, and which word of it the item is."""
    return id(item.sentence), item.chosen[0]


def some(item: Words, places: Sequence[int]) -> Words:
    """Some words of a whole."""
    return Words(item.sentence, tuple(places))


def parts(item: Any) -> tuple[Words, ...]:
    """The items in what somebody asks about, one a word.

    Raises:
        Undecodable: as ``decode``.
    """
    return tuple(sentences.each(decode(item).sentence))


def names(item: Any) -> tuple[list[str], list[tuple[int, int]]]:
    """The words in what somebody asks about, and where each stands in its text.

    Raises:
        Undecodable: as ``decode``.
    """
    sentence = decode(item).sentence
    return list(sentence.words), list(sentence.places)


def digest(item: Any) -> str:
    """SHA-256 of the sentence and of which words of it are asked about.

    Raises:
        Undecodable: as ``decode``.
    """
    words = decode(item)
    if len(words.chosen) == len(words.sentence.words) != 1:
        return words.sentence.digest
    return hashes.of_texts([words.sentence.digest, *map(str, words.chosen)])


def load(item: Any, preprocessing: Tokenization | None) -> np.ndarray:
    """The sentence as a backbone reads it, int32 (w, t, c + 1) as ``marking.marked`` says; else as bytes, uint8 (l,).

    Raises:
        Undecodable: as ``decode``.
        WeightsError: when the backbone's tokenizer is missing or damaged.
    """
    words = decode(item)
    if preprocessing is None:
        return np.frombuffer(sentences.packed(words), dtype=np.uint8).copy()
    placed = [(0, *place) for place in words.sentence.places]
    return marking.marked(words.sentence.text, placed, words.chosen, preprocessing)


def generated(preprocessing: Tokenization | None, *, seed: int, count: int) -> np.ndarray:
    """Inputs (count, ...), as ``load`` gives them, of one word each in sentences that nobody wrote."""
    draw = generator(seed, "golden")
    known = tokenizing.words(preprocessing)
    found = []
    for number in range(count):
        size = _LENGTHS[number % len(_LENGTHS)]
        sentence = sentences.of_words([str(word) for word in draw.choice(known, size=size)], "generated")
        found.append(load(Words(sentence, (int(draw.integers(size)),)), preprocessing))
    return texts.padded(found)


def handed(inputs: np.ndarray) -> list[Words]:
    """Inputs (n, l) uint8, as ``load`` gives them without a backbone, as items."""
    return [sentences.unpacked(row.tobytes().rstrip(b"\x00")) for row in inputs]


def shape(preprocessing: Tokenization) -> tuple[int, ...]:
    """Of what ``load`` gives at most for one window: (1, t, c + 1), four bytes each."""
    return (1, preprocessing.length, 4 * (preprocessing.numbers + 1))


def geometry(preprocessing: Tokenization) -> dict[str, Any]:
    """What ``load`` depends on."""
    return preprocessing.as_dict()


def augment(
    batch: torch.Tensor, seed: int, *, flip: bool = True, strength: float = 1.0, randaugment: int = 0
) -> torch.Tensor:
    """A varied copy of a batch, labels unchanged: some tokens are left out, though none that a word begins with.

    Args:
        batch: int32 (n, w, t, c + 1).
        seed, flip, strength, randaugment: as for texts.
    """
    import torch

    varied = texts.augment(batch, seed, flip=flip, strength=strength, randaugment=randaugment)
    return torch.where(batch[..., -1:] > 0, batch, varied)


def remark(item: Any, preprocessing: Tokenization | None) -> str:
    """What is to be said of how a sentence is read: nothing of one that fits into a window.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: as ``load``.
    """
    if preprocessing is None:
        return ""
    count = tokenizing.counted(decode(item).sentence.text, preprocessing)
    return f"read in {count} windows" if count > 1 else ""


def overview(items: Sequence[Any], extents: np.ndarray, preprocessing: Tokenization) -> str:
    """The same of many sentences, of which (n, 2) windows and tokens are known: a sentence, or nothing."""
    long = int((extents[:, 0] > 1).sum())
    if not long:
        return ""
    return (
        f"{long:,} of {len(items):,} sentences are longer than the backbone's {preprocessing.length} tokens: they are "
        "read in windows that overlap, each word in the one that has most around it"
    )


def asked(args: Iterable[str], *, stdin: BinaryIO | None = None, text: str | None = None) -> list[Any]:
    """The sentences that the arguments of a command stand for: those of files of labelled words, or texts.

    Raises:
        BadSource, UnknownName: as ``asking.inputs``.
    """
    from headstart.data.sources import conll

    found: list[Any] = []
    for arg in args:
        if conll.claims(arg):
            found += conll.sentences_of(arg)
        else:
            found += asking.inputs([arg], stdin=stdin, text=text)
    if not found:
        raise BadSource("There is nothing to predict", expected=asking.EXPECTED)
    return found


def listed(given: Any) -> list[Any]:
    """The sentences that a program hands over: texts, or lists of words.

    Raises:
        BadSource: as ``asking.items``.
    """
    if isinstance(given, Sentence | Words):
        return [given]
    if (
        isinstance(given, list | tuple)
        and given
        and all(isinstance(each, Sentence | Words | list | tuple) for each in given)
    ):
        return list(given)
    return asking.items(given)


def facts(item: Any) -> dict[str, float | str]:
    """What a word is like, by the names in ``FACTS``.

    Raises:
        Undecodable: as ``decode``.
    """
    words = decode(item)
    said = "".join(words.sentence.words[number] for number in words.chosen)
    letters = sum(map(str.isalpha, said))
    return {
        "words": float(len(words.sentence.words)),
        "letters": letters / max(1, len(said)),
        "capitals": sum(map(str.isupper, said)) / max(1, letters),
        "digits": sum(map(str.isdigit, said)) / max(1, len(said)),
    }


def expects(info: BackboneInfo | None) -> tuple[Demand, ...]:
    """Nothing of a single word."""
    return ()


def render(item: Any, size: int = 96) -> Excerpt:
    """A word for a page: marked in its sentence.

    Raises:
        Undecodable: as ``decode``.
    """
    words = decode(item)
    sentence, most = words.sentence, texts.CHARACTERS * size
    if len(words.chosen) != 1:
        return excerpts.of(sentence.text, most)
    return excerpts.marked(sentence.text, [[(0, *sentence.places[words.chosen[0]])]], np.ones((1, 1)), most)


def overlay(item: Any, heat: np.ndarray, preprocessing: Tokenization, size: int = 96) -> Excerpt:
    """The sentence of a word, in which words are marked by the heat (w, t), from 0, of their tokens.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: as ``load``.
    """
    sentence = decode(item).sentence
    spans = tokenizing.everything(sentence.text, preprocessing)[1]
    return excerpts.marked(sentence.text, spans, heat, texts.CHARACTERS * size)


def received(content: bytes | str | tuple[str, str], most: int) -> Sentence:
    """A sentence that a stranger sent, of at most ``most`` characters.

    Raises:
        Undecodable: for what is empty, too long, a pair, or no UTF-8.
    """
    text = texts.received(content, most)
    if not isinstance(text, str):
        raise Undecodable("a pair of texts is no sentence", expected="one text")
    return decode(text).sentence


def cells(item: Any) -> dict[str, str]:
    """A word as cells of a table: column -> text.

    Raises:
        Undecodable: as ``decode``.
    """
    words = decode(item)
    said = " ".join(words.sentence.words[number] for number in words.chosen)
    return {"word": said, "sentence": words.sentence.text}


def export_inputs(preprocessing: Tokenization | None) -> ExportInputs:
    """No graph takes words yet: which token stands for which word is said by the tokenizer, outside of it.

    Raises:
        ExportError: always.
    """
    raise ExportError(
        "A model of words does not leave as a graph or another library's folder: which of a sentence's tokens stand "
        "for its words is worked out before the network, and no such file can say it",
        next_move="the model folder itself predicts: headstart predict MODEL FILE --json, or hs.load(MODEL).predict",
    )
