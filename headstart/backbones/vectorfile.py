"""Files of word vectors: word2vec, binary and text, GloVe, and fastText's .vec, each also gzipped; read in a stream.

Nothing in such a file is executed, and what its first line promises is believed only as far as the file bears it out:
memory is taken block by block for rows that were really there. A row that cannot be a vector ends the reading with its
place; a row whose word nobody could look up is left out and counted.
"""

from __future__ import annotations

import contextlib
import gzip
import unicodedata
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from headstart.base.errors import WeightsError

WIDEST = 4096
"""Numbers a word, at most."""
LONGEST = 2**20
"""Bytes of a line, or of a word and its vector, beyond which the file is something else."""
_PIECE = 2**22
_BLOCK = 2**26
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\xba\x16\x4f\x2f": "a fastText model, which holds more than vectors; take the .vec file that stands beside it",
    b"PK\x03\x04": "a zip archive, or a PyTorch file; unpack it, and name the file of vectors in it",
    b"\x80\x02": "a pickle, which is a program; save the vectors as text (save_word2vec_format)",
    b"\x80\x03": "a pickle, which is a program; save the vectors as text (save_word2vec_format)",
    b"\x80\x04": "a pickle, which is a program; save the vectors as text (save_word2vec_format)",
    b"\x80\x05": "a pickle, which is a program; save the vectors as text (save_word2vec_format)",
    b"\x93NUMPY": "an array of numpy without words; save words and vectors as text",
    b"\x89HDF": "an HDF5 file; a folder with ELMo's options.json and weights.hdf5 is elmo/FOLDER",
    b"BZh": "packed with bzip2; unpack it first, or pack it with gzip",
    b"\xfd7zXZ": "packed with xz; unpack it first, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed with zstandard; unpack it first, or pack it with gzip",
}
_FORMATS = "word vectors: word2vec (binary or text), GloVe (.txt), fastText (.vec), or one of them gzipped (.gz)"


@dataclass(frozen=True, slots=True)
class Header:
    """What the beginning of a file says.

    Attributes:
        kind: "word2vec binary", "word2vec text" (fastText's .vec is the same) or "GloVe".
        width: numbers a word, d.
        words: how many words it promises; None where it promises nothing (GloVe).
    """

    kind: str
    width: int
    words: int | None


@dataclass(frozen=True, slots=True)
class Vectors:
    """Words and their vectors, in the order of the file.

    Attributes:
        header: what the file is.
        words: each once, in NFC.
        table: (n, d) float32, finite.
        whole: False where the file has more words than were asked for.
        left_out: reason -> how many rows.
    """

    header: Header
    words: list[str]
    table: np.ndarray
    whole: bool
    left_out: dict[str, int]


def peek(path: Path) -> Header:
    """What a file's beginning says it is.

    Raises:
        WeightsError: when it is no file of word vectors.
    """
    size = _size(path)
    with _opened(path) as stream:
        first = _piece(stream, LONGEST, path)
        line, end, rest = first.partition(b"\n")
        if not end and len(first) == LONGEST:
            raise _strange(path, "its first line does not end")
        fields = line.split()
        if len(fields) == 2 and all(field.isdigit() for field in fields):
            words, width = int(fields[0]), int(fields[1])
            _believable(path, words, width)
            written = _is_row(rest.split(b"\n", 1)[0], width)
            header = Header("word2vec text" if written else "word2vec binary", width, words)
        else:
            header = Header("GloVe", _counted(fields), None)
            if not header.width:
                raise _strange(path, "its first line is neither two numbers (how many words, how wide) nor a vector")
    least = (2 if header.kind != "word2vec binary" else 4) * header.width * (header.words or 0)
    if not _is_packed(path) and least > size:
        raise WeightsError(
            f"The file promises {header.words:,} words of {header.width:,} numbers and is too small for them",
            where=str(path),
            expected=f"at least {least:,} bytes; it has {size:,}",
            next_move="copy or download the file again",
        )
    return header


