"""Regression: a number for each item.

The network predicts the number standardised, by the mean and the standard deviation of the development targets, and the
loss is the squared error there; what is said and scored is in the target's own unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base.errors import DataError, ModelFolderError, TooFewExamples
from headstart.measure import arrays, conformal, deviations
from headstart.measure.arrays import Floats
from headstart.tasks import numerals
from headstart.tasks.task import Task, Value, Words, text

if TYPE_CHECKING:
    import torch

LEAST = 10
"""Items below which a regression cannot be split and judged."""
_FEW = 20
"""Different whole numbers up to which they are taken as names of classes."""
_NEARLY_ALL = 0.9


METRICS = deviations.METRICS
"""Every score by its name."""


@dataclass(frozen=True)
class Regression(Task):
    """A number; targets are numbers (n,), predictions numbers (n, 1) in the same unit.

    Attributes:
        mean, scale: of the development targets, in their unit.
        margin: half the width of the interval around an estimate; None where too few items were held out.
        coverage: share of the truths that lie within it.
    """

    mean: float = 0.0
    scale: float = 1.0
    margin: float | None = None
    coverage: float = conformal.COVERAGE

    kind = "regression"
    metrics = METRICS
    shown = ("rmse", "r2", "mae", "spearman")
    settles = "rmse"
    points = "r2"
    gives = "values"
    problem = "regression"
    words = Words(
        purpose="Estimates a number, {names}, from a {item}.",
        limit="It always answers with a number, also for a {item} of something else, and knows no range beyond "
        "that of its training items.",
        collapsed="collapsed to one value",
    )

    def encode(self, values: Sequence[Value]) -> np.ndarray:
        """The numbers (n,) float64."""
        return np.array(values, dtype=np.float64)

    def fitted(self, targets: np.ndarray) -> Regression:
        """With mean and standard deviation of the development targets."""
        spread = float(np.std(targets))
        return replace(self, mean=float(np.mean(targets)), scale=spread if spread > 0 else 1.0)

    def check(self, targets: np.ndarray, origin: str) -> None:
        """Refuse numbers that cannot be learnt.

        Raises:
            TooFewExamples: fewer than ten items, or one value only.
        """
        if len(targets) < LEAST:
            raise TooFewExamples(
                f"{len(targets)} items are too few for a regression", where=origin, expected=f"at least {LEAST}"
            )
        if np.ptp(targets) == 0:
            raise TooFewExamples(
                f"All items have the value {targets[0]:g}",
                where=origin,
                expected="numbers that differ",
                next_move="name the right column with --label",
            )

    def about(self, targets: np.ndarray) -> str:
        """Range, mean and standard deviation."""
        low, high = np.min(targets), np.max(targets)
        return f"with {self.names[0]} from {low:.4g} to {high:.4g} ({np.mean(targets):.4g} ± {np.std(targets):.3g})"

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Mean squared error of a batch, in units of the targets' variance.

        Args:
            outputs: (b, 1) standardised numbers.
            targets: (b,) or (b, 1) numbers in the target's own unit.
            weights: (1,); 1 by default.
        """
        wanted = ((targets.double() - self.mean) / self.scale).to(outputs.dtype).view_as(outputs)
        each = (outputs - wanted).square()
        return (each if weights is None else each * weights).mean()

    def predictions(self, outputs: Any, temperature: float = 1.0) -> Floats:
        """Numbers in the target's own unit."""
        return np.asarray(outputs, dtype=np.float64) * self.scale + self.mean

    def folded(self, weight: torch.Tensor, bias: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
        """A head whose outputs are in the target's own unit."""
        return weight * self.scale, bias * self.scale + self.mean

    def in_graph(self, outputs: torch.Tensor, temperature: float) -> torch.Tensor:
        """Numbers in the target's own unit, in double precision: that of a year or a price needs it."""
        return outputs.double() * self.scale + self.mean

    def ideal(self, targets: np.ndarray) -> Floats:
        """The standardised targets."""
        return (arrays.numbers(targets)[:, None] - self.mean) / self.scale

    def level(self, metric: str) -> float:
        """A thousandth of the targets' standard deviation, for what is in their unit."""
        return 0.001 * (self.scale if metric in ("rmse", "mae") else 1.0)

    def calibrated(self, predictions: Any, targets: Any) -> Regression:
        """With the interval that holds nine of ten held-out truths (split conformal prediction)."""
        return replace(self, margin=conformal.margin(predictions, targets, coverage=self.coverage))

    def details(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """How many of the truths lie in their interval."""
        if self.margin is None:
            return {}
        share = conformal.covered(predictions, targets, self.margin)
        return {"interval": {"coverage": self.coverage, "margin": self.margin, "covered": share}}

    def trust(self, predictions: Any, targets: Any) -> dict[str, Any]:
        """No confidence, but an interval around the number where enough items were held out."""
        if self.margin is None:
            return {
                "missing": "An estimated number comes without a confidence, and too few items were held out for an "
                "interval around it."
            }
        share = conformal.covered(predictions, targets, self.margin)
        return {
            "missing": f"An estimated number comes without a confidence, but with an interval that should hold "
            f"{100 * self.coverage:.0f} % of the true numbers: plus and minus {self.margin:.4g}, drawn on items that "
            f"were held out. Of these {len(targets):,} it held {100 * share['value']:.1f} % "
            f"(95 % interval {100 * share['low']:.1f} to {100 * share['high']:.1f})."
        }

    def answer(self, row: Floats, top: int = 1) -> dict[str, Any]:
        """The value, and the interval that should hold the true one."""
        found = {"value": float(f"{row[0]:.6g}")}
        if self.margin is not None:
            found |= {"low": float(f"{row[0] - self.margin:.6g}"), "high": float(f"{row[0] + self.margin:.6g}")}
        return found

    def said(self, row: Floats, top: int = 1) -> str:
        """``3.2 (2.9 to 3.5)``."""
        found = {name: text(value) for name, value in self.answer(row).items()}
        return found["value"] + (f" ({found['low']} to {found['high']})" if "low" in found else "")

    def activation(self, temperature: float) -> str:
        """The scale."""
        values = f"Values: {self.mean:.6g} plus {self.scale:.6g} times the output"
        if self.margin is None:
            return values
        return f"{values}; {100 * self.coverage:.0f} % of true ones should lie within {self.margin:.6g} of them"

    def comparable(self, predictions: Any) -> Floats:
        """Standardised."""
        return (np.asarray(predictions, dtype=np.float64) - self.mean) / self.scale


def recognise(labels: Sequence[Any]) -> str:
    """Numbers with decimals, or whole ones most of which are different."""
    values = numerals.read(labels)
    if values is None:
        # A stray word among measurements must not turn every number into a class: parse names the word instead.
        share = sum(map(_is_decimal, labels)) / len(labels) if len(labels) else 0.0
        return "nearly all labels are numbers with decimals" if share >= _NEARLY_ALL else ""
    present = [value for value in values if value is not None]
    if not present:
        return ""
    if any(value != math.floor(value) for value in present):
        return "the labels are numbers with decimals"
    distinct = len(set(present))
    return "the labels are numbers, most of them different" if distinct > max(_FEW, len(present) / 3) else ""


def _is_decimal(label: Any) -> bool:
    value = (numerals.read([label]) or [None])[0]
    return value is not None and value != math.floor(value)


def parse(labels: Sequence[Any]) -> list[Value]:
    """Each label as a number, None where it is missing; decimal commas are understood.

    Raises:
        DataError: naming the first label that is no finite number.
    """
    values = numerals.read(labels)
    if values is None:
        position = next((i for i, label in enumerate(labels) if numerals.read([label]) is None), None)
        raise DataError(
            "Labels mix decimal points and decimal commas"
            if position is None
            else f"A label is no number: {str(labels[position])[:80]!r}",
            where="" if position is None else f"item {position + 1}",
            expected="a finite number, such as 3.5",
            next_move="leave the cell empty where the number is not known, or use --task classification",
        )
    return list(values)


def learn(values: Sequence[Value], *, name: str = "") -> Regression:
    """A number called ``name``; its scale comes with ``fitted``."""
    return Regression((name or "value",))


def restore(names: tuple[str, ...], record: Mapping[str, Any]) -> Regression:
    """Inverse of ``record``.

    Raises:
        ModelFolderError: mean or scale are missing or no such numbers.
    """
    mean, scale = record.get("mean"), record.get("scale")
    # Models that were sealed before there were intervals have neither of these.
    margin, coverage = record.get("margin"), record.get("coverage", conformal.COVERAGE)
    if not isinstance(mean, float) or not isinstance(scale, float) or not scale > 0:
        raise ModelFolderError("The task's record does not fit a regression", expected="mean, and a scale above 0")
    if not (margin is None or (isinstance(margin, float) and margin >= 0)) or not _is_share(coverage):
        raise ModelFolderError("The task's record has no usable interval", expected="a margin, and a coverage below 1")
    return Regression(names, mean, scale, margin, coverage)


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and 0 < value < 1
