"""Which tokens stand for the parts of a text that are asked about: where each of them begins, once and in order.

A part is marked at its first token, in the window in which that token has most of the text around it. A part that has
no token of its own (of a letter that a tokenizer leaves out) is marked at its neighbour's, so that none is lost.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from headstart.base.vocabulary import Tokenization
from headstart.data import tokenizing
from headstart.data.tokenizing import Span, Text

At = tuple[int, int]
"""A window, and a token in it."""


def marked(text: Text, parts: Sequence[Span], chosen: Sequence[int], reading: Tokenization) -> np.ndarray:
    """The tokens of a text, with what is asked about.

    All windows of a text are read, however many there are.

    Args:
        text: one, or a pair.
        parts: where each part stands, in ascending order.
        chosen: which of them are asked about.
        reading: the backbone's.

    Returns:
        int32 (w, t, c + 1): what ``tokenizing.tokens`` says of each token, and for how many of the chosen parts it
        stands.

    Raises:
        WeightsError, MissingExtra: as ``tokenizing.tokens``.
    """
    tokens, spans = tokenizing.everything(text, reading)
    found = np.concatenate([tokens, np.zeros((*tokens.shape[:2], 1), dtype=np.int32)], axis=-1)
    places = beginnings(parts, spans)
    for number in chosen:
        window, token = places[number]
        # A text of which the tokenizer leaves nothing still has parts.
        found[window, token, 0] = max(1, found[window, token, 0])
        found[window, token, -1] += 1
    return found


def beginnings(parts: Sequence[Span], spans: Sequence[Sequence[Span]]) -> list[At]:
    """The token that stands for each part, in ascending order.

    Args:
        parts: where each part stands, ascending and without overlap.
        spans: where the tokens of each window stand.
    """
    known: dict[int, At] = {}
    context: dict[int, int] = {}
    starts = [(which, start) for which, start, _ in parts]
    for window, row in enumerate(spans):
        for token, (which, start, end) in enumerate(row):
            number = -1 if which is None or end <= start else _part_of(parts, starts, (which, start, end))
            if number < 0 or (number in known and known[number][0] == window):
                continue
            around = min(token, len(row) - 1 - token)
            if number not in known or around > context[number]:
                known[number], context[number] = (window, token), around
    return _in_order([known.get(number) for number in range(len(parts))])


def _part_of(parts: Sequence[Span], starts: Sequence[tuple[int | None, int]], span: Span) -> int:
    """The first part that a token reaches into; -1 if it stands between them."""
    # A token may begin at the space before its word.
    number = bisect_right(starts, (span[0], span[1])) - 1
    for each in (number, number + 1):
        if 0 <= each < len(parts):
            which, start, end = parts[each]
            if which == span[0] and start < span[2] and span[1] < end:
                return each
    return -1


def _in_order(found: Sequence[At | None]) -> list[At]:
    """The same without gaps, and never going back."""
    first = next((at for at in found if at is not None), (0, 0))
    result: list[At] = []
    for at in found:
        last = result[-1] if result else first
        result.append(last if at is None or at < last else at)
    return result
