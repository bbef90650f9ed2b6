"""Places in a text where the answer to a question may begin or end, as the tokens that backbones of texts read.

An item is one word of the text, or the question's first word, which stands for "no answer". All places of a question
are read at once: the question beside the text, and beside every window of a long one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from headstart.base import hashes
from headstart.base.errors import BadSource, ExportError, Undecodable
from headstart.base.excerpt import Excerpt
from headstart.base.seeds import generator
from headstart.base.vocabulary import BackboneInfo, Demand, Fact, Tokenization, Wire
from headstart.data import asked as questions
from headstart.data import asking, excerpts, marking, scripts, texts, tokenizing, tree
from headstart.data.asked import Asked, Chosen
from headstart.data.exportable import ExportInputs
from headstart.data.passages import Passage
from headstart.data.printable import printable

if TYPE_CHECKING:
    import torch

BACKBONES = "texts"
"""The modality whose backbones read it."""
RAGGED = True
"""Inputs have extents of their own: windows and tokens."""
VIEWS = {"strength": 0.0}
"""As for texts, nothing is left out of a training view unless somebody asks for it."""
NOUN = "question"
"""What people bring; an item is a place in what one is asked of."""
PIPELINE = "question"
"""What the hub calls such models, before what they do."""
PLAIN = None
"""A model without a network reads the texts themselves."""
FACTS: dict[str, Fact] = {
    "words": Fact("number of words in the text that is asked of", unit="words"),
    "asked": Fact("number of words in the question", unit="words"),
    "shared": Fact("share of the question's words that the text has"),
}
"""Name -> what it is."""
WIRE = Wire((), text=False, unit="characters", most=200_000)
"""They do not travel to a server: it answers each item by itself, and a question is as many as its text has words."""
EXPECTED = "a SQuAD file (.json), a table with --text question,context, or a question and its text, each in quotes"
_PAIR = "a pair: a question, and the text that it is asked of"
_NAMES = ("question", "context")
_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34)
"""Words of generated texts."""


def decode(item: Any) -> Chosen:
    """The places that an item is; all places of a question and its text.

    Raises:
        Undecodable: with the reason, for whatever is no pair of texts.
    """
    if isinstance(item, Chosen):
        return item
    if not isinstance(item, Asked):
        name = str(item) if isinstance(item, Passage) else ""
        if isinstance(item, Mapping):
            item = tuple(item.get(key) for key in _NAMES)
        pair = texts.decode(item)
        if isinstance(pair, str):
            raise Undecodable("a single text is no question with its text", expected=_PAIR)
        item = Asked(*pair, name or pair[0])
    if not item.places:
        raise Undecodable("there is no word in the text that is asked of")
    return Chosen(item, tuple(range(len(item.units))))


def whole(item: Chosen) -> Chosen:
    """All places of an item's question, which are read at once."""
    return Chosen(item.asked, tuple(range(len(item.asked.units))))


def part(item: Chosen) -> tuple[int, int]:
    """What tells an item's question from others as long as it is in memory, and which place of it the item is."""
    return id(item.asked), item.chosen[0]


def some(item: Chosen, places: Sequence[int]) -> Chosen:
    """Some places of a whole."""
    return Chosen(item.asked, tuple(places))


def parts(item: Any) -> tuple[Chosen, ...]:
    """The items in what somebody asks, one a place.

    Raises:
        Undecodable: as ``decode``.
    """
    return tuple(questions.each(decode(item).asked))


def names(item: Any) -> tuple[list[str], list[tuple[int, int]]]:
    """What each place is in words, "no answer" first, and where it stands in the text that is asked of.

    Raises:
        Undecodable: as ``decode``.
    """
    asked = decode(item).asked
    return [asked.word(number) for number in range(len(asked.units))], [(0, 0), *asked.places]


