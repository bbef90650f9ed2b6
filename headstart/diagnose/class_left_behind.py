"""A class that is left behind: the model finds few of its items while it does well on the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from headstart.base.run import Run
from headstart.base.vocabulary import Finding
from headstart.diagnose.finished import Finished, finished, listed

THRESHOLD = 0.5
"""Share of the other classes' mean recall below which a class is left behind."""
SURE = 0.05
"""Probability, over all classes together, that one of them is named although it is not left behind (Bonferroni)."""


@dataclass(frozen=True)
class _Recall:
    name: str
    found: int
    items: int

    @property
    def value(self) -> float:
        return self.found / self.items


def examine(evidence: Run) -> Finding | None:
    """The classes whose recall is certainly below half of the others'."""
    found = finished(evidence)
    if found is None or found.tested is None:
        return None
    recalls = _recalls(found)
    behind = []
    for one in recalls:
        others = float(np.mean([each.value for each in recalls if each is not one])) if len(recalls) > 1 else 0.0
        least = THRESHOLD * others
        if others > 0 and binom.cdf(one.found, one.items, least) < SURE / len(recalls):
            behind.append((one, others))
    if not behind or not found.learnt:
        return None
    behind.sort(key=lambda pair: pair[0].value / pair[1])
    worst, others = behind[0]
    noun, nouns = found.task.words.noun
    more = (
        f"; so {'is' if len(behind) == 2 else 'are'} {listed([one.name for one, _ in behind[1:]])}"
        if behind[1:]
        else ""
    )
    return Finding(
        name="class_left_behind",
        severity="warning",
        sentence=(
            f"The {noun} {worst.name} is left behind: {worst.found} of its {worst.items} tested items are found "
            f"({worst.value:.0%}), and {others:.0%} of the other {nouns}' on average{more}"
        ),
        number=worst.value,
        threshold=THRESHOLD * others,
        next_move=f"more items of {worst.name}, or look in the report at what it is taken for: its labels may be wrong",
        evidence={"recall": {one.name: f"{one.found} of {one.items}" for one, _ in behind}},
    )


def _recalls(found: Finished) -> list[_Recall]:
    """Of each class, or label, that occurs; none where numbers are predicted."""
    if found.tested is None:
        return []
    details = found.task.details(*found.tested)
    by_name = details.get("per_class") or details.get("per_label") or {}
    there = {name: row for name, row in by_name.items() if row["items"] and row["recall"]}
    return [_Recall(name, round(row["recall"]["value"] * row["items"]), row["items"]) for name, row in there.items()]
