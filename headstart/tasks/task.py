"""What every task is: the one place where a run asks what its targets mean.

A file of this room recognises its kind of label, reads labels to values, and learns a ``Task`` from them. Everything
else in the house asks the task: how wide the head is, what the loss is, what an output says, which scores there are,
and in which words. A task that keeps the defaults below is a regression on ``ideal`` outputs with other clothes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from headstart.base.errors import BadOption, DataError, ExportError, TooFewExamples, UnknownName
from headstart.base.vocabulary import Interval
from headstart.measure import intervals, ridge, suspicion
from headstart.measure.arrays import Floats
from headstart.measure.linear import FLOOR, Linear
from headstart.measure.metric import Metric
from headstart.tasks import numerals

if TYPE_CHECKING:
    import torch
    from torch import nn

_SMALL = 0.01
_ALIKE = 1e-6

Value = Any
"""A label as a task reads it: a class name, several names, a number."""


@dataclass(frozen=True, slots=True)
class Words:
    """How a task is talked about.

    Attributes:
        purpose: what a model does, for its card, with {names} and {item}, what it reads.
        limit: what it cannot do.
        counted: what items are counted by, where names are; empty where they are not.
        noun: what a name is, one and many.
        pipeline: the hub's name for such a model, behind that of what it reads (image-classification); empty if none.
        collapsed: what a network does that has learnt nothing.
    """

    purpose: str
    limit: str
    counted: str = ""
    noun: tuple[str, str] = ("target", "targets")
    pipeline: str = ""
    collapsed: str = "collapsed to one answer"


@dataclass(frozen=True)
class Task(ABC):
    """What is predicted.

    Attributes:
        names: of the predictions' columns, K: classes, labels, or the one target.
        kind: the plug-in's name.
        metrics: every score, by name.
        shown: those of the evidence table; its first two have columns on a screen.
        settles: the score that settles what ``metric`` leaves level: the surer answer is better.
        points: the score whose hundredth is a point: what flips and another rung may cost or gain.
        words: how it is talked about.
        gives: what ``predictions`` are, as one plain word.
        problem: the transformers library's name for what is predicted; empty if it has none.
        estimates: its one prediction is a number in the target's own unit, to be set against the true one.
    """

    names: tuple[str, ...]

    kind: ClassVar[str]
    metrics: ClassVar[Mapping[str, Metric]]
    shown: ClassVar[tuple[str, ...]]
    settles: ClassVar[str]
    points: ClassVar[str]
    words: ClassVar[Words]
    gives: ClassVar[str] = "predictions"
    problem: ClassVar[str] = ""
    estimates: ClassVar[bool] = True

    # From labels to targets.

    @abstractmethod
    def encode(self, values: Sequence[Value]) -> np.ndarray:
        """Targets of values, one row an item.

        Raises:
            DataError: for a value that the task does not know, naming it.
        """

    def fitted(self, targets: np.ndarray) -> Task:
        """The task with what it takes from the development targets (a scale); itself by default."""
        return self

    def without(self, values: Sequence[Value], gone: set[str]) -> list[Value]:
        """Values without some names, None for an item that is left without any; as they are by default."""
        return list(values)

    def check(self, targets: np.ndarray, origin: str) -> None:
        """Refuse targets that cannot be learnt: none at all, by default.

        Raises:
            TooFewExamples: too few of them.
        """
        if not len(targets):
            raise TooFewExamples("No item is left", where=origin, expected="items to learn from")

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """What a split keeps even: (n,) whole numbers, or (n, L) truths; of numbers, their tenths by default."""
        order = np.unique(np.asarray(targets, dtype=np.float64), return_inverse=True)[1]
        rank = np.argsort(np.argsort(order, kind="stable"), kind="stable")
        bins = int(np.clip(len(targets) // 20, 2, 10))
        return (rank * bins // max(1, len(targets))).astype(np.int64)

    def members(self, targets: np.ndarray) -> np.ndarray:
        """(n, K) which names each item counts for; all by default."""
        return np.ones((len(targets), len(self.names)), dtype=bool)

    def bare(self, targets: np.ndarray) -> np.ndarray:
        """Targets without what only says where an item belongs: what scores of features read; themselves by default."""
        return targets

    @abstractmethod
    def about(self, targets: np.ndarray) -> str:
        """What the items are, behind their number: ``in 3 classes``."""

    # From features to predictions.

    @property
    def outputs(self) -> int:
        """Width of the head, C."""
        return len(self.names)

    def head(self, width: int, outputs: int) -> nn.Linear:
        """A linear head from features (n, width) to outputs (n, C), small at random with zero bias.

        Small weights start training near what knowing nothing would say, whatever the scale of the features.

        Raises:
            BadOption: no features, or no outputs.
        """
        from torch import nn

        if width < 1 or outputs < 1:
            raise BadOption(f"A head cannot go from {width} features to {outputs} outputs", expected="1 of both")
        layer = nn.Linear(width, outputs)
        nn.init.trunc_normal_(layer.weight, std=_SMALL)
        nn.init.zeros_(layer.bias)
        return layer

    @abstractmethod
    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Mean loss of a batch: of outputs (b, C) against targets, whose weights (C,) are all 1 by default.

        Targets may be mixed: what ``Setting.targets`` holds for two items, or (b, C) shares, in some proportion.
        """

    @abstractmethod
    def predictions(self, outputs: Any, temperature: float = 1.0) -> Floats:
        """What outputs (n, C) say, (n, K): probabilities, or values in the target's own unit."""

    def settled(self, predictions: Floats, targets: Any) -> Floats:
        """Predictions (n, K) once items that are answered together have been; of targets only the places are read.

        As they are by default, for items that are answered by themselves.
        """
        return predictions

    def folded(self, weight: torch.Tensor, bias: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
        """A head (C, d), (C,) whose outputs need no temperature, nor a scale, to mean what they say."""
        return weight / temperature, bias / temperature

    def in_graph(self, outputs: torch.Tensor, temperature: float) -> torch.Tensor:
        """What ``predictions`` computes, (n, C) to (n, K), on tensors: the end of an exported graph.

        Raises:
            ExportError: by default, for a task that does not say it.
        """
        raise ExportError(
            f"A {self.kind} model cannot end in a graph: its task does not say how outputs become predictions there",
            expected="a method in_graph in the task's file",
            next_move="headstart export --to safetensors leaves that step to the reader",
        )

    def temperature(self, outputs: Any, targets: Any) -> float:
        """What outputs are divided by to mean what they say, fitted to items that they were not; 1 by default."""
        return 1.0

    def collapsed(self, outputs: np.ndarray, targets: np.ndarray) -> bool:
        """True if outputs (n, C) are the same for every item though the targets differ."""
        alike = float(np.ptp(np.asarray(outputs, dtype=np.float64), axis=0).max()) < _ALIKE
        return alike and len(np.unique(targets, axis=0)) > 1

    # What can be solved without training.

    def ideal(self, targets: np.ndarray) -> Floats:
        """The outputs (n, C) that a ridge regression should aim at; the targets themselves by default."""
        return np.asarray(targets, dtype=np.float64).reshape(len(targets), -1)

    def solve(
        self, features: np.ndarray, targets: np.ndarray, *, penalty: float | None, weights: Any, seed: int
    ) -> tuple[Linear, float]:
        """The linear head on frozen features (n, d), and its penalty; None chooses it.

        By default a ridge regression of the ideal outputs, its penalty chosen by exact leave-one-out; ``penalty`` is
        1 / lambda, so that, as with scikit-learn's C, less of it is a stronger penalty.
        """
        found = ridge.regress(features, self.ideal(targets), penalty=None if penalty is None else 1 / penalty)
        return found.linear, 1 / found.penalty

    def simple(self, features: np.ndarray, targets: np.ndarray, *, floor: float = FLOOR) -> Linear:
        """The linear function of a baseline's features (n, d), whose outputs ``predictions`` takes as they are."""
        return ridge.regress(features, self.ideal(targets), floor=floor).linear

    def quick(self, features: np.ndarray, targets: np.ndarray) -> Linear:
        """A ridge solution for many small fits: its answers are as good as those of ``simple``, its confidences not."""
        return self.simple(features, targets)

    def constant(self, targets: np.ndarray) -> Floats:
        """The prediction (K,) that knows the training targets and no item."""
        return self.predictions(self.ideal(targets).mean(axis=0, keepdims=True))[0]

    def left_out(self, features: np.ndarray, targets: np.ndarray) -> tuple[float, str]:
        """How badly a closed-form probe predicts items that it was not fitted to, and what that number is called."""
        errors = ridge.regress(features, self.ideal(targets)).errors
        return float(np.sqrt(errors.min())), "leave-one-out error of a ridge probe"

    def each_left_out(self, features: np.ndarray, targets: np.ndarray) -> Floats:
        """(n, K) what a closed-form probe that was fitted to all other items predicts for each item."""
        return self.predictions(ridge.regress(features, self.ideal(targets)).loo)

    def suspects(self, predictions: Any, targets: Any) -> list[dict[str, Any]]:
        """Labels that are probably wrong, by predictions (n, K) from models that had not seen them.

        Returns:
            The most suspicious first: ``row``, what was ``said`` and what is ``likely`` in words, the
            ``said_probability`` and ``likely_probability`` where there are any, and what backs it, ``because``.
        """
        found = suspicion.of_numbers(predictions, targets)
        return [
            {
                "row": int(row),
                "said": text(float(targets[row])),
                "likely": text(float(likely)),
                "said_probability": None,
                "likely_probability": None,
                "because": f"{abs(deviation):.1f} standard deviations from what was predicted",
            }
            for row, likely, deviation in zip(found.rows, found.likely, found.deviations, strict=True)
        ]

    def corrections(self, likely: str) -> tuple[str, ...]:
        """What a doubted label may be changed to, in words; empty where any number will do, as by default."""
        return ()

    def corrected(self, value: Value, said: str, new: str) -> Value:
        """A label with what was ``said`` of it changed to ``new``, both in the words of ``suspects``.

        Raises:
            DataError: ``new`` is nothing that such a label can be.
        """
        found = numerals.read([new])
        if found is None or found[0] is None:
            raise DataError(f"A label cannot be changed to {new!r}", expected="a number")
        return found[0]

    # Scores.

    def metric(self, name: str) -> Metric:
        """A score by its name.

        Raises:
            UnknownName: no such score of this task.
        """
        if name not in self.metrics:
            raise UnknownName(f"{self.kind} metric", name, self.metrics)
        return self.metrics[name]

    def choose_metric(self, targets: np.ndarray) -> str:
        """The score that decides unless the user names one; the first of those shown by default."""
        return self.shown[0]

    def stated(self, metric: str) -> str:
        """The score that the verdict is stated in, where ``metric`` decided; itself by default."""
        return metric

    def weights(self, targets: np.ndarray, metric: str) -> Floats | None:
        """Weights (C,) of the outputs in the loss; None for equal ones."""
        return None

    def level(self, metric: str) -> float:
        """Scores closer than this are level."""
        return 0.001

    def score(self, predictions: Any, targets: Any) -> dict[str, float]:
        """Every score of predictions (n, K), by name."""
        return {name: metric.score(predictions, targets) for name, metric in self.metrics.items()}

    def intervals(self, predictions: Any, targets: Any, *, seed: int) -> dict[str, Interval]:
        """Every score with its 95 % interval."""
        return {
            name: intervals.bootstrap(metric, predictions, targets, seed=seed) for name, metric in self.metrics.items()
        }

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """What an evaluation reports besides the scores, as plain data; nothing by default."""
        return {}

    def sureness(self, predictions: Any) -> Floats | None:
        """(n,) the probability that each answer is right, as predictions (n, K) state it; None if they state none."""
        return None

    def wrong(self, predictions: Any, targets: Any) -> Floats | None:
        """(n,) 1 for an answer that is wrong and 0 for a right one; None where no answer is quite right."""
        return None

    def calibrated(self, predictions: Any, targets: Any) -> Task:
        """The task with what it takes from held-out predictions (n, K); itself by default."""
        return self

    def trust(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """How far stated confidences can be relied on, as plain data.

        Returns:
            ``reliability`` (``measure.reliability``) and ``selective`` (``measure.selective``), and in words what the
            ``confidence`` is and what the ``risk``; or ``missing``, why there is neither, which is the default.
        """
        return {"missing": "An estimated number comes without a confidence, so none can be checked."}

    def confidences(self, predictions: Any, targets: Any) -> tuple[Floats, np.ndarray] | None:
        """Every stated confidence (n, m) and whether it was right (n, m); None, the default, where none is stated."""
        return None

    def direction(self, predictions: Any) -> Floats | None:
        """(n, C) the way in which outputs lead to each answer; None, the default, where more and less count alike."""
        return None

    def meant(self, target: Any) -> str:
        """What a target says, in words."""
        return text(float(target))

    def mistaken(self, predictions: Any, targets: Any) -> Floats:
        """(n,) how far each answer is from the truth, confidence included, and 0 for a right one.

        By default the largest error of a row; a number is never quite right.
        """
        return np.abs(np.asarray(predictions, dtype=np.float64) - self._columns(targets)).max(axis=1)

    def kinds(self, predictions: Any, targets: Any) -> np.ndarray:
        """(n,) what kind of answer each is, a number a kind: by default a tenth of the targets, and too high or low."""
        high = np.asarray(predictions, dtype=np.float64)[:, 0] > self._columns(targets)[:, 0]
        return 2 * self.strata(targets).reshape(len(high), -1)[:, 0] + high

    def _columns(self, targets: Any) -> Floats:
        return np.asarray(targets, dtype=np.float64).reshape(len(targets), -1)

    # What is said.

    @abstractmethod
    def answer(self, row: Floats, top: int = 1) -> dict[str, Any]:
        """What a prediction (K,) says, as plain data; a list under "top" holds the ``top`` best where there are more.

        The first entry is the answer itself.
        """

    def probabilities(self, row: Floats) -> dict[str, float]:
        """The probability of every name, of a prediction (K,) that consists of such; none by default."""
        return {}

    def said(self, row: Floats, top: int = 1) -> str:
        """The same in a line of text."""
        return ", ".join(text(value) for value in self.answer(row).values())

    def together(self, parts: Sequence[str], places: Sequence[tuple[int, int]], rows: Floats) -> dict[str, Any]:
        """What predictions (m, K) of the parts of one item say of it, as plain data, for a task of parts.

        Args:
            parts: the m parts in words.
            places: where each stands in the item.
            rows: the predictions.

        Raises:
            BadOption: by default, for a task whose items have no parts.
        """
        raise BadOption(f"A {self.kind} model says nothing of the parts of an item")

    def certainty(self, rows: Floats) -> float | None:
        """The probability that what ``together`` says of predictions (m, K) is right; None if none is stated.

        By default that of the part that is least sure.
        """
        sure = self.sureness(rows)
        return None if sure is None else float(sure.min())

    def told(self, answer: Mapping[str, Any]) -> str:
        """What ``together`` gave, in a line of text."""
        return ", ".join(f"{name} {text(value)}" for name, value in answer.items())

    def listed(self, answer: Mapping[str, Any]) -> list[list[str]]:
        """What ``together`` gave, as rows of cells, of which ``header`` has the columns."""
        return [[text(value) for value in answer.values()]]

    def header(self, top: int = 1) -> list[str]:
        """Columns of ``cells``."""
        return list(self.answer(np.zeros(len(self.names))))

    def cells(self, row: Floats, top: int = 1) -> list[str]:
        """The same as cells of a table of text."""
        return [text(value) for value in self.answer(row).values()]

    def activation(self, temperature: float) -> str:
        """How outputs become predictions, a sentence for the card."""
        return "Outputs are the predictions in another unit."

    def comparable(self, predictions: Any) -> Floats:
        """Predictions (n, K) on a scale on which 0.001 is little, for golden examples; themselves by default."""
        return np.asarray(predictions, dtype=np.float64)

    # What is kept in a sealed model.

    def record(self) -> dict[str, Any]:
        """What ``restore`` needs besides the names: the other fields, as plain data."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "names"}


def text(value: Any) -> str:
    """An entry of an answer as text: numbers with six digits, lists with bars between."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return "|".join(map(text, value))
    return str(value)
