"""Answering only where one is sure: the risk that is left at every coverage.

Risk-coverage curves and their area: Geifman and El-Yaniv 2017, Selective Classification for Deep Neural Networks
(https://arxiv.org/abs/1705.08500); the area in excess of a perfect order: Geifman, Uziel and El-Yaniv 2019,
Bias-Reduced Uncertainty Estimation (https://arxiv.org/abs/1805.08206).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base.errors import DataError
from headstart.measure import arrays
from headstart.measure.arrays import Floats

_POINTS = 200
"""Points of a curve that is told as plain data."""


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The risk of answering the surest items only.

    Attributes:
        coverage: (n,) share of the items that is answered: 1/n, 2/n, ..., 1.
        risk: (n,) mean loss of the answers; where several are equally sure, its expectation over their order.
        ideal: (n,) the same if the surest were those of the lowest loss.
    """

    coverage: Floats
    risk: Floats
    ideal: Floats

    @property
    def area(self) -> float:
        """AURC: the mean risk over all coverages; the overall risk, where confidence says nothing of it."""
        return float(self.risk.mean())

    @property
    def excess(self) -> float:
        """E-AURC: how much of the area a perfect order of the same answers would save."""
        return float(self.risk.mean() - self.ideal.mean())

    def at(self, coverage: float) -> float:
        """The risk when at least this share of the items is answered.

        Raises:
            DataError: for a share outside (0, 1].
        """
        if not 0 < coverage <= 1:
            raise DataError(f"A coverage cannot be {coverage}", expected="above 0, at most 1")
        # Shares such as 0.3 have no exact float, and must not ask for one more item than they say.
        return float(self.risk[int(np.ceil(coverage * len(self.risk) - 1e-9)) - 1])

    def within(self, risk: float) -> float:
        """The largest coverage whose risk is at most this; 0 if none is."""
        able = np.flatnonzero(self.risk <= risk)
        return float(self.coverage[able[-1]]) if len(able) else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: at most 200 points of the curve, its ends among them."""
        n = len(self.risk)
        points = np.unique(np.linspace(0, n - 1, min(n, _POINTS)).round().astype(int))
        columns = {"coverage": self.coverage, "risk": self.risk, "ideal": self.ideal}
        return {
            **{name: [float(value) for value in column[points]] for name, column in columns.items()},
            "area": self.area,
            "excess": self.excess,
        }


def risk_coverage(confidence: Any, loss: Any) -> RiskCoverage:
    """The risk-coverage curve of confidences (n,), of which only the order counts, and losses (n,).

    Raises:
        DataError: none, of different lengths, or not finite.
    """
    sure, each = arrays.numbers(confidence), arrays.numbers(np.asarray(loss, dtype=np.float64))
    if sure.shape != each.shape:
        raise DataError("Confidences and losses differ in number", where=f"{len(sure)} and {len(each)}")
    # Each of several equally sure answers stands for their mean: their order is nobody's choice.
    _, group, size = np.unique(-sure, return_inverse=True, return_counts=True)
    mean = np.bincount(group, weights=each) / size
    answered = np.arange(1, len(sure) + 1)
    risk = np.cumsum(np.repeat(mean, size)) / answered
    return RiskCoverage(answered / len(sure), risk, np.cumsum(np.sort(each)) / answered)
