"""Which columns of a table are written: found by their names and by how their cells read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.base.errors import BadSource
from headstart.data import scripts
from headstart.data.labels import is_missing
from headstart.data.printable import listing, printable

NAMES = (
    *("text", "sentence", "review", "content", "body", "message", "comment", "document", "tweet", "utterance"),
    *("description", "abstract", "article", "post", "title", "question", "query", "headline", "summary", "news"),
)
PAIRS = (
    *(("sentence1", "sentence2"), ("sentence_1", "sentence_2"), ("premise", "hypothesis"), ("text_a", "text_b")),
    *(("text1", "text2"), ("text_1", "text_2"), ("question1", "question2"), ("sentence_a", "sentence_b")),
    *(("query", "passage"), ("question", "answer"), ("question", "sentence")),
)
WORDS = 2.5
"""Words that the cells of a text column have on average, at least; class names and identifiers have fewer."""
LONGER = 3.0
"""A column whose texts are this many times as long as any other's is meant, whatever it is called."""
_LOOKED_AT = 200


def columns(table: Mapping[str, Sequence[Any]], taken: Sequence[str], notes: list[str], origin: str) -> tuple[str, ...]:
    """The text column, or the two of a pair.

    Args:
        table: name -> values.
        taken: columns that are something else.
        notes: told of a pair that was taken for one.
        origin: the table, for messages.

    Raises:
        BadSource: no column, or more than one, could be meant.
    """
    plain = {name.strip().casefold().replace(" ", "_").replace("-", "_"): name for name in reversed(list(table))}
    lengths = {name: length for name in table if name not in taken and (length := _words(table[name])) > 0}
    for first, second in PAIRS:
        names = plain.get(first, ""), plain.get(second, "")
        if all(name in lengths for name in names) and max(lengths[name] for name in names) >= WORDS:
            notes.append(f"the two text columns are read as pairs; --text '{printable(names[0])}' reads one of them")
            return names
    likely = {name: length for name, length in lengths.items() if length >= WORDS}
    named = [plain[name] for name in NAMES if plain.get(name) in lengths]
    named = [name for name in named if name in likely] or named
    if named:
        return (named[0],)
    ranked = sorted(likely, key=lambda name: -likely[name])
    if len(ranked) == 1 or (ranked and likely[ranked[0]] >= LONGER * likely[ranked[1]]):
        return (ranked[0],)
    shown = listing([f"'{printable(name)}'" for name in table], 12)
    constant = [
        plain[name] for name in NAMES if name in plain and plain[name] not in taken and _is_constant(table[plain[name]])
    ]
    if not ranked and constant:
        raise BadSource(
            f"Column '{printable(constant[0])}' says the same in every row",
            where=origin,
            expected="a text of its own in each row",
            next_move=f"name the column of the texts with --text; the columns are {shown}",
        )
    if ranked:
        both = listing([f"'{printable(name)}'" for name in ranked], 12)
        raise BadSource(
            f"More than one column holds text: {both}",
            where=origin,
            next_move=f"choose one with --text, or two that belong together with --text {','.join(ranked[:2])}",
        )
    raise BadSource(
        "No column holds image paths or texts",
        where=origin,
        expected="a column of file names such as cats/1.jpg, relative to the table's folder, or one of sentences",
        next_move=f"name the column with --path or --text; the columns are {shown}",
    )


def _is_constant(values: Sequence[Any]) -> bool:
    written = {value for value in values if isinstance(value, str) and value.strip()}
    return len(values) > 1 and len(written) == 1


def _words(values: Sequence[Any]) -> float:
    """Words a cell on average; 0 for a column that is not written, or says the same everywhere."""
    present = [value for value in values if not is_missing(value) and (not isinstance(value, str) or value.strip())]
    seen = present[:: max(1, len(present) // _LOOKED_AT)]
    looked_at = [value for value in seen if isinstance(value, str)]
    # Among texts a few cells may be something else: they are left out one by one, with their rows.
    if not looked_at or 2 * len(looked_at) <= len(seen):
        return 0.0
    if len(set(looked_at)) < 2 or all(_is_number(value) for value in looked_at):
        return 0.0
    return sum(map(scripts.words, looked_at)) / len(looked_at)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
