"""Durations as people write them: each unit, plain numbers, and what is none."""

from __future__ import annotations

import pytest

from headstart.base.durations import seconds
from headstart.base.errors import BadOption


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("5ms", 0.005), ("90s", 90.0), ("10m", 600.0), ("1.5h", 5400.0), (" 2M ", 120.0), ("7", 7.0), (0.25, 0.25)],
)
def test_a_duration_is_read_in_its_unit(given: str | float, wanted: float) -> None:
    assert seconds(given) == pytest.approx(wanted)


@pytest.mark.parametrize("given", ["", "s", "soon", "-1s", "0", "nan", "inf", "1d", 0, -3.0])
def test_what_is_no_duration_is_said(given: str | float) -> None:
    with pytest.raises(BadOption, match="Max wait cannot be") as caught:
        seconds(given, "max_wait")
    assert "90s" in str(caught.value.expected)
