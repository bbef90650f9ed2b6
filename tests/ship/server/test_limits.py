"""Bounds that let nothing in, or contradict each other, are refused."""

from __future__ import annotations

from typing import Any

import pytest

from headstart.base.errors import BadOption
from headstart.ship.server.limits import Limits


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch": 0}, "batch"),
        ({"items": -1}, "items"),
        ({"wait": -0.1}, "wait"),
        ({"wait": 2.0}, "wait"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"queue": 10, "items": 11}, "never fit"),
        ({"body": 600_000_000}, "never fit"),
    ],
)
def test_impossible_bounds_are_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption, match=said):
        Limits(**given)