def digest(item: Any) -> str:
    """SHA-256 of the question, its text, and of which places are asked about.

    Raises:
        Undecodable: as ``decode``.
    """
    chosen = decode(item)
    return hashes.of_texts([chosen.asked.digest, *map(str, chosen.chosen)])


def load(item: Any, preprocessing: Tokenization | None) -> np.ndarray:
    """Question and text as a backbone reads them, int32 (w, t, c + 1) as ``marking.marked`` says; else bytes (l,).

    Raises:
        Undecodable: as ``decode``; for a question that fills half of a window while its text needs several.
        WeightsError: when the backbone's tokenizer is missing or damaged.
    """
    chosen = decode(item)
    if preprocessing is None:
        return np.frombuffer(questions.packed(chosen), dtype=np.uint8).copy()
    pair = (chosen.asked.question, chosen.asked.context)
    found = marking.marked(pair, chosen.asked.units, chosen.chosen, preprocessing)
    if len(found) > 1:
        _check_room(chosen.asked, preprocessing)
    return found


def _check_room(asked: Asked, reading: Tokenization) -> None:
    """Of a pair's texts neither gets more than half a window: a longer question would be cut, and not stand whole."""
    size = tokenizing.tokens(asked.question, reading).shape
    if size[0] > 1 or size[1] > reading.length // 2:
        raise Undecodable(
            f"the question is too long to stand beside each window of its text, of {reading.length:,} tokens each",
            where=printable(asked.name),
            expected="a question of less than half of them, or a text that fits into one window",
        )


def generated(preprocessing: Tokenization | None, *, seed: int, count: int) -> np.ndarray:
    """Inputs (count, ...), as ``load`` gives them, of one place each, of questions that nobody asked."""
    draw = generator(seed, "golden")
    known = tokenizing.words(preprocessing)
    found = []
    for number in range(count):
        size = _LENGTHS[number % len(_LENGTHS)]
        question, context = (" ".join(map(str, draw.choice(known, size=each))) for each in (min(size, 3), size))
        asked = Asked(question, context, "generated")
        found.append(load(Chosen(asked, (int(draw.integers(len(asked.units))),)), preprocessing))
    return texts.padded(found)


def handed(inputs: np.ndarray) -> list[Chosen]:
    """Inputs (n, l) uint8, as ``load`` gives them without a backbone, as items."""
    return [questions.unpacked(row.tobytes().rstrip(b"\x00")) for row in inputs]


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
    """What is to be said of how a text is read: nothing of one that fits into a window beside its question.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: as ``load``.
    """
    if preprocessing is None:
        return ""
    asked = decode(item).asked
    count = tokenizing.counted((asked.question, asked.context), preprocessing)
    return f"read in {count} windows" if count > 1 else ""


def overview(items: Sequence[Any], extents: np.ndarray, preprocessing: Tokenization) -> str:
    """The same of many questions, of which (n, 2) windows and tokens are known: a sentence, or nothing."""
    long = int((extents[:, 0] > 1).sum())
    if not long:
        return ""
    return (
        f"{long:,} of {len(items):,} questions have longer texts than the backbone's {preprocessing.length} tokens: "
        "these are read in windows that overlap, with the question beside each of them"
    )


def asked(args: Iterable[str], *, stdin: BinaryIO | None = None, text: str | None = None) -> list[Any]:
    """The questions that the arguments of a command stand for: files, rows of tables, or a question and its text.

    Raises:
        BadSource, UnknownName: as ``asking.inputs``; a question without a text.
    """
    from headstart.data.sources import answers

    found: list[Any] = []
    waiting: str | None = None
    for arg in args:
        if waiting is not None:
            found.append(Passage((waiting, _context(arg)), waiting))
            waiting = None
        elif answers.claims(arg):
            found += answers.questions_of(arg)
        elif _is_sentence(arg):
            waiting = arg
        else:
            found += asking.inputs([arg], stdin=stdin, text=text)
    if waiting is not None:
        raise BadSource(
            f"There is no text that this question is asked of: {printable(waiting)[:80]}",
            expected="the text in quotes, or a text file, behind the question",
        )
    if not found:
        raise BadSource("There is nothing to predict", expected=EXPECTED)
    return found


