"""What chance explains: of calibration errors and of differences between scores on other items."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import chance, intervals, scores


def test_the_error_is_the_calibration_error() -> None:
    draw = np.random.default_rng(0)
    given = draw.dirichlet(np.ones(5), 300)
    truth = draw.integers(0, 5, 300)
    found = chance.calibration(given.max(axis=1)[:, None], (given.argmax(axis=1) == truth)[:, None])
    assert found.error == pytest.approx(scores.score("calibration_error", given, truth))
    assert found.confidence == pytest.approx(given.max(axis=1).mean())
    assert found.share == pytest.approx(scores.score("accuracy", given, truth))


def test_chance_of_one_bin_is_that_of_a_proportion() -> None:
    """All confidences 0.7: the error is |share - 0.7|, of which the normal distribution knows the quantile."""
    found = chance.calibration(np.full((4000, 1), 0.7), np.ones((4000, 1)))
    assert found.error == pytest.approx(0.3)
    assert found.chance == pytest.approx(2.24 * np.sqrt(0.21 / 4000), rel=0.08), (
        "2.5 % lie beyond 2.24 sigma, both sides"
    )


@pytest.mark.parametrize("together", [1, 6])
def test_true_confidences_exceed_chance_as_seldom_as_said(together: int) -> None:
    """Answers about one item that are right together count as one item, and not as six."""
    hits = 0
    for number in range(300):
        draw = np.random.default_rng(number)
        given = draw.beta(2, 1, (80, 1)).repeat(together, axis=1)
        found = chance.calibration(given, draw.random((80, 1)) < given, draws=300)
        hits += found.error > found.chance
    assert hits / 300 <= 0.06


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="do not fit"):
        chance.calibration(np.full((3, 1), 0.5), np.ones((4, 1)))
    with pytest.raises(DataError, match="do not fit"):
        chance.calibration(np.full((3, 1), 1.5), np.ones((3, 1)))


def test_a_difference_of_proportions_is_newcombes() -> None:
    """Newcombe 1998, table II, method 10, cases a and b."""
    for (a, m), (b, n), limits in (((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090))):
        found = chance.difference(intervals.wilson(a, m), intervals.wilson(b, n))
        assert found.value == pytest.approx(a / m - b / n)
        assert (found.low, found.high) == pytest.approx(limits, abs=5e-5)


def test_a_difference_turns_round_with_its_sides() -> None:
    a, b = Interval(0.8, 0.7, 0.85), Interval(0.6, 0.5, 0.75)
    there, back = chance.difference(a, b), chance.difference(b, a)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
