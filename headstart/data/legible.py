"""What a backbone makes of texts: how many windows it reads them in, what it has no token for, their language.

Whether a backbone knows a language is asked of its tokenizer: one that was made for a language has its commonest words
as single tokens, and takes those of other languages apart.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from headstart.base.vocabulary import BackboneInfo, Demand, Tokenization
from headstart.data import languages, tokenizing
from headstart.data.tokenizing import Text

KNOWN = 0.75
"""Share of a language's commonest words that are single tokens, from which on a backbone was made for it. Tokenizers of
one language have nearly all of its words and up to half of a related one's; multilingual ones nearly all of each."""
LEAST = 6
"""Words of a language that have to be asked for to tell."""
UNKNOWN = 0.1
"""Share of a text's tokens that stand for unknown words, above which much of it is lost."""


def facts(texts: Sequence[Text], spoken: Sequence[str], reading: Tokenization) -> dict[str, np.ndarray]:
    """Of n texts, as a backbone reads them: (n,) each, NaN where it cannot be told.

    Args:
        texts: the texts.
        spoken: the language of each, "" where it cannot be told.
        reading: how the backbone reads.

    Returns:
        ``windows`` that they fill, the share of ``unknown`` tokens, and whether their language is ``foreign`` (1) or
        not (0).

    Raises:
        WeightsError, MissingExtra: as ``tokenizing.tokens``.
    """
    windows, lost = np.full(len(texts), np.nan), np.full(len(texts), np.nan)
    for place, text in enumerate(texts):
        windows[place] = tokenizing.counted(text, reading)
        strange, total = tokenizing.unknown(text, reading)
        lost[place] = strange / max(1, total)
    known = {name: knows(reading, name) for name in set(spoken) if name}
    foreign = [np.nan if known.get(name) is None else float(not known[name]) for name in spoken]
    return {"windows": windows, "unknown": lost, "foreign": np.array(foreign, dtype=np.float64)}


@functools.lru_cache(maxsize=256)
def knows(reading: Tokenization, language: str) -> bool | None:
    """Whether a backbone was made for a language, among others; None where its tokenizer does not tell."""
    if reading.reader not in ("pieces", "words"):  # letters are the same in many languages
        return None
    words = languages.common(language)
    if len(words) < LEAST:
        return None
    # Some tokenizers mark the blank before a word by a token of its own where blanks are rare.
    most = 2 if languages.is_unspaced(language) else 1
    found = [tokenizing.taken_apart(word, reading) for word in words]
    return sum(0 < tokens <= most and not unknown for tokens, unknown in found) >= KNOWN * len(found)


def expects(info: BackboneInfo) -> tuple[Demand, ...]:
    """What texts have to be like for a backbone."""
    reading = info.preprocessing
    if not isinstance(reading, Tokenization):
        return ()
    return (
        Demand(
            "foreign_language",
            "foreign",
            high=0.5,
            words=f"are in a language that {info.name} was not made for: its tokenizer takes most common words apart",
            share=0.05,
            next_move="a backbone of that language, or a multilingual one (headstart backbones)",
        ),
        Demand(
            "unknown_words",
            "unknown",
            high=UNKNOWN,
            words=f"have over {UNKNOWN:.0%} of words or signs that {info.name} has no token for, and cannot see",
            share=0.02,
            next_move="a backbone whose tokenizer knows these signs; those that read bytes know all of them",
        ),
        Demand(
            "cut_short",
            "windows",
            high=float(reading.windows),
            words=f"are longer than {reading.windows} windows of {reading.length} tokens: {reading.windows} evenly "
            "spread windows of them are read, and the rest is not",
            next_move="cut them into parts with labels of their own, if these matter",
        ),
        Demand(
            "too_long",
            "windows",
            high=1.0,
            unless="cut_short",
            words=f"are longer than the {reading.length} tokens that {info.name} reads at once, and read in windows",
            share=0.05,
            next_move="nothing, as a rule: all windows count; a backbone that reads more at once may see more",
        ),
    )


FACTS: Mapping[str, tuple[str, str]] = {
    "windows": ("windows of the backbone", "windows"),
    "unknown": ("share of unknown tokens", ""),
    "foreign": ("language that the backbone was not made for", ""),
}
"""Name -> what it is called, and its unit."""
