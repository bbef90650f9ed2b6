"""Tags of words that say where something begins and ends, in the ways that corpora write them; brought to one of them.

IOB1 (Ramshaw and Marcus, Text Chunking using Transformation-Based Learning, 1995) writes B- only where two neighbours
of one kind meet; IOB2 writes it at every beginning; BIOES, or BILOU, also marks ends and single words. All become IOB2,
which loses nothing. Tags without such prefixes, as those of parts of speech, stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

PLAIN, IOB1, IOB2, BIOES = "plain", "IOB1", "IOB2", "BIOES"
OUTSIDE = "O"
_TAG = re.compile(r"([BIESLU])-(.+)")
_STARTS, _ENDS = "BSU", "ESLU"


@dataclass(frozen=True, slots=True)
class Scheme:
    """How tags are written.

    Attributes:
        name: "plain", "IOB1", "IOB2" or "BIOES".
        mended: tags that continue nothing and are read as beginnings, though the scheme would write them otherwise.
        odd: the first tag that does not fit the others, by sentence and word; None if all do.
    """

    name: str
    mended: int = 0
    odd: tuple[int, int] | None = None


def recognised(tags: Sequence[Sequence[str | None]]) -> Scheme:
    """The scheme of the tags of some sentences."""
    known = {tag for row in tags for tag in row if tag is not None}
    prefixed = {tag for tag in known if _TAG.fullmatch(tag)}
    if not prefixed or len(prefixed) < len(known - {OUTSIDE} - prefixed):
        return Scheme(PLAIN)
    strange = known - prefixed - {OUTSIDE}
    if strange:
        places = ((s, w) for s, row in enumerate(tags) for w, tag in enumerate(row) if tag in strange)
        return Scheme(PLAIN, odd=next(places))
    if any(tag[0] in _ENDS for tag in prefixed):
        return Scheme(BIOES)
    loose = begun = 0
    for row in tags:
        before = ""
        for tag in row:
            prefix, kind = apart(tag)
            loose += prefix == "I" and kind != before
            begun += prefix == "B" and kind != before
            before = kind
    if loose and not begun:
        return Scheme(IOB1)
    return Scheme(IOB2, mended=loose)


def as_iob2(row: Sequence[str | None]) -> list[str | None]:
    """The tags of a sentence, of any scheme with prefixes, as IOB2."""
    found: list[str | None] = []
    before, open_ = "", False
    for tag in row:
        prefix, kind = apart(tag)
        if tag is None or not prefix:
            found.append(tag)
            before, open_ = "", False
            continue
        begins = prefix in _STARTS or not open_ or kind != before
        found.append(f"{'B' if begins else 'I'}-{kind}")
        before, open_ = kind, prefix not in _ENDS
    return found


def apart(tag: str | None) -> tuple[str, str]:
    """Prefix and kind of a tag; empty where it is outside of everything."""
    match = _TAG.fullmatch(tag) if tag is not None else None
    return (match[1], match[2]) if match else ("", "")
