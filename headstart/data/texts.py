"""Texts: sentences and documents from strings and files, as the tokens that backbones read.

An item is a string, a pair of strings, the path of a text file, or the bytes of one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from headstart.base import hashes
from headstart.base.errors import Undecodable
from headstart.base.excerpt import Excerpt
from headstart.base.seeds import generator
from headstart.base.vocabulary import BackboneInfo, Demand, Tokenization, Wire
from headstart.data import asking, excerpts, legible, prose, scripts, token_inputs, tokenizing
from headstart.data.deferred import fetched
from headstart.data.exportable import ExportInputs
from headstart.data.passages import Passage
from headstart.data.tokenizing import Text
from headstart.measure import shingles

if TYPE_CHECKING:
    import torch

FACTS = prose.FACTS
NEAR = 0.5
"""Distance up to which two texts are near duplicates: they share at least half of their runs of five words."""
RAGGED = True
"""Inputs have extents of their own: windows and tokens."""
VIEWS = {"strength": 0.0}
"""Settings of training views that mean something for texts: nothing is left out of one unless somebody asks for it."""
LARGEST = 64 * 2**20
"""Bytes of a file beyond which it is not read."""
MARKS = 20_000
"""Words that are looked at for giving labels away, the most frequent."""
_WORD = r"(?u)\b\w+\b"
DROPPED = 0.1
"""Share of tokens that a view of strength 1 leaves out."""
NOUN = "text"
"""What an item is called."""
PIPELINE = "text"
"""What the hub calls models of texts, before what they do."""
PLAIN = None
"""A model without a network reads the texts themselves."""
_LENGTHS = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Words of generated texts, in lengths of a window."""
_BETWEEN = "\x00"
"""Between the two texts of a pair, in their bytes; no text has it."""
WIRE = Wire(("text/plain",), text=True, unit="characters", most=200_000)
"""Texts travel as they are, in UTF-8; a pair of them as two."""
CHARACTERS = 20
"""Characters of a text that take the room of one pixel of a picture's side."""
_HALVES = re.compile("[\ud800-\udfff]")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(item: Any) -> Text:
    """The text, or the pair of texts.

    Raises:
        Undecodable: with the reason, for whatever is wrong with the item.
    """
    item = fetched(item)
    if isinstance(item, Passage):
        item = item.texts if len(item.texts) > 1 else item.texts[0]
    if isinstance(item, tuple | list):
        if len(item) != 2:
            raise Undecodable(f"{len(item)} texts are no pair", expected="one text, or two that belong together")
        return _one(item[0], "its first text"), _one(item[1], "its second text")
    return _one(item)


def _one(item: Any, which: str = "it") -> str:
    if isinstance(item, Path):
        item = _read(item)
    if isinstance(item, bytes):
        item = _decoded(item)
    if item is None or (isinstance(item, float) and np.isnan(item)):
        raise Undecodable(f"{which} is empty")
    if not isinstance(item, str):
        raise Undecodable(f"type {type(item).__name__} is no text", expected="a string")
    text = unicodedata.normalize("NFC", _whole(item.replace("\r\n", "\n").replace("\x00", "")))
    if not text.strip():
        raise Undecodable(f"{which} is empty")
    return text


