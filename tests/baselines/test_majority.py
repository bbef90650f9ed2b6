"""The class shares, smoothed."""

from __future__ import annotations

import pytest

from headstart.base.errors import DataError
from headstart.baselines import majority
from tests.baselines.pictures import kinds


def test_shares() -> None:
    found = majority.fit(["a", "b", "c", "d"], [0, 0, 0, 1], kinds(2), 0).predict(["anything", "else"])
    assert found.tolist() == [[3.5 / 5, 1.5 / 5]] * 2


def test_targets_must_be_as_many_as_items() -> None:
    with pytest.raises(DataError, match="Targets"):
        majority.fit(["a"], [0, 1], kinds(2), 0)
