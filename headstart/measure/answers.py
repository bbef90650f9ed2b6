"""Answers that are spans of a text: how right one is, and which is the most probable.

An answer is compared with those that people gave once case, punctuation, articles and white space are put aside: exact
match, and F1 over its words (Rajpurkar et al., SQuAD: 100,000+ Questions for Machine Comprehension of Text, 2016; with
questions that have no answer, Know What You Don't Know, 2018). A span's probability is that of its first and its last
word, over all spans that are possible.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from headstart.measure import within
from headstart.measure.arrays import Floats, Ints

LONGEST = 20
"""Words, and marks between them, of an answer at most."""
EXACT = 2.0
"""What an answer is worth that matches exactly; of any other it is its F1."""
_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_MARKS = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> list[str]:
    """The words of an answer as they are compared."""
    return _ARTICLES.sub(" ", text.lower().translate(_MARKS)).split()


def worth(said: Sequence[str], wanted: Sequence[str]) -> float:
    """How right an answer is, both as ``normalised`` gives them: ``EXACT``, or the F1 of its words."""
    if list(said) == list(wanted):
        return EXACT
    same = sum((Counter(said) & Counter(wanted)).values())
    return 2 * same / (len(said) + len(wanted)) if same else 0.0


def worths(text: str, places: Sequence[tuple[int, int]], wanted: Sequence[str], longest: int = LONGEST) -> Floats:
    """What each span of a text is worth against the best of some answers.

    Args:
        text: which is asked of.
        places: of its m words.
        wanted: the answers that people gave.
        longest: words of a span at most.

    Returns:
        (m, longest) of the span that begins with the row's word and has one word more a column; 0 beyond the text.
    """
    answers = list(dict.fromkeys(tuple(normalised(each)) for each in wanted))
    looked_for = {word for answer in answers for word in answer}
    found = np.zeros((len(places), longest))
    runs = _runs(text, places)
    known: dict[tuple[int, int], list[str]] = {}

    def read(first: int, last: int) -> list[str]:
        if (first, last) not in known:
            known[first, last] = normalised(text[places[first][0] : places[last][1]])
        return known[first, last]

    for first in range(len(places)):
        before: list[str] = []
        start = first
        for last in range(first, min(first + longest, len(places))):
            if last > first and runs[last] != runs[last - 1]:
                # What stands between spaces is normalised by itself.
                before, start = before + read(start, last - 1), last
            said = before + read(start, last)
            if not said or not looked_for.isdisjoint(said):
                found[first, last - first] = max(worth(said, answer) for answer in answers)
    return found


def _runs(text: str, places: Sequence[tuple[int, int]]) -> list[int]:
    """Which words stand together without a space between."""
    number, found = 0, []
    for place, (start, _) in enumerate(places):
        number += place > 0 and not text[places[place - 1][1] : start].strip() and start > places[place - 1][1]
        found.append(number)
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """The most probable answer to each of q questions.

    Attributes:
        question: (q,) their numbers, ascending.
        first, last: (q,) rows of the answer's first and last word; both that of "no answer" where there is none.
        length: (q,) words behind the first.
        sure: (q,) the answer's probability.
        nothing: (q,) that of there being none.
        row: (q,) the row of "no answer", or of the question's first place that is there.
    """

    question: Ints
    first: Ints
    last: Ints
    length: Ints
    sure: Floats
    nothing: Floats
    row: Ints


def decided(logs: Floats, question: Ints, place: Ints, longest: int = LONGEST) -> Said:
    """The most probable possible answers.

    Args:
        logs: (n, 2) how probable it is, as logarithms up to a constant a question, that an answer begins and that it
            ends at each place.
        question: (n,) which question each place is of.
        place: (n,) 0 for "no answer", 1 for the first word of the text.
        longest: words of an answer at most.
    """
    order = np.lexsort((place, question))
    starts = within.beginnings(np.asarray(question)[order])
    found = [
        _best(np.asarray(logs, dtype=np.float64)[rows], place[rows], rows, longest)
        for rows in np.split(order, starts[1:])
        if len(rows)
    ]
    columns = list(zip(*found, strict=True)) if found else [()] * 6
    first, last, length, row = (np.array(columns[k], dtype=np.int64) for k in (0, 1, 2, 5))
    sure, nothing = (np.array(columns[k], dtype=np.float64) for k in (3, 4))
    return Said(question[row] if len(row) else row, first, last, length, sure, nothing, row)


def _best(logs: Floats, place: Ints, rows: Ints, longest: int) -> tuple[int, int, int, float, float, int]:
    """First and last row, length, probability, probability of no answer and first row, of one question in order."""
    width = int(place[-1]) + 1
    begins, ends = np.full(width, -np.inf), np.full(width + longest, -np.inf)
    begins[place], ends[place] = logs[:, 0], logs[:, 1]
    none = begins[0] + ends[0]
    begins[0] = -np.inf
    spans = begins[:, None] + np.lib.stride_tricks.sliding_window_view(ends, longest)[:width]
    total = logsumexp(np.append(spans.ravel(), none))
    best = int(spans.argmax())
    start, length = divmod(best, longest)
    nothing = float(np.exp(none - total)) if np.isfinite(total) else 0.0
    if none >= spans.flat[best]:
        return int(rows[0]), int(rows[0]), 0, nothing, nothing, int(rows[0])
    at = np.searchsorted(place, [start, start + length])
    sure = float(np.exp(spans.flat[best] - total))
    return int(rows[at[0]]), int(rows[at[1]]), length, sure, nothing, int(rows[0])