def _is_sentence(arg: str) -> bool:
    path = tree.as_path(arg)
    there = path is not None and tree.holds(path.exists)
    return not there and any(char.isspace() for char in arg.strip())


def _context(arg: str) -> Any:
    path = tree.as_path(arg)
    return path if path is not None and tree.holds(path.is_file) else arg


def listed(given: Any) -> list[Any]:
    """The questions that a program hands over: one (question, text), or a list of them; or a SQuAD file.

    Raises:
        BadSource: when there is nothing to predict, or a single text.
    """
    from headstart.data.sources import answers

    if isinstance(given, Asked | Chosen | Passage | Mapping):
        return [given]
    if answers.claims(given):
        return list(answers.questions_of(given))
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise BadSource("A single text is no question with its text", expected=_PAIR)
    found = list(given)
    if len(found) == 2 and all(isinstance(each, str) for each in found):
        return [(found[0], found[1])]
    if not found:
        raise BadSource("There is nothing to predict", expected="at least one question with its text")
    return found


def facts(item: Any) -> dict[str, float | str]:
    """What a question and its text are like, by the names in ``FACTS``.

    Raises:
        Undecodable: as ``decode``.
    """
    asked = decode(item).asked
    wanted = [word.casefold() for word in scripts.pieces(asked.question)]
    return {
        "words": float(len(asked.places)),
        "asked": float(len(wanted)),
        "shared": sum(word in asked.vocabulary for word in wanted) / max(1, len(wanted)),
    }


def expects(info: BackboneInfo | None) -> tuple[Demand, ...]:
    """Nothing of a single place."""
    return ()


def render(item: Any, size: int = 96) -> Excerpt:
    """A place for a page: marked in the question and its text.

    Raises:
        Undecodable: as ``decode``.
    """
    chosen = decode(item)
    asked, most = chosen.asked, texts.CHARACTERS * size
    pair = (asked.question, asked.context)
    if len(chosen.chosen) != 1:
        return excerpts.of(pair, most)
    return excerpts.marked(pair, [[asked.units[chosen.chosen[0]]]], np.ones((1, 1)), most)


def overlay(item: Any, heat: np.ndarray, preprocessing: Tokenization, size: int = 96) -> Excerpt:
    """Question and text of a place, in which words are marked by the heat (w, t), from 0, of their tokens.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: as ``load``.
    """
    asked = decode(item).asked
    pair = (asked.question, asked.context)
    return excerpts.marked(pair, tokenizing.everything(pair, preprocessing)[1], heat, texts.CHARACTERS * size)


def received(content: bytes | str | tuple[str, str], most: int) -> Asked:
    """A question that a stranger sent with its text, of at most ``most`` characters each.

    Raises:
        Undecodable: for what is empty, too long, no pair, or no UTF-8.
    """
    return decode(texts.received(content, most)).asked


def cells(item: Any) -> dict[str, str]:
    """A place as cells of a table: column -> text.

    Raises:
        Undecodable: as ``decode``.
    """
    chosen = decode(item)
    said = " ".join(chosen.asked.word(number) for number in chosen.chosen)
    return {"word": said, "question": chosen.asked.question, "context": chosen.asked.context}


def export_inputs(preprocessing: Tokenization | None) -> ExportInputs:
    """No graph takes questions yet: which token stands for which word is said by the tokenizer, outside of it.

    Raises:
        ExportError: always.
    """
    raise ExportError(
        "A model that answers questions does not leave as a graph or another library's folder: which tokens of a text "
        "an answer may begin and end at is worked out before the network, and no such file can say it",
        next_move="the model folder itself predicts: headstart predict MODEL FILE --json, or hs.load(MODEL).predict",
    )
