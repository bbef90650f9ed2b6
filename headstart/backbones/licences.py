"""What the licence of weights allows, as far as its name says: worth one line before anybody builds on them."""

from __future__ import annotations

import re

from headstart.base.vocabulary import BackboneInfo

SPDX = {
    name.lower(): name
    for name in (
        *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "CC0-1.0", "CC-BY-4.0"),
        *("CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "GPL-3.0", "AGPL-3.0", "LGPL-3.0"),
    )
}
FREE = re.compile(r"(apache|mit|bsd|isc|unlicense|cc0|cc-by-\d|none$)", re.IGNORECASE)
"""Licences that ask for little more than their mention."""
WORDS = (
    (r"cc-by-nc|non-?commercial|seer-license|research-only-nc", "they forbid commercial use"),
    (r"amlr|research", "they are for research only"),
    (r"(^|[^l])a?gpl", "they ask for the same licence on what contains them"),
    (r"cc-by-sa|cc-by-nd", "they ask for the same licence on what is made from them"),
    (r"rail", "they restrict what they may be used for"),
)
"""What a licence's name means, the first that fits."""


def named(text: str | None) -> str:
    """The SPDX identifier of a licence, or the publisher's word for it; "unknown" for none."""
    word = (text or "").strip()
    return SPDX.get(word.lower(), word) if word and word.lower() not in ("other", "unknown") else "unknown"


def warning(info: BackboneInfo) -> str:
    """One sentence where the licence restricts use or nobody knows it; "" where it does not."""
    licence = info.licence
    if licence == "unknown":
        return (
            f"The licence of {info.name} is unknown: without its publisher's word nobody may be allowed to use it or "
            "what is trained from it"
        )
    for pattern, meaning in WORDS:
        if re.search(pattern, licence, re.IGNORECASE):
            told = f"The weights of {info.name} are under {licence}: {meaning}"
            return f"{told}, and a model trained from them may inherit that"
    if FREE.match(licence):
        return ""
    return f"The weights of {info.name} have terms of their own ({licence}): read them before you use the model"
