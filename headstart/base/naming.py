"""Plain values as names: what labels and groups are called when they are not text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_WHOLE = re.compile(r"[+-]?[0-9]+(\.0+)?")


def names(values: Sequence[Any]) -> list[str | None]:
    """The name of each value, None where there is none.

    Whole numbers lose an empty fraction (1.0 is "1"), but only if every value is one: among versions 1.0 and 1.5 the
    text stays.
    """
    texts = [None if value is None else str(value) for value in values]
    present = [text for text in texts if text is not None]
    if any("." in text for text in present) and all(_WHOLE.fullmatch(text) for text in present):
        return [None if text is None else text.split(".")[0] for text in texts]
    return texts
