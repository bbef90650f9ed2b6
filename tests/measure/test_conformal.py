"""Intervals around estimated numbers: their coverage, by the definition and by trial."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.measure import conformal


def test_by_hand() -> None:
    """Of 19 residuals, the 18th smallest: ceil(20 * 0.9)."""
    errors = np.arange(1.0, 20.0)
    assert conformal.margin(errors, np.zeros(19)) == 18.0
    assert conformal.margin(-errors[:, None], np.zeros(19)) == 18.0
    assert (
        conformal.margin(np.arange(9.0), np.zeros(9)) == 8.0 and conformal.margin(np.arange(8.0), np.zeros(8)) is None
    )


@pytest.mark.parametrize("m", [9, 30, 200])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_fresh_truths_lie_inside_as_often_as_promised(m: int, coverage: float) -> None:
    rng, shares = np.random.default_rng(m), []
    for _ in range(1500):
        half = conformal.margin(rng.standard_t(3, m), np.zeros(m), coverage=coverage)
        assert half is not None
        shares.append(conformal.covered(rng.standard_t(3, 50), np.zeros(50), half)["value"])
    assert coverage - 0.01 <= np.mean(shares) <= coverage + 1 / (m + 1) + 0.01


def test_scale_and_shift() -> None:
    rng = np.random.default_rng(0)
    said, truth = rng.normal(size=(2, 40))
    half = conformal.margin(said, truth)
    assert half is not None
    assert conformal.margin(7 * said + 3, 7 * truth + 3) == pytest.approx(7 * half)
    assert conformal.covered(said, truth, half)["value"] >= 0.9


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError):
        conformal.margin([1.0, 2.0], [1.0])
    with pytest.raises(DataError):
        conformal.margin(np.ones(20), np.ones(20), coverage=1.0)