def read(path: Path, most: int | None = None) -> Vectors:
    """Read words and vectors; published files have the most frequent words first.

    Takes little more memory than the vectors that are kept.

    Args:
        path: the file.
        most: words to read, from the beginning; None for all.

    Raises:
        WeightsError: naming the line or word that is damaged.
    """
    header = peek(path)
    promised = header.words
    wanted = min((each for each in (most, promised) if each is not None), default=None)
    taken, more = _Taken(header.width), False
    with _opened(path) as stream:
        if promised is not None:
            stream.readline(LONGEST)
        for words, rows in (_binary if "binary" in header.kind else _text)(stream, header, path):
            room = len(words) if wanted is None else wanted - taken.seen
            taken.add(words[:room], rows[:room])
            more = room < len(words)
            if more:
                break
    if promised is not None and taken.seen < (wanted or 0):
        raise WeightsError(
            f"The file ends after {taken.seen:,} of the {promised:,} words that it promises",
            where=str(path),
            next_move="copy or download the file again",
        )
    if more and wanted == promised:
        raise WeightsError(
            f"The file holds more words than the {promised:,} that it promises",
            where=str(path),
            next_move="correct its first line, or copy the file again",
        )
    if not taken.words:
        raise _strange(path, "there is no word in it that could be looked up")
    whole = not more and taken.seen >= (promised or 0)
    return Vectors(header, taken.words, taken.joined(), whole, dict(taken.left_out))


