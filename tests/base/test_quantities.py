"""Durations and sizes as people write them: each unit, plain numbers, and what is none."""

from __future__ import annotations

import pytest

from headstart.base.errors import BadOption
from headstart.base.quantities import seconds, size, written


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


@pytest.mark.parametrize(
    ("given", "expected"),
    [("20MB", 20e6), ("1.5 GB", 1.5e9), ("500kB", 5e5), ("7b", 7), ("12", 12), (3_000_000, 3e6), ("2tb", 2e12)],
)
def test_a_size_is_a_number_and_a_unit(given: str | float, expected: float) -> None:
    assert size(given) == pytest.approx(expected)


@pytest.mark.parametrize("given", ["", "MB", "-1MB", "0", "inf", "nan", "20 MiBs", "twenty"])
def test_any_other_size_is_refused_by_name(given: str) -> None:
    with pytest.raises(BadOption, match="Max size cannot be"):
        size(given, "max_size")


@pytest.mark.parametrize(("number", "said"), [(31, "31 B"), (1234, "1.2 kB"), (2.84e6, "2.8 MB"), (1.5e9, "1.5 GB")])
def test_said_in_a_few_letters(number: float, said: str) -> None:
    assert written(number) == said
