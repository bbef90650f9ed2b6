"""A wrong value is a ValueError to whoever does not know headstart's own errors."""

from __future__ import annotations

import pytest

from headstart.base.errors import BadOption, BadSource, DataError, HeadstartError, RunError, UnknownName, WeightsError


@pytest.mark.parametrize(
    ("error", "is_value"),
    [
        (BadOption("a", expected="b"), True),
        (UnknownName("metric", "acuracy", ["accuracy"]), True),
        (BadSource("a", where="b"), True),
        (DataError("a"), True),
        (RunError("a"), False),
        (WeightsError("a"), False),
    ],
)
def test_only_wrong_values_are_value_errors(error: HeadstartError, is_value: bool) -> None:
    assert isinstance(error, ValueError) is is_value
    assert isinstance(error, HeadstartError)
    assert error.as_dict()["what"] == error.what
    assert str(error).startswith(error.what)


def test_the_names_to_choose_from_are_listed_while_they_are_few():
    names = [f"metric{number}" for number in range(16)]
    assert UnknownName("metric", "zzz", names).expected == "one of " + ", ".join(names)
    assert UnknownName("backbone", "zzz", map(str, range(1941))).expected == "one of 1,941 known names"