class _Taken:
    """Words and vectors as they come in; the vectors in blocks, so that no second copy of all of them is ever made."""

    def __init__(self, width: int) -> None:
        self.width, self.seen = width, 0
        self.words: list[str] = []
        self.known: set[str] = set()
        self.blocks: list[np.ndarray] = []
        self.filled = 0
        self.left_out: Counter[str] = Counter()

    def add(self, words: list[bytes], rows: np.ndarray) -> None:
        self.seen += len(words)
        kept = [number for number, word in enumerate(words) if self._keeps(word)]
        rows = rows if len(kept) == len(rows) else rows[kept]
        while len(rows):
            if not self.blocks or self.filled == len(self.blocks[-1]):
                self.blocks.append(np.empty((max(1, _BLOCK // (4 * self.width)), self.width), np.float32))
                self.filled = 0
            room = self.blocks[-1][self.filled : self.filled + len(rows)]
            room[:] = rows[: len(room)]
            self.filled, rows = self.filled + len(room), rows[len(room) :]

    def _keeps(self, word: bytes) -> bool:
        try:
            text = unicodedata.normalize("NFC", word.decode("utf-8"))
        except UnicodeDecodeError:
            self.left_out["no UTF-8"] += 1
            return False
        if not text or text.split() != [text]:
            self.left_out["empty or with a space in the word"] += 1
            return False
        if text in self.known:
            self.left_out["a second time"] += 1
            return False
        self.known.add(text)
        self.words.append(text)
        return True

    def joined(self) -> np.ndarray:
        table = np.empty((len(self.words), self.width), np.float32)
        start = 0
        while self.blocks:
            block = self.blocks.pop(0)
            part = table[start : start + len(block)]
            part[:] = block[: len(part)]
            start += len(part)
        return table


def _text(stream: IO[bytes], header: Header, path: Path) -> Iterator[tuple[list[bytes], np.ndarray]]:
    number = 1 if header.words is not None else 0
    for lines in _lines(stream, path):
        words, rests = [], []
        for line in lines:
            number += 1
            line = line.rstrip(b" \r").replace(b"\t", b" ")
            if not line.strip():
                continue
            word, rest = _split(line, header.width, path, number)
            words.append(word)
            rests.append(rest)
        if words:
            yield words, _numbers(rests, words, header.width, path)


def _lines(stream: IO[bytes], path: Path) -> Iterator[list[bytes]]:
    carried = b""
    while data := _piece(stream, _PIECE, path):
        *lines, carried = (carried + data).split(b"\n")
        if len(carried) > LONGEST:
            raise _strange(path, f"a line of it has more than {LONGEST:,} bytes")
        yield lines
    if carried:
        yield [carried]


def _split(line: bytes, width: int, path: Path, number: int) -> tuple[bytes, bytes]:
    """A line's word and its numbers, still written."""
    spaces = line.count(b" ")
    if spaces == width:
        word, _, rest = line.partition(b" ")
        return word, rest
    fields = line.split()
    # In a few published files a word has spaces in it, but none ends in a number with a point.
    if len(fields) > width and not (len(fields) > width + 1 and _is_number(fields[-width - 1])):
        return b" ".join(fields[:-width]) if spaces >= width else b"", b" ".join(fields[-width:])
    raise WeightsError(
        f"Line {number:,} has {max(0, len(fields) - 1):,} numbers",
        where=str(path),
        expected=f"a word and {width:,} numbers, as the lines before it have them",
        next_move="if the file ends there, copy or download it again",
    )


def _numbers(rests: list[bytes], words: list[bytes], width: int, path: Path) -> np.ndarray:
    rows = _parsed(b" ".join(rests))
    if len(rows) != len(rests) * width:
        wrong = next((i for i, rest in enumerate(rests) if len(_parsed(rest)) != width), 0)
        raise _damaged(path, words[wrong], "is not made of numbers")
    rows = rows.reshape(len(rests), width)
    _finite(rows, words, path)
    return rows


def _parsed(text: bytes) -> np.ndarray:
    """The numbers of a text, as far as it is made of numbers; older numpy warns where it stops, newer raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, dtype=np.float32, sep=" ")
        except (ValueError, DeprecationWarning):
            return np.empty(0, np.float32)


def _binary(stream: IO[bytes], header: Header, path: Path) -> Iterator[tuple[list[bytes], np.ndarray]]:
    left, size = header.words or 0, 4 * header.width
    data, at = b"", 0
    while left:
        words, rows = [], []
        while left:
            space = data.find(b" ", at)
            if space < 0 or space + 1 + size > len(data):
                break
            words.append(data[at:space].lstrip(b"\n"))
            rows.append(data[space + 1 : space + 1 + size])
            at, left = space + 1 + size, left - 1
        if words:
            block = np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), header.width)
            _finite(block, words, path)
            yield words, block
        if not left:
            break
        if len(data) - at > LONGEST + size:
            raise _damaged(path, data[at : at + 20], "does not end")
        more = _piece(stream, _PIECE, path)
        if not more:
            return
        data, at = data[at:] + more, 0
    if (data[at:] + _piece(stream, _PIECE, path)).strip():
        # One word too many is what tells that the first line promised too few.
        yield [b""], np.zeros((1, header.width), np.float32)


def _finite(rows: np.ndarray, words: list[bytes], path: Path) -> None:
    fine = np.isfinite(rows).all(axis=1)
    if not fine.all():
        raise _damaged(path, words[int(np.argmin(fine))], "has a value that is not finite")


def _damaged(path: Path, word: bytes, reason: str) -> WeightsError:
    named = word.decode("utf-8", "replace").strip()[:40]
    return WeightsError(
        f"The vector of {named!r} {reason}", where=str(path), next_move="copy or download the file again"
    )


def _strange(path: Path, reason: str) -> WeightsError:
    return WeightsError(f"The file holds no word vectors: {reason}", where=str(path), expected=_FORMATS)


def _believable(path: Path, words: int, width: int) -> None:
    if not 1 <= width <= WIDEST or not words:
        raise _strange(path, f"its first line promises {words:,} words of {width:,} numbers")


def _is_row(line: bytes, width: int) -> bool:
    """Is it a word and numbers, all written? Perhaps not as many as were promised, but then it is no binary row."""
    fields = line.split()
    count = _counted(fields, least=1)
    return count > 0 and (count >= width or count == len(fields) - 1)


def _counted(fields: list[bytes], least: int = 2) -> int:
    """Numbers behind the word that a line begins with; 0 if it is no such line."""
    count = 0
    for field in reversed(fields[1:]):
        if not _is_number(field):
            break
        count += 1
    return count if least <= count <= WIDEST else 0


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            raise WeightsError("A folder is no file of word vectors", where=str(path), expected=_FORMATS)
        return path.stat().st_size
    except OSError as error:
        reason = (
            "There is no such file" if isinstance(error, FileNotFoundError) else f"It cannot be read: {error.strerror}"
        )
        raise WeightsError(reason, where=str(path), expected="vectors/PATH of word vectors") from error


def _is_packed(path: Path) -> bool:
    return _start(path)[:2] == _GZIP


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(8)
    except OSError as error:
        raise WeightsError(f"The file cannot be read: {error.strerror}", where=str(path)) from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    start = _start(path)
    for mark, reason in _OTHERS.items():
        if start.startswith(mark):
            raise _strange(path, f"it is {reason}")
    with gzip.open(path, "rb") if start.startswith(_GZIP) else path.open("rb") as stream:
        yield stream  # type: ignore[misc]


def _piece(stream: IO[bytes], size: int, path: Path) -> bytes:
    try:
        return stream.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise WeightsError(
            f"The file cannot be read to its end: {error}",
            where=str(path),
            next_move="copy or download the file again",
        ) from error
