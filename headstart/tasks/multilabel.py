"""Several labels: each of L labels is there or not, whatever the others are.

One sigmoid a label, the mean of their cross-entropies as the loss; a label is said to be there from a probability of
one half on. Splits are stratified iteratively (``measure/stratification.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base import natural
from headstart.base.errors import DataError, TooFewExamples
from headstart.measure import (
    arrays,
    calibration,
    folds,
    logistic,
    multilabel,
    reliability,
    ridge,
    selective,
    summary,
    suspicion,
)
from headstart.measure.arrays import Floats
from headstart.measure.linear import FLOOR, Linear
from headstart.tasks import numerals
from headstart.tasks.task import Task, Value, Words

if TYPE_CHECKING:
    import torch

DELIMITERS = {"|": 0.5, ";": 0.5, ",": 0.8}
"""What may stand between labels, and the share of such parts that must occur in other combinations too.

The parts of a name seldom do, and names have commas in them.
"""


METRICS = multilabel.METRICS
"""Every score by its name."""


@dataclass(frozen=True)
class Multilabel(Task):
    """Several labels an item; targets are truths (n, L) as 0.0 and 1.0, predictions probabilities (n, L)."""

    kind = "multilabel"
    metrics = METRICS
    shown = ("log_loss", "mean_average_precision", "f1_micro", "f1_macro", "subset_accuracy")
    settles = "log_loss"
    points = "mean_average_precision"
    gives = "probabilities"
    problem = "multi_label_classification"
    estimates = False
    words = Words(
        purpose="Says which of {count} labels a {item} has ({names}).",
        limit="It knows its own labels only, and says nothing of what else a {item} holds.",
        counted="Items a label",
        pipeline="classification",
        noun=("label", "labels"),
    )

    def encode(self, values: Sequence[Value]) -> np.ndarray:
        """Truths (n, L) float32.

        Raises:
            DataError: for a label that is not there.
        """
        index = {name: position for position, name in enumerate(self.names)}
        unknown = natural.ordered(name for value in values for name in value if name not in index)
        if unknown:
            raise DataError(
                f"The model does not know the label {', '.join(unknown[:5])}",
                expected="its own labels: " + ", ".join(self.names[:12]),
                next_move="rename or leave out what it cannot know",
            )
        found = np.zeros((len(values), len(self.names)), dtype=np.float32)
        for row, value in enumerate(values):
            found[row, [index[name] for name in value]] = 1.0
        return found

    def without(self, values: Sequence[Value], gone: set[str]) -> list[Value]:
        """Values without some labels; the items stay, for having none of them says something too."""
        return [tuple(name for name in value if name not in gone) for value in values]

    def check(self, targets: np.ndarray, origin: str) -> None:
        """Refuse what has no label at all.

        Raises:
            TooFewExamples: no labels.
        """
        if not self.names:
            raise TooFewExamples("No label is left", where=origin, expected="at least one label that some items have")

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """The truths themselves."""
        return arrays.truths(targets)

    def members(self, targets: np.ndarray) -> np.ndarray:
        """(n, L) True for each label that an item has."""
        return arrays.truths(targets)

    def about(self, targets: np.ndarray) -> str:
        """How many labels there are, and how many an item has."""
        return f"with {len(self.names)} labels, {np.asarray(targets).sum(axis=1).mean():.1f} an item on average"

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Mean binary cross-entropy of a batch over items and labels, nats.

        Args:
            outputs: (b, L) logits.
            targets: (b, L) truths or probabilities.
            weights: (L,) of the labels; all 1 by default.
        """
        from torch.nn import functional

        wanted = targets.to(outputs.dtype)
        each = functional.binary_cross_entropy_with_logits(outputs, wanted, reduction="none")
        return (each if weights is None else each * weights).mean()

    def predictions(self, outputs: Any, temperature: float = 1.0) -> Floats:
        """Sigmoid of the logits."""
        return calibration.sigmoid(np.asarray(outputs) / temperature)

    def in_graph(self, outputs: torch.Tensor, temperature: float) -> torch.Tensor:
        """Sigmoid of the logits."""
        return (outputs / temperature).sigmoid()

    def temperature(self, outputs: Any, targets: Any) -> float:
        """With the lowest log loss over all labels, nearer to 1 the fewer items say so."""
        return calibration.towards_one(calibration.sigmoid_temperature(outputs, targets), len(targets))

    def solve(
        self, features: np.ndarray, targets: np.ndarray, *, penalty: float | None, weights: Any, seed: int
    ) -> tuple[Linear, float]:
        """One logistic regression a label; the penalty is scikit-learn's C, the same for all, cross-validated."""
        inner = folds.stratified(targets, seed=seed)
        inner = inner if len(targets) < folds.ENOUGH else inner[:1]
        return logistic.separate(features, targets, inner, penalty=penalty)

    def simple(self, features: np.ndarray, targets: np.ndarray, *, floor: float = FLOOR) -> Linear:
        """Calibrated logits of a ridge regression on the truths."""
        return ridge.separate(features, targets, floor=floor)[0]

    def constant(self, targets: np.ndarray) -> Floats:
        """The share of items that have each label, smoothed by half an item that has it and half one that has not."""
        return np.asarray((np.asarray(targets, dtype=np.float64).sum(axis=0) + 0.5) / (len(targets) + 1))

    def left_out(self, features: np.ndarray, targets: np.ndarray) -> tuple[float, str]:
        """Leave-one-out log loss of a ridge regression on the truths, nats."""
        loss = self.metric("log_loss").score(ridge.separate(features, targets)[1], targets)
        return loss, "leave-one-out log loss of a probe"

    def each_left_out(self, features: np.ndarray, targets: np.ndarray) -> Floats:
        """Calibrated probabilities of a ridge regression on the truths."""
        return ridge.separate(features, targets)[1]

    def suspects(self, predictions: Any, targets: Any) -> list[dict[str, Any]]:
        """By confident learning, each label by itself."""
        found = suspicion.of_labels(predictions, targets)
        result = []
        for row, column, own, other in zip(
            found.rows, found.likely, found.said_probability, found.likely_probability, strict=True
        ):
            there, name = bool(targets[row, column]), self.names[int(column)]
            result.append(
                {
                    "row": int(row),
                    "said": name if there else f"no {name}",
                    "likely": f"no {name}" if there else name,
                    "said_probability": float(own),
                    "likely_probability": float(other),
                    "because": f"{100 * other:.0f} % against {100 * own:.0f} %",
                }
            )
        return result

    def corrections(self, likely: str) -> tuple[str, ...]:
        """The one label that is doubted, there or not there."""
        return (likely,)

    def corrected(self, value: Value, said: str, new: str) -> Value:
        """The labels without the one that was said to be there, or with the one that was not.

        Raises:
            DataError: no such label.
        """
        if said in value:
            return tuple(name for name in value if name != said)
        if new not in self.names:
            raise DataError(f"There is no label {new}", expected="one of " + ", ".join(self.names[:12]))
        return natural.ordered({*value, new})

    def stated(self, metric: str) -> str:
        """The mean average precision is shown whatever decided, unless that was an F1 or the like."""
        return "mean_average_precision" if metric == "log_loss" else metric

    def activation(self, temperature: float) -> str:
        """A sigmoid a label, all at one temperature."""
        return f"Probabilities: a sigmoid for each label at temperature {temperature:.3f}"

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Each label's recall, precision and average precision."""
        return summary.by_label(predictions, targets, self.names)

    def sureness(self, predictions: Any) -> Floats | None:
        """That all labels are right, as if they were independent."""
        given = np.asarray(predictions, dtype=np.float64)
        return np.exp(np.log(np.maximum(given, 1 - given)).sum(axis=1))

    def wrong(self, predictions: Any, targets: Any) -> Floats | None:
        """Not all labels are right."""
        return (multilabel.predicted(np.asarray(predictions)) != (np.asarray(targets) > 0)).any(axis=1).astype(float)

    def trust(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Reliability of every label's probability; risk of an item whose labels are not all right."""
        given, truths = np.asarray(predictions, dtype=np.float64), np.asarray(targets) > 0
        sure, wrong = self.sureness(given), self.wrong(given, targets)
        return {
            "confidence": "the probability of a label; of an item, that all of its labels are right",
            "risk": "share of the items whose labels are not all right",
            "reliability": reliability.curve(given.ravel(), truths.ravel()).as_dict(),
            "selective": selective.risk_coverage(sure, wrong).as_dict(),
        }

    def confidences(self, predictions: Any, targets: Any) -> tuple[Floats, np.ndarray] | None:
        """Of every label, that it is there."""
        return np.asarray(predictions, dtype=np.float64), np.asarray(targets) > 0

    def direction(self, predictions: Any) -> Floats | None:
        """The logit of the most probable label."""
        return np.eye(len(self.names))[np.asarray(predictions).argmax(axis=1)]

    def meant(self, target: Any) -> str:
        """The labels that are there."""
        return ", ".join(name for name, there in zip(self.names, target, strict=True) if there > 0) or "no label"

    def mistaken(self, predictions: Any, targets: Any) -> Floats:
        """How sure the surest wrong answer is."""
        given, truths = np.asarray(predictions, dtype=np.float64), np.asarray(targets) > 0
        wrong = multilabel.predicted(given) != truths
        return np.where(wrong, np.abs(given - truths), 0.0).max(axis=1)

    def kinds(self, predictions: Any, targets: Any) -> np.ndarray:
        """By the surest wrong answer: which label, and if it was missed or made up; below 0 where all are right."""
        given, truths = np.asarray(predictions, dtype=np.float64), np.asarray(targets) > 0
        wrong = np.where(multilabel.predicted(given) != truths, np.abs(given - truths), 0.0)
        label = wrong.argmax(axis=1)
        missed = truths[np.arange(len(label)), label]
        return np.where(wrong.max(axis=1) > 0, 1 + 2 * label + missed, -1 - given.argmax(axis=1))

    def answer(self, row: Floats, top: int = 1) -> dict[str, Any]:
        """The labels that are there, the most probable first, and every label's probability."""
        order = np.argsort(-row, kind="stable")
        there = [self.names[i] for i in order if multilabel.predicted(row[i])]
        found: dict[str, Any] = {"labels": there}
        found["probabilities"] = self.probabilities(row)
        if top > 1:
            found["top"] = [{"label": self.names[i], "confidence": round(float(row[i]), 6)} for i in order[:top]]
        return found

    def probabilities(self, row: Floats) -> dict[str, float]:
        """Each label's."""
        return {name: round(float(p), 6) for name, p in zip(self.names, row, strict=True)}

    def said(self, row: Floats, top: int = 1) -> str:
        """The labels that are there, at least the ``top`` most probable where more than one is wanted."""
        order = np.argsort(-row, kind="stable")
        shown = [i for place, i in enumerate(order) if multilabel.predicted(row[i]) or (top > 1 and place < top)]
        if not shown:
            return f"no label (most probable: {self.names[order[0]]} {100 * row[order[0]]:.1f} %)"
        return ", ".join(f"{self.names[i]} {100 * row[i]:.1f} %" for i in shown)

    def header(self, top: int = 1) -> list[str]:
        """The labels with bars between them, then a column for each label's probability."""
        return ["labels", *self.names]

    def cells(self, row: Floats, top: int = 1) -> list[str]:
        """The labels with bars between them, then each label's probability."""
        return ["|".join(self.answer(row)["labels"]), *(f"{p:.6f}" for p in row)]


def recognise(labels: Sequence[Any]) -> str:
    """Lists, or texts whose parts between bars, semicolons or commas recur in other combinations."""
    present = [label for label in labels if label is not None]
    if present and all(isinstance(label, tuple) for label in present):
        return "" if _one_hot(present) else "the labels are lists"
    delimiter = _delimiter(present)
    return f"the parts of labels such as {_example(present, delimiter)!r} recur" if delimiter else ""


def parse(labels: Sequence[Any]) -> list[Value]:
    """The names of each label, in natural order; None where a label is missing.

    Lists hold names, or, if all are of one length and hold nothing but 0 and 1, say which columns are there. Texts are
    taken apart at bars, semicolons or commas, whichever takes most of them apart.

    Raises:
        DataError: when an entry of a list is no name.
    """
    present = [label for label in labels if label is not None]
    delimiter = _delimiter(present) or _commonest(present)
    if _indicators(present):
        return [None if row is None else tuple(str(i) for i, there in enumerate(row) if there) for row in labels]
    return [None if label is None else _names(label, delimiter, row) for row, label in enumerate(labels, start=1)]


def unlabelled(labels: Sequence[Any]) -> str:
    """How an item says that it has none of the labels, where a missing label says nothing."""
    present = [label for label in labels if label is not None]
    if present and all(isinstance(label, tuple) for label in present):
        return "an empty list, or 0 in every column, says that none applies"
    return f"a lone {_delimiter(present) or _commonest(present) or '|'} says that none applies"


def learn(values: Sequence[Value], *, name: str = "") -> Multilabel:
    """The labels that occur, in natural order."""
    return Multilabel(natural.ordered(each for value in values for each in value))


def restore(names: tuple[str, ...], record: Mapping[str, Any]) -> Multilabel:
    """Inverse of ``record``, which is empty."""
    return Multilabel(names)


def _names(label: Any, delimiter: str, row: int) -> tuple[str, ...]:
    if isinstance(label, tuple):
        parts = [None if each is None else str(each).strip() for each in label]
        if any(isinstance(each, tuple) or not part for each, part in zip(label, parts, strict=True)):
            raise DataError(
                f"A list of labels holds something that is no name: {str(list(label))[:80]}",
                where=f"item {row}",
                expected="names, such as ['cat', 'dog']",
            )
        if any(isinstance(each, float) and not each.is_integer() for each in label):
            raise DataError(
                f"A list of labels holds numbers with decimals: {str(list(label))[:80]}",
                where=f"item {row}",
                expected="names, or 0 and 1 in each column",
                next_move="to predict numbers, give one number an item, and fit a model for each column",
            )
        return natural.ordered(part for part in parts if part)
    pieces = str(label).split(delimiter) if delimiter else [str(label)]
    return natural.ordered(piece.strip() for piece in pieces if piece.strip())


def _delimiter(present: Sequence[Any]) -> str:
    """What texts with several labels are delimited by; empty if the parts are no labels of their own."""
    if not present or not all(isinstance(label, str) for label in present) or numerals.read(present) is not None:
        return ""
    for delimiter, share in DELIMITERS.items():
        distinct = {tuple(part.strip() for part in label.split(delimiter)) for label in present}
        several = [parts for parts in distinct if len(parts) > 1]
        homes: dict[str, int] = {}
        for parts in distinct:
            for part in set(parts):
                homes[part] = homes.get(part, 0) + 1
        members = [part for parts in several for part in parts if part]
        recurring = sum(homes[part] > 1 for part in members)
        # A comma is also part of names ("Smith, John"), of which all have as many parts.
        varied = delimiter != "," or len({len(parts) for parts in distinct}) > 1
        if members and varied and recurring >= share * len(members):
            return delimiter
    return ""


def _commonest(present: Sequence[Any]) -> str:
    texts = [label for label in present if isinstance(label, str)]
    counts = {delimiter: sum(delimiter in text for text in texts) for delimiter in DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    return best if counts[best] else ""


def _example(present: Sequence[str], delimiter: str) -> str:
    return next(label for label in present if len(_names(label, delimiter, 0)) > 1)[:40]


def _indicators(present: Sequence[Any]) -> bool:
    if not present or not all(isinstance(label, tuple) for label in present):
        return False
    flat = [each for label in present for each in label]
    even = len({len(label) for label in present}) == 1 and len(present[0]) > 1
    return even and all(isinstance(each, bool | int | float) and each in (0, 1) for each in flat)


def _one_hot(present: Sequence[Any]) -> bool:
    return _indicators(present) and all(sum(label) == 1 for label in present)
