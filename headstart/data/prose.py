"""What texts are like, in plain numbers: length, scripts, capitals, and how they were recorded.

Findings compare these numbers and never see a text. ``FACTS`` says what each is called; ``expects`` says which of
them a backbone can do little with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from headstart.base.vocabulary import BackboneInfo, Demand, Fact
from headstart.data import languages, legible, scripts
from headstart.data.tokenizing import Text

FACTS: dict[str, Fact] = {
    "words": Fact("number of words", unit="words"),
    "characters": Fact("number of characters", unit="characters"),
    "letters": Fact("share of letters"),
    "script": Fact("script of most letters"),
    "language": Fact("language"),
    **{script: Fact(f"share of {script.capitalize()} letters") for script in scripts.SCRIPTS},
    "capitals": Fact("share of capitals among the letters"),
    "digits": Fact("share of digits"),
    "emoji": Fact("emoji"),
    "right_to_left": Fact("writing from right to left"),
    "lines": Fact("number of lines", unit="lines", recording=True),
    "markup": Fact("HTML tags", recording=True),
    "damaged": Fact("letters in the wrong encoding", recording=True),
    "spaced": Fact("blanks before or behind the text", recording=True),
    **{name: Fact(words, unit=unit) for name, (words, unit) in legible.FACTS.items()},
}
"""Name -> what it is. What is written about decides length and script, so these are no marks of the recording."""

_TAG = re.compile(
    r"</?(?:a|b|br|body|code|div|em|font|h[1-6]|hr|html|i|img|li|ol|p|pre|script|span|strong|style|table"
    r"|td|th|tr|u|ul)\b[^<>]{0,1000}>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|apos|#\d{2,6}|#x[0-9a-f]{2,5});", re.IGNORECASE)
_EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
# UTF-8 read as Windows-1252 begins its letters with these; a lone one is a letter of Portuguese or of Vietnamese.
_MOJIBAKE = re.compile(
    "\ufffd|[\u00c2\u00c3][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122]|\u00e2\u20ac"
)
_RIGHT_TO_LEFT = ("hebrew", "arabic")


def measure(text: Text, words: Sequence[str]) -> dict[str, float | str]:
    """The facts of one text, whose words in lower case are given; of a pair, those of both together."""
    whole = text if isinstance(text, str) else "\n".join(text)
    sides = (text,) if isinstance(text, str) else text
    found = scripts.shares(whole)
    letters = sum(map(str.isalpha, whole))
    return {
        "words": float(scripts.words(whole)),
        "characters": float(sum(map(len, sides))),
        "letters": letters / len(whole),
        "script": next(iter(found), ""),
        "language": languages.of(words, found),
        **{script: found.get(script, 0.0) for script in scripts.SCRIPTS},
        "capitals": sum(map(str.isupper, whole)) / max(1, letters),
        "digits": sum(map(str.isdigit, whole)) / len(whole),
        "emoji": float(_EMOJI.search(whole) is not None),
        "right_to_left": float(sum(found.get(script, 0.0) for script in _RIGHT_TO_LEFT) > 0.5),
        "lines": float(sum(side.strip().count("\n") + 1 for side in sides)),
        "markup": float(_TAG.search(whole) is not None or _ENTITY.search(whole) is not None),
        "damaged": float(_MOJIBAKE.search(whole) is not None),
        "spaced": float(any(side != side.strip() for side in sides)),
    }


def expects(info: BackboneInfo | None) -> tuple[Demand, ...]:
    """What texts have to be like, as far as the backbone is known."""
    of_backbone = () if info is None else legible.expects(info)
    return (
        *of_backbone,
        Demand(
            "blank",
            "letters",
            low=1e-9,
            words="hold no letter, only digits and signs",
            next_move="look at them: there is hardly anything to read there",
        ),
        Demand(
            "markup",
            "markup",
            high=0.5,
            words="hold HTML, whose tags are read like words",
            share=0.02,
            next_move="if the tags say nothing of the label, take them out before: the texts are read as they are",
        ),
        Demand(
            "damaged",
            "damaged",
            high=0.5,
            words="hold letters that were read in the wrong encoding, such as Ã© for é",
            next_move="write the texts anew as UTF-8 from where they came from",
        ),
    )
