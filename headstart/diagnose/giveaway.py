"""A giveaway: how items were recorded tells their class by itself, so a model may learn that and nothing else.

Every fact that belongs to the recording (size, format, compression, camera, border) is tried as a rule of one question
(1R: Holte, Very Simple Classification Rules Perform Well on Most Commonly Used Datasets, 1993), cross-validated, all
classes counted equally. Horses with a photographer's mark in the corner are the classic case (Lapuschkin et al.,
Unmasking Clever Hans Predictors, 2019).
"""

from __future__ import annotations

import numpy as np

from headstart.base.vocabulary import Finding
from headstart.diagnose.evidence import Inspection
from headstart.measure import folds

THRESHOLD = 0.5
"""Share of the way from chance to certainty that a rule gets on items it has not seen."""
ALARMING = 0.8
LEAST = 30
"""Different items below which a rule proves nothing."""
_LEAST_OF_A_CLASS = 10
_BINS = 12


def examine(evidence: Inspection) -> Finding | None:
    """The recording's fact that tells the class best; if none does, the one that marks a single class best."""
    rows = evidence.different
    if len(rows) < LEAST or len(evidence.classes) < 2:
        return None
    labels = evidence.labels[rows]
    rules = {
        name: recalls(evidence.facts[name][rows], labels, len(evidence.classes))
        for name, fact in evidence.words.items()
        if fact.recording and name in evidence.facts
    }
    chance = 1 / len(evidence.classes)
    told = {name: float(table.diagonal().mean()) for name, table in rules.items() if table.size}
    if not told:
        return None
    best = max(told, key=told.__getitem__)
    skill = (told[best] - chance) / (1 - chance)
    if skill >= THRESHOLD:
        others = {evidence.words[name].words: round(value, 3) for name, value in told.items()}
        return Finding(
            name="giveaway",
            severity="serious" if skill >= ALARMING else "warning",
            sentence=(
                f"The {evidence.words[best].words} alone tells the class in {told[best]:.0%} of the cases "
                f"(by chance {chance:.0%}): a model may learn how {evidence.modality} were recorded, not what they show"
            ),
            number=round(skill, 3),
            threshold=THRESHOLD,
            next_move="give all classes the same recording (one size, format, camera), and see whether it still tells",
            evidence={"recall": others, **_values(evidence, best, rows)},
        )
    return _one_class(evidence, rules, np.bincount(labels, minlength=len(evidence.classes)))


def _one_class(evidence: Inspection, rules: dict[str, np.ndarray], counts: np.ndarray) -> Finding | None:
    """A class that a fact marks, while the others stay mixed: often the one that came from somewhere else."""
    found = []
    for name, table in rules.items():
        for label in np.flatnonzero(counts >= _LEAST_OF_A_CLASS).tolist() if table.size else ():
            wrongly = np.delete(table[:, label], label).mean()
            found.append((float(table[label, label] - wrongly), name, label))
    if not found or max(found)[0] < ALARMING:
        return None
    skill, name, label = max(found)
    return Finding(
        name="giveaway",
        severity="warning",
        sentence=(
            f"The {evidence.words[name].words} alone tells {evidence.classes[label]} from the other classes "
            f"({skill:.0%} of the way from chance to certainty): it may have been recorded differently"
        ),
        number=round(skill, 3),
        threshold=ALARMING,
        next_move=f"compare how {evidence.classes[label]} was collected with how the other classes were",
        evidence={"class": evidence.classes[label], **_values(evidence, name, evidence.different)},
    )


def recalls(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """(C, C) share of each class (row) that a one-question rule takes for each class (column), on held-out items.

    Empty if the fact is the same for all items.
    """
    bins = binned(values)
    if bins.max() == 0:
        return np.zeros((0, 0))
    sizes = np.maximum(np.bincount(labels, minlength=classes), 1)
    confusion = np.zeros((classes, classes))
    for train, held in folds.stratified(labels, folds=5):
        table = np.zeros((int(bins.max()) + 1, classes))
        np.add.at(table, (bins[train], labels[train]), 1 / sizes[labels[train]])
        # A value that was never seen is answered with every class a little: chance, and no more.
        answer = np.where(table == table.max(axis=1, keepdims=True), 1.0, 0.0)
        np.add.at(confusion, labels[held], (answer / answer.sum(axis=1, keepdims=True))[bins[held]])
    return confusion / sizes[:, None]


def binned(values: np.ndarray) -> np.ndarray:
    """(n,) small numbers from 0: the value itself where there are few, or which of equal shares it falls into."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), -1.0, values)
    different, index = np.unique(values, return_inverse=True)
    if len(different) <= _BINS or values.dtype.kind != "f":
        return index.astype(np.int64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _values(evidence: Inspection, name: str, rows: np.ndarray, most: int = 10) -> dict[str, object]:
    """What the fact is in each class: the median of numbers, the most frequent of texts."""
    values = evidence.facts[name][rows]
    found: dict[str, float | str | None] = {}
    for label, title in list(enumerate(evidence.classes))[:most]:
        own = values[evidence.labels[rows] == label]
        if not len(own):
            continue
        if own.dtype.kind == "f":
            found[title] = float(np.nanmedian(own)) if np.isfinite(own).any() else None
        else:
            different, counts = np.unique(own, return_counts=True)
            found[title] = str(different[np.argmax(counts)])
    return {"fact": evidence.words[name].words, "classes": found}
