"""Classification: one of C classes for each item.

The loss is the cross-entropy of the softmax; a label is the most probable class, its confidence the probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base import naming, natural
from headstart.base.errors import BadOption, DataError, ModelFolderError, TooFewExamples
from headstart.measure import (
    arrays,
    balance,
    calibration,
    folds,
    logistic,
    reliability,
    ridge,
    scores,
    selective,
    summary,
    suspicion,
)
from headstart.measure.arrays import Floats
from headstart.measure.linear import FLOOR, Linear
from headstart.tasks.task import Task, Value, Words

if TYPE_CHECKING:
    import torch
    from torch import nn


METRICS = scores.METRICS
"""Every score by its name."""


@dataclass(frozen=True)
class Classification(Task):
    """One of the classes; targets are class indices (n,), predictions their probabilities (n, C)."""

    kind = "classification"
    metrics = METRICS
    shown = ("log_loss", "accuracy", "balanced_accuracy", "f1_macro")
    settles = "log_loss"
    points = "accuracy"
    gives = "probabilities"
    problem = "single_label_classification"
    estimates = False
    words = Words(
        purpose="Tells {count} classes apart ({names}).",
        limit="It always answers with one of its classes, also for a {item} of something else.",
        counted="Items a class",
        noun=("class", "classes"),
        pipeline="classification",
        collapsed="collapsed to one class",
    )

    def encode(self, values: Sequence[Value]) -> np.ndarray:
        """Class indices (n,).

        Raises:
            DataError: for a class that is not there.
        """
        index = {name: position for position, name in enumerate(self.names)}
        unknown = natural.ordered(value for value in values if value not in index)
        if unknown:
            raise DataError(
                f"The model does not know the class {', '.join(unknown[:5])}",
                expected="its own classes: " + ", ".join(self.names[:12]),
                next_move="rename or leave out what it cannot know",
            )
        return np.array([index[value] for value in values], dtype=np.int64)

    def without(self, values: Sequence[Value], gone: set[str]) -> list[Value]:
        """Values without the items of some classes."""
        return [None if value in gone else value for value in values]

    def check(self, targets: np.ndarray, origin: str) -> None:
        """Refuse a single class.

        Raises:
            TooFewExamples: fewer than two classes.
        """
        if len(self.names) < 2:
            raise TooFewExamples(
                f"Only one class is there: {self.names[0]}" if self.names else "No class is left",
                where=origin,
                expected="at least two classes",
                next_move="put each class in a subfolder of its own, or name the label column with --label",
            )

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """The classes themselves."""
        return targets

    def members(self, targets: np.ndarray) -> np.ndarray:
        """(n, C) True for each item's class."""
        return np.asarray(targets)[:, None] == np.arange(len(self.names))

    def about(self, targets: np.ndarray) -> str:
        """How many classes there are."""
        return f"in {len(self.names)} {'class' if len(self.names) == 1 else 'classes'}"

    def head(self, width: int, outputs: int) -> nn.Linear:
        """A linear head to logits (n, C).

        Raises:
            BadOption: no features, or fewer than two classes.
        """
        if width < 1 or outputs < 2:
            raise BadOption(f"A head cannot go from {width} features to {outputs} classes", expected="1 and 2 at least")
        return super().head(width, outputs)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Mean cross-entropy of a batch, nats.

        Class weights multiply each item's loss before the mean over the items. (PyTorch divides by the batch's own sum
        of weights instead, which gives an item a weight that depends on its neighbours.)

        Args:
            outputs: (b, C) logits.
            targets: (b,) class indices, or (b, C) probabilities.
            weights: (C,) of the classes; all 1 by default.
        """
        from torch.nn import functional

        if targets.ndim == outputs.ndim:
            terms = -targets * functional.log_softmax(outputs, dim=1)
            return (terms if weights is None else terms * weights).sum(dim=1).mean()
        each = functional.cross_entropy(outputs, targets, reduction="none")
        return (each if weights is None else each * weights[targets]).mean()

    def predictions(self, outputs: Any, temperature: float = 1.0) -> Floats:
        """Softmax of the logits."""
        return calibration.softmax(np.asarray(outputs) / temperature)

    def in_graph(self, outputs: torch.Tensor, temperature: float) -> torch.Tensor:
        """Softmax of the logits."""
        return (outputs / temperature).softmax(1)

    def temperature(self, outputs: Any, targets: Any) -> float:
        """With the lowest log loss, nearer to 1 the fewer items say so."""
        return calibration.towards_one(calibration.temperature(outputs, targets), len(targets))

    def collapsed(self, outputs: np.ndarray, targets: np.ndarray) -> bool:
        """True if outputs name one class while the targets have several: the mark of a rate that was too high."""
        return len(np.unique(outputs.argmax(axis=1))) == 1 and len(np.unique(targets)) > 1

    def solve(
        self, features: np.ndarray, targets: np.ndarray, *, penalty: float | None, weights: Any, seed: int
    ) -> tuple[Linear, float]:
        """Logistic regression; the penalty is scikit-learn's C, chosen by cross-validation inside these items."""
        given: dict[str, Any] = {"classes": len(self.names), "class_weight": weights, "standardise": True}
        if penalty is not None:
            return logistic.fit(features, targets, penalty=penalty, **given), penalty
        inner = folds.stratified(targets, seed=seed)
        found = logistic.search(features, targets, inner if len(targets) < folds.ENOUGH else inner[:1], **given)
        return found.linear, found.penalty

    def simple(self, features: np.ndarray, targets: np.ndarray, *, floor: float = FLOOR) -> Linear:
        """Calibrated logits of a ridge regression on one-hot targets."""
        return ridge.classify(features, targets, classes=len(self.names), floor=floor).linear

    def quick(self, features: np.ndarray, targets: np.ndarray) -> Linear:
        """A ridge regression on one-hot targets, not calibrated."""
        return ridge.regress(features, self.ideal(targets)).linear

    def ideal(self, targets: np.ndarray) -> Floats:
        """One-hot."""
        return np.eye(len(self.names))[arrays.labels(targets, classes=len(self.names))]

    def constant(self, targets: np.ndarray) -> Floats:
        """Class shares, smoothed by one item spread evenly over the classes, so that no class is impossible."""
        counts = np.bincount(arrays.labels(targets, classes=len(self.names)), minlength=len(self.names))
        return (counts + 1 / len(self.names)) / (len(targets) + 1)

    def left_out(self, features: np.ndarray, targets: np.ndarray) -> tuple[float, str]:
        """Leave-one-out log loss of a ridge classifier, nats."""
        loss = ridge.loo_log_loss(features, targets, classes=len(self.names))
        return loss, "leave-one-out log loss of a probe"

    def each_left_out(self, features: np.ndarray, targets: np.ndarray) -> Floats:
        """Calibrated probabilities of a ridge classifier."""
        return ridge.classify(features, targets, classes=len(self.names)).probabilities

    def suspects(self, predictions: Any, targets: Any) -> list[dict[str, Any]]:
        """By confident learning."""
        found = suspicion.of_classes(predictions, targets)
        said = [self.names[int(targets[row])] for row in found.rows]
        likely = [self.names[int(each)] for each in found.likely]
        columns = found.rows, said, likely, found.said_probability, found.likely_probability
        return [
            {
                "row": int(row),
                "said": own,
                "likely": other,
                "said_probability": float(p),
                "likely_probability": float(q),
                "because": f"{100 * q:.0f} % against {100 * p:.0f} %",
            }
            for row, own, other, p, q in zip(*columns, strict=True)
        ]

    def corrections(self, likely: str) -> tuple[str, ...]:
        """Any of the classes."""
        return self.names

    def corrected(self, value: Value, said: str, new: str) -> Value:
        """The other class.

        Raises:
            DataError: no such class.
        """
        if new not in self.names:
            raise DataError(f"There is no class {new}", expected="one of " + ", ".join(self.names[:12]))
        return new

    def choose_metric(self, targets: np.ndarray) -> str:
        """``log_loss``; ``balanced_accuracy`` once the largest class has three times the smallest.

        The log loss sees confidence as well as labels and so tells close candidates apart.
        """
        uneven = balance.imbalance(targets, len(self.names)) >= balance.IMBALANCED
        return "balanced_accuracy" if uneven else "log_loss"

    def stated(self, metric: str) -> str:
        """Accuracy is shown whatever decided, unless classes are to count equally."""
        return metric if metric in ("balanced_accuracy", "f1_macro") else "accuracy"

    def weights(self, targets: np.ndarray, metric: str) -> Floats | None:
        """Weights (C,) that make every class count equally, where the metric wants that of uneven classes."""
        return balance.class_weights(targets, len(self.names), metric)

    def activation(self, temperature: float) -> str:
        """A softmax at its temperature."""
        return f"Probabilities: softmax at temperature {temperature:.3f}"

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Confusion counts (rows are true classes) and each class's recall and precision."""
        return summary.by_class(predictions, targets, self.names)

    def sureness(self, predictions: Any) -> Floats | None:
        """The largest probability."""
        return np.asarray(predictions, dtype=np.float64).max(axis=1)

    def wrong(self, predictions: Any, targets: Any) -> Floats | None:
        """Another class."""
        return (np.asarray(predictions).argmax(axis=1) != np.asarray(targets)).astype(np.float64)

    def trust(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """Of the most probable class."""
        given = np.asarray(predictions, dtype=np.float64)
        sure, right = given.max(axis=1), given.argmax(axis=1) == np.asarray(targets)
        return {
            "confidence": "the probability of the class that is answered",
            "risk": "share of the answers that are wrong",
            "reliability": reliability.curve(sure, right).as_dict(),
            "selective": selective.risk_coverage(sure, ~right).as_dict(),
        }

    def confidences(self, predictions: Any, targets: Any) -> tuple[Floats, np.ndarray] | None:
        """Of the most probable class, one an item."""
        given = np.asarray(predictions, dtype=np.float64)
        return given.max(axis=1, keepdims=True), (given.argmax(axis=1) == np.asarray(targets))[:, None]

    def direction(self, predictions: Any) -> Floats | None:
        """The logit of the class that is answered above the mean of all, for logits have no zero of their own."""
        return np.eye(len(self.names))[np.asarray(predictions).argmax(axis=1)] - 1 / len(self.names)

    def meant(self, target: Any) -> str:
        """The class."""
        return self.names[int(target)]

    def mistaken(self, predictions: Any, targets: Any) -> Floats:
        """How far the wrong class leads."""
        rows, given = np.arange(len(targets)), np.asarray(predictions, dtype=np.float64)
        return given.max(axis=1) - given[rows, np.asarray(targets)] if len(rows) else np.zeros(0)

    def kinds(self, predictions: Any, targets: Any) -> np.ndarray:
        """The cell of the confusion counts."""
        return np.asarray(targets) * len(self.names) + np.asarray(predictions).argmax(axis=1)

    def answer(self, row: Floats, top: int = 1) -> dict[str, Any]:
        """Label and confidence, and the ``top`` most probable classes if more than one is wanted."""
        best = self._best(row, top)
        found: dict[str, Any] = {"label": best[0][0], "confidence": round(best[0][1], 6)}
        if top > 1:
            found["top"] = [{"label": label, "confidence": round(share, 6)} for label, share in best]
        return found

    def probabilities(self, row: Floats) -> dict[str, float]:
        """Each class's."""
        return {name: round(float(p), 6) for name, p in zip(self.names, row, strict=True)}

    def said(self, row: Floats, top: int = 1) -> str:
        """``cat 97.1 %``, the most probable first."""
        return ", ".join(f"{label} {100 * share:.1f} %" for label, share in self._best(row, top))

    def header(self, top: int = 1) -> list[str]:
        """Label and confidence of each place."""
        more = [f"{word}_{place}" for place in range(2, top + 1) for word in ("label", "confidence")]
        return ["label", "confidence", *more]

    def cells(self, row: Floats, top: int = 1) -> list[str]:
        """Label and confidence of each place."""
        return [cell for label, share in self._best(row, top) for cell in (label, f"{share:.6f}")]

    def _best(self, row: Floats, count: int) -> list[tuple[str, float]]:
        order = np.argsort(-row, kind="stable")[:count]
        return [(self.names[i], float(row[i])) for i in order]


def recognise(labels: Sequence[Any]) -> str:
    """Never: what no other task recognises is a class."""
    return ""


def parse(labels: Sequence[Any]) -> list[Value]:
    """The class name of each label, None where it is missing.

    Whole numbers lose an empty fraction (1.0 is "1"), but only if every label is one: among versions 1.0 and 1.5 the
    text stays.

    Raises:
        DataError: when a label is a list or another container.
    """
    for position, label in enumerate(labels):
        if isinstance(label, tuple):
            raise DataError(
                f"A label is a list: {str(list(label))[:80]}",
                where=f"item {position + 1}",
                expected="one class per item: text or a number",
                next_move="for one-hot rows pass labels.argmax(axis=1); for several labels an item, --task multilabel",
            )
    return list(naming.names(labels))


def learn(values: Sequence[Value], *, name: str = "") -> Classification:
    """The classes that occur, in natural order."""
    return Classification(natural.ordered(values))


def restore(names: tuple[str, ...], record: Mapping[str, Any]) -> Classification:
    """Inverse of ``record``, which is empty.

    Raises:
        ModelFolderError: fewer than two classes.
    """
    if len(names) < 2:
        raise ModelFolderError("A classification has two classes at least", where="names", expected="2 or more")
    return Classification(names)
