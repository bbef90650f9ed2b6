"""From a text to its words: at spaces, then around marks, then at English short forms, as the Penn Treebank has them.

The corpora of published word vectors and of ELMo were split so: ``He didn't.`` is ``He did n't .``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Placed = tuple[str, int]
"""A word, and where in its text it begins."""
_CHUNK = re.compile(r"\S+")
_TOKEN = re.compile(r"\w+(?:[.'\-]\w+)*|[^\w\s]")
_SHORT = re.compile(r"(\w+?)(n't|'(?:s|m|d|re|ve|ll))", re.IGNORECASE)
_PART = re.compile(r"[^.'\-_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")


def chunks(text: str) -> Iterator[Placed]:
    """What stands between spaces."""
    return _found(_CHUNK, (text.replace("\u2019", "'"), 0))


def tokens(chunk: Placed) -> Iterator[Placed]:
    """Words and marks of a chunk: ``(e-mail)`` is ``( e-mail )``; a mark inside a word stays in it."""
    return _found(_TOKEN, chunk)


def short_form(token: Placed) -> tuple[Placed, Placed] | None:
    """``don't`` as ``do n't``, ``John's`` as ``John 's``; None for a word that is no such form."""
    word, start = token
    found = _SHORT.fullmatch(word)
    return ((found[1], start), (found[2], start + found.start(2))) if found else None


def parts(token: Placed) -> Iterator[Placed]:
    """A token's words, the marks inside it left out: ``well-known`` is ``well known``."""
    return _found(_PART, token)


def is_word(token: str) -> bool:
    """Is there a letter or a digit in it?"""
    return any(char.isalnum() for char in token)


def is_unspaced(token: str) -> bool:
    """Is it written in a script without spaces between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese?"""
    return _UNSPACED.search(token) is not None


def _found(pattern: re.Pattern[str], placed: Placed) -> Iterator[Placed]:
    text, start = placed
    for match in pattern.finditer(text):
        yield match.group(), start + match.start()
