"""Texts as people read them on a page: the beginning of a long one, and which words a network went by."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from headstart.base.excerpt import Excerpt, Run
from headstart.data.printable import readable
from headstart.data.tokenizing import Span, Text

FAINT = 0.05
"""Strength below which a word is not marked."""
LEVELS = 20
"""Strengths that are told apart; words of equal strength side by side are one run."""
WORD = re.compile(r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\U0003ffff]+")
"""A word of a script that puts spaces between them: marked as a whole, however many tokens it has."""
BEFORE = 0.25
"""Share of an excerpt that is before its strongest word, where that is not near the beginning."""


def of(text: Text, most: int) -> Excerpt:
    """The beginning of a text, or of both texts of a pair: ``most`` characters of each."""
    texts = (text,) if isinstance(text, str) else text
    return Excerpt(
        tuple(((readable(each[:most]), 0.0),) for each in texts), tuple(max(0, len(each) - most) for each in texts)
    )


def marked(text: Text, spans: Sequence[Sequence[Span]], heat: np.ndarray, most: int) -> Excerpt:
    """A text whose words are marked by how much its tokens counted.

    Args:
        text: as the tokens were made of it.
        spans: where each token of each window stands.
        heat: (w, t) from 0; what tokens of overlapping windows say of the same place is added up.
        most: characters of each text.
    """
    texts = (text,) if isinstance(text, str) else text
    strengths = [np.zeros(len(each)) for each in texts]
    # Among longer texts, a text has windows and tokens that stand for nothing.
    for window, row in zip(spans, heat, strict=False):
        for (which, start, end), value in zip(window, row, strict=False):
            if which is not None and end > start:
                strengths[which][start:end] += value
    for each, strength in zip(texts, strengths, strict=True):
        for word in WORD.finditer(each):
            strength[word.start() : word.end()] = strength[word.start() : word.end()].max()
    peak = max((float(each.max()) for each in strengths if len(each)), default=0.0)
    runs, left = [], []
    for each, strength in zip(texts, strengths, strict=True):
        start, end = _window(strength, most)
        shown = _runs(each[start:end], strength[start:end] / peak if peak > 0 else strength[start:end])
        runs.append((("… ", 0.0), *shown) if start else shown)
        left.append(len(each) - end)
    return Excerpt(tuple(runs), tuple(left))


def _window(strength: np.ndarray, most: int) -> tuple[int, int]:
    """The part of a long text that is shown: its beginning, unless what counted most lies beyond it."""
    strongest = int(strength.argmax()) if len(strength) else 0
    start = 0 if strongest < most else min(strongest - int(BEFORE * most), len(strength) - most)
    return start, min(len(strength), start + most)


def _runs(text: str, strength: np.ndarray) -> tuple[Run, ...]:
    levels = np.round(strength * LEVELS).astype(int)
    levels[strength < FAINT] = 0
    edges = np.flatnonzero(np.diff(levels)) + 1
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(text)]
    return tuple((readable(text[a:b]), float(levels[a] / LEVELS)) for a, b in zip(starts, ends, strict=True) if b > a)
