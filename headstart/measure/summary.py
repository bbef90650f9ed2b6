"""Everything an evaluation reports: each score with its interval, the confusion counts, and each class by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import arrays, intervals, multilabel, scores
from headstart.measure.arrays import Ints


@dataclass(frozen=True, slots=True)
class Summary:
    """An evaluation.

    Attributes:
        items: number of items, n.
        scores: metric name -> score with interval.
        classes: names, in the order of ``confusion``.
        confusion: (C, C) counts; row the true class, column the predicted one.
        recall: for each class the share of its items that were found; None where it has no items.
        precision: for each class the share of its predictions that were right; None where it was never predicted.
    """

    items: int
    scores: dict[str, Interval]
    classes: tuple[str, ...]
    confusion: Ints
    recall: tuple[Interval | None, ...]
    precision: tuple[Interval | None, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        per_class = {
            name: {
                "items": int(self.confusion[c].sum()),
                "recall": recall.as_dict() if recall else None,
                "precision": precision.as_dict() if precision else None,
            }
            for c, (name, recall, precision) in enumerate(zip(self.classes, self.recall, self.precision, strict=True))
        }
        return {
            "items": self.items,
            "scores": {name: interval.as_dict() for name, interval in self.scores.items()},
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
            "per_class": per_class,
        }


def summarise(probabilities: Any, targets: Any, classes: Sequence[str], seed: int = 0) -> Summary:
    """All scores of probabilities (n, C) against class indices (n,), with 95 % intervals.

    Raises:
        DataError: arrays that do not fit each other, or not one name a class.
    """
    p, y = arrays.predictions(probabilities, targets)
    if len(classes) != p.shape[1]:
        raise DataError("Class names do not fit the probabilities", expected=f"{p.shape[1]} names, not {len(classes)}")
    counts = scores.confusion(p, y)
    return Summary(
        items=len(y),
        scores={name: intervals.bootstrap(name, p, y, seed=seed) for name in scores.NAMES},
        classes=tuple(classes),
        confusion=counts,
        recall=_shares(counts, axis=1),
        precision=_shares(counts, axis=0),
    )


def by_class(probabilities: Any, targets: Any, classes: Sequence[str]) -> dict[str, Any]:
    """Confusion counts, rows the true classes, and each class's recall and precision, as plain data.

    Raises:
        DataError: as ``summarise`` does.
    """
    p, y = arrays.predictions(probabilities, targets)
    if len(classes) != p.shape[1]:
        raise DataError("Class names do not fit the probabilities", expected=f"{p.shape[1]} names, not {len(classes)}")
    counts = scores.confusion(p, y)
    rows = zip(classes, counts.sum(axis=1).tolist(), _shares(counts, axis=1), _shares(counts, axis=0), strict=True)
    per_class = {
        name: {
            "items": items,
            "recall": recall.as_dict() if recall else None,
            "precision": precision.as_dict() if precision else None,
        }
        for name, items, recall, precision in rows
    }
    return {"classes": list(classes), "confusion": counts.tolist(), "per_class": per_class}


def by_label(probabilities: Any, truths: Any, labels: Sequence[str]) -> dict[str, Any]:
    """Each label's recall, precision and average precision, as plain data; None where there is none.

    Raises:
        DataError: arrays that do not fit each other, or not one name a label.
    """
    p, y = arrays.answers(probabilities, truths)
    if len(labels) != p.shape[1]:
        raise DataError("Label names do not fit the probabilities", expected=f"{p.shape[1]} names, not {len(labels)}")
    said = multilabel.predicted(p)
    found = {}
    for column, name in enumerate(labels):
        both, there, named = (int(rows[:, column].sum()) for rows in (said & y, y, said))
        precision = multilabel.METRICS["mean_average_precision"].score(p[:, [column]], y[:, [column]])
        found[name] = {
            "items": there,
            "recall": intervals.wilson(both, there).as_dict() if there else None,
            "precision": intervals.wilson(both, named).as_dict() if named else None,
            "average_precision": precision if there else None,
        }
    return {"labels": list(labels), "per_label": found}


def _shares(counts: Ints, axis: int) -> tuple[Interval | None, ...]:
    """Each class's right answers among its items (axis 1) or among its predictions (axis 0)."""
    pairs = zip(counts.diagonal().tolist(), counts.sum(axis=axis).tolist(), strict=True)
    return tuple(intervals.wilson(right, n) if n else None for right, n in pairs)
