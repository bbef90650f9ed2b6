"""Probe strength and where it peaks."""

from __future__ import annotations

import pytest

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import strength


def test_chance_is_nothing_and_perfection_one() -> None:
    found = strength.strength(Interval(0.55, 0.1, 1.0), 0.1)
    assert (found.value, found.low, found.high) == (pytest.approx(0.5), 0, 1)
    assert strength.strength(Interval(0.05, 0.0, 0.1), 0.1).value < 0


def test_the_number_of_classes_does_not_matter() -> None:
    two, ten = (strength.strength(Interval(*[1 / c + 0.4 * (1 - 1 / c)] * 3), 1 / c).value for c in (2, 10))
    assert two == pytest.approx(ten) == pytest.approx(0.4)


def test_without_room_there_is_no_strength() -> None:
    with pytest.raises(DataError, match="Chance scores 1"):
        strength.strength(Interval(1, 1, 1), 1.0)


def test_the_peak_is_the_deepest_of_equal_stages() -> None:
    assert strength.peak([0.1, 0.8, 0.795, 0.2]) == 1
    assert strength.peak([0.1, 0.8, 0.795, 0.2], within=0.01) == 2
    with pytest.raises(DataError, match="no stage"):
        strength.peak([])
