"""Sizes as people write them, read and written."""

import pytest

from headstart.base import sizes
from headstart.base.errors import BadOption


@pytest.mark.parametrize(
    ("given", "expected"),
    [("20MB", 20e6), ("1.5 GB", 1.5e9), ("500kB", 5e5), ("7b", 7), ("12", 12), (3_000_000, 3e6), ("2tb", 2e12)],
)
def test_a_number_and_a_unit(given, expected):
    assert sizes.number(given) == pytest.approx(expected)


@pytest.mark.parametrize("given", ["", "MB", "-1MB", "0", "inf", "nan", "20 MiBs", "twenty"])
def test_anything_else_is_refused_by_name(given):
    with pytest.raises(BadOption, match="Max size cannot be"):
        sizes.number(given, "max_size")


@pytest.mark.parametrize(("size", "said"), [(31, "31 B"), (1234, "1.2 kB"), (2.84e6, "2.8 MB"), (1.5e9, "1.5 GB")])
def test_said_in_a_few_letters(size, said):
    assert sizes.text(size) == said