def _whole(text: str) -> str:
    """The text with its halves of characters, as JSON may have them, put together or, where one is alone, marked."""
    if not _HALVES.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise Undecodable(f"it has more than {LARGEST >> 20} MB", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise Undecodable(f"it cannot be read: {error.strerror or error}", where=str(path)) from error


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Undecodable(
            f"it is no UTF-8: byte {error.start + 1:,} is 0x{content[error.start]:02x}", expected="text saved as UTF-8"
        ) from error


def digest(item: Any) -> str:
    """SHA-256 of the text.

    Raises:
        Undecodable: as ``decode``.
    """
    text = decode(item)
    return hashes.of_texts(["text", text] if isinstance(text, str) else ["pair", *text])


def load(item: Any, preprocessing: Tokenization | None) -> np.ndarray:
    """The text as a backbone reads it: int32 (w, t, c), as ``tokenizing.tokens`` says; else its bytes, uint8 (l,).

    Raises:
        Undecodable: as ``decode``.
        WeightsError: when the backbone's tokenizer is missing or damaged.
    """
    text = decode(item)
    if preprocessing is None:
        whole = text if isinstance(text, str) else _BETWEEN.join(text)
        return np.frombuffer(whole.encode("utf-8", "replace"), dtype=np.uint8).copy()
    return tokenizing.tokens(text, preprocessing)


def generated(preprocessing: Tokenization | None, *, seed: int, count: int) -> np.ndarray:
    """Inputs (count, ...), as ``load`` gives them, of nobody's texts: words that the backbone knows, few and many."""
    draw = generator(seed, "golden")
    known = tokenizing.words(preprocessing)
    most = 200 if preprocessing is None else preprocessing.length
    lengths = [_LENGTHS[i % len(_LENGTHS)] for i in range(count)]
    found = []
    for length in lengths:
        size = max(1, round(length * most))
        found.append(load(" ".join(draw.choice(known, size=size)), preprocessing))
    return padded(found)


def padded(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Inputs of texts of several lengths one below the other, zeros behind the shorter ones."""
    shape = np.max([array.shape for array in arrays], axis=0)
    result = np.zeros((len(arrays), *shape), dtype=arrays[0].dtype)
    for row, array in zip(result, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return result


def handed(inputs: np.ndarray) -> list[Text]:
    """Inputs (n, l) uint8, bytes of texts, as items."""
    texts = [row.tobytes().rstrip(b"\x00").decode("utf-8", "replace") for row in inputs]
    pairs = [text.split(_BETWEEN, 1) for text in texts]
    return [(pair[0], pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]


def shape(preprocessing: Tokenization) -> tuple[int, ...]:
    """Of what ``load`` gives at most for one window: (1, t, c), four bytes each."""
    return (1, preprocessing.length, 4 * preprocessing.numbers)


def geometry(preprocessing: Tokenization) -> dict[str, Any]:
    """What ``load`` depends on."""
    return preprocessing.as_dict()


def augment(
    batch: torch.Tensor, seed: int, *, flip: bool = True, strength: float = 1.0, randaugment: int = 0
) -> torch.Tensor:
    """A varied copy of a batch, labels unchanged: some tokens are left out, though never all of a text.

    Args:
        batch: int32 (n, w, t, c).
        seed: the same seed always varies the same batch in the same way.
        flip, randaugment: have no meaning for texts.
        strength: 0 leaves all tokens, 1 leaves out a tenth, 2 a fifth.
    """
    import torch

    draw = torch.Generator().manual_seed(seed % 2**63)
    gone = torch.rand(batch.shape[:3], generator=draw) < DROPPED * strength
    # What frames a text stays: its first token.
    gone[:, :, 0] = False
    return torch.where(gone.unsqueeze(-1), torch.zeros_like(batch), batch)


def remark(item: Any, preprocessing: Tokenization | None) -> str:
    """What is to be said of how a text is read: nothing of one that fits into a window.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: as ``load``.
    """
    count = 1 if preprocessing is None else tokenizing.counted(decode(item), preprocessing)
    most = 1 if preprocessing is None else preprocessing.windows
    if count == 1:
        return ""
    return f"read in {count} windows" if count <= most else f"{most} of its {count:,} windows were read"


def overview(items: Sequence[Any], extents: np.ndarray, preprocessing: Tokenization) -> str:
    """The same of many texts, of which (n, 2) windows and tokens are known: a sentence, or nothing.

    Raises:
        Undecodable, WeightsError: as ``remark``.
    """
    long, full = extents[:, 0] > 1, np.flatnonzero(extents[:, 0] >= preprocessing.windows)
    cut = sum(tokenizing.counted(decode(items[int(i)]), preprocessing) > preprocessing.windows for i in full)
    if not long.any():
        return ""
    said = f"{int(long.sum()):,} of {len(items):,} texts are longer than the backbone's {preprocessing.length} tokens: "
    said += f"they are read in windows that overlap, at most {preprocessing.windows} of each"
    more = "1 is longer still: what lies" if cut == 1 else f"{cut:,} are longer still: what lies"
    return f"{said}; {more} between windows spread over the whole of it is not read" if cut else said


def asked(args: Iterable[str], *, stdin: BinaryIO | None = None, text: str | None = None) -> list[Any]:
    """The texts that the arguments of a command stand for.

    Raises:
        BadSource, UnknownName: as ``asking.inputs``.
    """
    return asking.inputs(args, stdin=stdin, text=text)


def listed(given: Any) -> list[Any]:
    """The texts that a program hands over.

    Raises:
        BadSource: as ``asking.items``.
    """
    return asking.items(given)


def facts(item: Any) -> dict[str, float | str]:
    """What a text is like, by the names in ``FACTS``.

    Raises:
        Undecodable: as ``decode``.
    """
    return glance(item)[0]


def glance(item: Any) -> tuple[dict[str, float | str], np.ndarray]:
    """The facts of a text and its fingerprint (128,), of which ``pairs`` finds near duplicates.

    Raises:
        Undecodable: as ``decode``.
    """
    text = decode(item)
    words = scripts.pieces(text) if isinstance(text, str) else [*scripts.pieces(text[0]), "", *scripts.pieces(text[1])]
    return prose.measure(text, words), shingles.sketch(words)


def against(
    items: Sequence[Any], facts: Mapping[str, np.ndarray], reading: Tokenization | None
) -> dict[str, np.ndarray]:
    """Further facts (n,) of items: what a backbone makes of them, by the names in ``FACTS``.

    Args:
        items: n readable items.
        facts: what is known of them.
        reading: how the backbone reads.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: when the backbone's tokenizer is missing or damaged.
    """
    if not isinstance(reading, Tokenization) or not reading.content:
        return {}
    return legible.facts([decode(item) for item in items], facts["language"].tolist(), reading)


def marks(items: Sequence[Any]) -> tuple[list[str], Any]:
    """What may give a label away: the words of at least five items, and in which they are, sparse (n, m).

    Raises:
        Undecodable: as ``decode``.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    texts = [text if isinstance(text, str) else "\n".join(text) for text in map(decode, items)]
    counter = CountVectorizer(binary=True, min_df=5, max_features=MARKS, token_pattern=_WORD)
    try:
        found = counter.fit_transform(texts)
    except ValueError:  # no word is in five of them
        return [], None
    return [str(word) for word in counter.get_feature_names_out()], found


def pairs(prints: np.ndarray, threshold: float, crowd: int) -> tuple[np.ndarray, ...]:
    """Near duplicates among fingerprints (n, 128), as ``shingles.pairs`` gives them."""
    return shingles.pairs(prints, threshold, crowd)


def expects(info: BackboneInfo | None) -> tuple[Demand, ...]:
    """What texts have to be like for a backbone, or for any."""
    return prose.expects(info)


def render(item: Any, size: int = 96) -> Excerpt:
    """A text for a page: its beginning, as many characters as there is room for where a picture had ``size`` pixels.

    Raises:
        Undecodable: as ``decode``.
    """
    return excerpts.of(decode(item), CHARACTERS * size)


def overlay(item: Any, heat: np.ndarray, preprocessing: Tokenization, size: int = 96) -> Excerpt:
    """A text in which the words are marked by the heat (w, t), from 0, of their tokens.

    Raises:
        Undecodable: as ``decode``.
        WeightsError: as ``load``.
    """
    text = decode(item)
    return excerpts.marked(text, tokenizing.spans(text, preprocessing), heat, CHARACTERS * size)


def received(content: bytes | str | tuple[str, str], most: int) -> Text:
    """An item that a stranger sent, fit to be decoded: a text, or a pair, of at most ``most`` characters each.

    Raises:
        Undecodable: for what is empty, too long, or no UTF-8.
    """
    if isinstance(content, tuple):
        first, second = (_received(each, most) for each in content)
        return first, second
    return _received(content, most)


def _received(content: bytes | str, most: int) -> str:
    text = _decoded(content) if isinstance(content, bytes) else content
    if len(text) > most:
        raise Undecodable(f"{len(text):,} characters are too many", expected=f"at most {most:,}")
    return _one(text)


def cells(item: Any) -> dict[str, str]:
    """A text as cells of a table: column -> text; of a pair, two.

    Raises:
        Undecodable: as ``decode``.
    """
    text = decode(item)
    return {"text": text} if isinstance(text, str) else {"text_a": text[0], "text_b": text[1]}


def example(inputs: np.ndarray, preprocessing: Tokenization | None) -> tuple[bytes, str]:
    """Inputs (w, t, 2) int32, or (l,) uint8, as somebody might send them: a text's bytes, and their content type."""
    if preprocessing is None:
        (text,) = handed(inputs[None])
    else:
        text = tokenizing.spelled(preprocessing, inputs)
    said = text if isinstance(text, str) else text[0]
    return said.encode("utf-8", "replace"), f"{WIRE.media[0]}; charset=utf-8"


def export_inputs(preprocessing: Tokenization) -> ExportInputs:
    """What an exported graph takes: the ids of a text's tokens, as the tokenizer beside it makes them.

    Raises:
        ExportError: for a reader that has no file which others read.
    """
    return token_inputs.described(preprocessing, decode)
