"""What people read of an item that is made of words: the words themselves, some of them marked.

It stands where an item of another modality has a small picture. It is plain data, so that a run can keep it and a page
can be made of it later; what is read back from a run was within anybody's reach, and is checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 20_000
"""Characters of an excerpt that is read back."""
Run = tuple[str, float]
"""Words that follow each other, and how much they are marked: from 0, not at all, to 1."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The words of an item, or where they are too many the beginning of them.

    Attributes:
        texts: one, or the two of a pair; each in runs.
        left: of each text, characters behind its end that are not shown.
    """

    texts: tuple[tuple[Run, ...], ...]
    left: tuple[int, ...]

    def plain(self) -> str:
        """The words without their marks, on one line."""
        return " / ".join(" ".join("".join(words for words, _ in runs).split()) for runs in self.texts)

    def brief(self, most: int) -> str:
        """The first ``most`` characters of that, with a sign that there are more."""
        words = self.plain()
        return words if len(words) <= most and not any(self.left) else words[: most - 1].rstrip() + "…"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        texts = [
            {"runs": [[words, round(mark, 3)] for words, mark in runs], "left": left}
            for runs, left in zip(self.texts, self.left, strict=True)
        ]
        return {"texts": texts}

    @classmethod
    def from_dict(cls, data: Any) -> Excerpt:
        """Inverse of ``as_dict``.

        Raises:
            ValueError: for anything else.
        """
        texts = data.get("texts") if isinstance(data, Mapping) else None
        if not isinstance(texts, list) or not 1 <= len(texts) <= 2:
            raise ValueError("no excerpt: one text or two were expected")
        found = tuple(_runs(text) for text in texts)
        if sum(len(words) for runs in found for words, _ in runs) > LONGEST:
            raise ValueError(f"no excerpt: more than {LONGEST:,} characters")
        return cls(found, tuple(_left(text) for text in texts))


def _runs(text: Any) -> tuple[Run, ...]:
    runs = text.get("runs") if isinstance(text, Mapping) else None
    if not isinstance(runs, list):
        raise ValueError("no excerpt: a text has runs")
    found = []
    for run in runs:
        words, mark = run if isinstance(run, list) and len(run) == 2 else (None, None)
        if not isinstance(words, str) or isinstance(mark, bool) or not isinstance(mark, int | float):
            raise ValueError("no excerpt: a run is words and a number")
        found.append((words, 0.0 if math.isnan(mark) else min(1.0, max(0.0, float(mark)))))
    return tuple(found)


def _left(text: Mapping[str, Any]) -> int:
    left = text.get("left", 0)
    if isinstance(left, bool) or not isinstance(left, int):
        raise ValueError("no excerpt: what is left of a text is a number")
    return max(0, left)


Shown = bytes | Excerpt
"""What stands for an item on a page: a small PNG, or words."""
