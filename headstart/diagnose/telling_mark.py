"""A label that leaks: a single word, say, is in nearly all items of one class and in hardly any other.

Where that is the class's own name, or a trace of how the labels were made, a model learns the trace. A mark is held
against the chance of finding one as telling among as many (Fisher's exact test, Bonferroni's correction), so that
shuffled labels raise an alarm in fewer than one data set of twenty.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import hypergeom

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import LISTED, Inspection

THRESHOLD = 0.8
"""Share of a class that shows the mark, minus that of all other items: near enough to giving the label away."""
LEVEL = 0.05
"""Chance of a false alarm, over all marks and classes together."""
LEAST = 30
"""Different items below which a mark proves nothing."""
_LEAST_OF_A_CLASS = 10


def examine(evidence: Inspection) -> Finding | None:
    """The mark that tells a class best, if it does so nearly by itself; first of all the class's own name."""
    rows = evidence.different
    if len(rows) < LEAST or len(evidence.classes) < 2 or evidence.marks is None:
        return None
    names, shown = evidence.marks()
    if not names:
        return None
    labels = evidence.labels[rows]
    sizes = np.bincount(labels, minlength=len(evidence.classes))
    counts = np.stack([np.asarray(shown[rows[labels == label]].sum(axis=0)).ravel() for label in range(len(sizes))])
    found = telling(counts, sizes)
    if not found:
        return None
    named = [one for one in found if names[one[1]].casefold() in evidence.classes[one[0]].casefold().split()]
    label, mark = (named or found)[0]
    word, title = names[mark], evidence.classes[label]
    inside, outside = shares(counts, sizes)
    own = ", and it is the name of the class" if named else ""
    return Finding(
        name="telling_mark",
        severity="serious" if named else "warning",
        sentence=(
            f"'{word}' alone tells {title}: it is in {inside[label, mark]:.0%} of its {evidence.modality} and in "
            f"{outside[label, mark]:.0%} of all others{own}; a model may learn that and nothing else"
        ),
        number=round(float(inside[label, mark] - outside[label, mark]), 3),
        threshold=THRESHOLD,
        next_move="see whether new items will have it too; if the labels were made from it, take it out",
        evidence={"marks": [f"'{names[mark]}' tells {evidence.classes[label]}" for label, mark in found[:LISTED]]},
    )


def telling(counts: np.ndarray, sizes: np.ndarray) -> list[tuple[int, int]]:
    """(class, mark) of the marks that tell a class nearly by themselves, the best first.

    Args:
        counts: (C, m) items of each class that show each mark.
        sizes: (C,) items of each class.
    """
    inside, outside = shares(counts, sizes)
    skill = np.where((sizes >= _LEAST_OF_A_CLASS)[:, None], inside - outside, -1.0)
    found = [
        (float(skill[label, mark]), int(label), int(mark))
        for label, mark in np.argwhere(skill >= THRESHOLD)
        if chance(counts[:, mark], sizes, int(label)) * counts.size <= LEVEL
    ]
    return [(label, mark) for _, label, mark in sorted(found, key=lambda one: (-one[0], one[1:]))]


def shares(counts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(C, m) share of each class's items that show each mark, and that of all other items."""
    others = (counts.sum(axis=0) - counts) / np.maximum(sizes.sum() - sizes, 1)[:, None]
    return np.asarray(counts / np.maximum(sizes, 1)[:, None]), np.asarray(others)


def chance(counts: np.ndarray, sizes: np.ndarray, label: int) -> float:
    """Of a mark that says nothing, the chance to be in at least so many items of a class.

    Args:
        counts: (C,) items of each class that show the mark.
        sizes: (C,) items of each class.
    """
    return float(hypergeom.sf(counts[label] - 1, sizes.sum(), counts.sum(), sizes[label]))
