"""Which script the letters of a text are of, by Unicode's blocks; and how many words a text has in any of them."""

from __future__ import annotations

import bisect
import re
from collections import Counter

SCRIPTS = (
    *("latin", "greek", "cyrillic", "hebrew", "arabic", "devanagari", "bengali", "tamil", "thai", "georgian"),
    *("armenian", "hangul", "kana", "han"),
)
"""Scripts that are told apart; letters of any other are "other"."""
_BLOCKS = (
    (0x0041, 0x024F, "latin"),
    (0x0250, 0x02AF, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0530, 0x058F, "armenian"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0x08A0, 0x08FF, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0980, 0x09FF, "bengali"),
    (0x0B80, 0x0BFF, "tamil"),
    (0x0E00, 0x0E7F, "thai"),
    (0x10A0, 0x10FF, "georgian"),
    (0x1100, 0x11FF, "hangul"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "greek"),
    (0x3040, 0x30FF, "kana"),
    (0x3130, 0x318F, "hangul"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
    (0xF900, 0xFAFF, "han"),
    (0xFB1D, 0xFB4F, "hebrew"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
    (0xFF66, 0xFF9F, "kana"),
    (0x20000, 0x3FFFF, "han"),
)
_STARTS = [block[0] for block in _BLOCKS]
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Written without spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_LETTER = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+")
PER_WORD = 2.0
"""Letters that a word has in scripts without spaces."""


def shares(text: str) -> dict[str, float]:
    """Script -> share of the text's letters, the largest first; empty for a text without letters."""
    found: Counter[str] = Counter()
    for letter, number in Counter(text).items():
        if letter.isalpha():
            found[_of(ord(letter))] += number
    letters = found.total()
    return {script: number / letters for script, number in found.most_common()}


def _of(point: int) -> str:
    block = _BLOCKS[max(0, bisect.bisect_right(_STARTS, point) - 1)]
    return block[2] if block[0] <= point <= block[1] else "other"


def words(text: str) -> float:
    """About how many words a text has; where words are not spaced, two letters count as one."""
    return max(len(text.split()), len(_LETTER.findall(text)) / PER_WORD)


def pieces(text: str) -> list[str]:
    """The words of a text in lower case, without what stands between; a letter each in scripts without spaces."""
    return _WORD.findall(text.casefold())
