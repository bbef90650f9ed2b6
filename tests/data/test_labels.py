from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from headstart.base.errors import DataError
from headstart.data.labels import alike, is_missing, names


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 9], ["0", "1", "9"]),
        ([1.0, 2.0, float("nan")], ["1", "2", None]),
        ([0.5, 1.0], ["0.5", "1.0"]),
        (["1.0", "2.0", "10"], ["1", "2", "10"]),
        (["1.0", "1.5"], ["1.0", "1.5"]),
        (["01", "02"], ["01", "02"]),
        ([np.int64(3), np.float32(4.0), np.str_("x")], ["3", "4.0", "x"]),
        ([np.array(2), torch.tensor(3)], ["2", "3"]),
        ([True, False, np.bool_(True)], ["True", "False", "True"]),
        ([None, np.nan, pd.NA, pd.NaT, "", "  "], [None] * 6),
        ([" cat", "cat "], ["cat", "cat"]),
        (["nan", "None", "NA"], ["nan", "None", "NA"]),
        ([b"cat"], ["cat"]),
        (["cafe\u0301"], ["café"]),
        (["a\nb", "\x1b[1m"], ["a\\nb", "\\x1b[1m"]),
        ([], []),
    ],
)
def test_class_names(labels: list[Any], expected: list[str | None]) -> None:
    assert names(labels) == expected


@pytest.mark.parametrize("label", [[0, 1], (1,), {"a": 1}, np.array([0, 1]), torch.tensor([0, 1])])
def test_a_container_is_no_label(label: Any) -> None:
    with pytest.raises(DataError, match=r"A label is a .*\n.*one class per item(.|\n)*argmax"):
        names(["cat", label])


def test_missing() -> None:
    assert all(is_missing(value) for value in (None, float("nan"), np.float64("nan"), pd.NA, pd.NaT))
    assert not any(is_missing(value) for value in (0, "", "nan", False, 1.5))


def test_names_that_differ_in_spelling_only_are_found() -> None:
    assert alike(["Cat", "cat", "dog", "red fox", "red_fox", "1", "2"]) == ["Cat / cat", "red fox / red_fox"]
    assert alike(["c", "c++", "a1", "a2"]) == []
