"""A saved state is checked before it is believed."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import ModelFolderError
from headstart.baselines import predictor


def test_a_fitting_array_is_returned() -> None:
    value = np.ones((2, 3))
    assert predictor.array({"a": value}, "a", (None, 3), np.float64) is value


@pytest.mark.parametrize(
    "value", [np.ones(3), np.ones((2, 4)), np.ones((2, 3), dtype=np.float32), np.full((2, 3), np.inf)]
)
def test_any_other_array_is_refused(value: np.ndarray) -> None:
    with pytest.raises(ModelFolderError, match="array a"):
        predictor.array({"a": value}, "a", (None, 3), np.float64)


@pytest.mark.parametrize("value", [None, True, "3", 2.5, 0, 11])
def test_a_whole_number_is_whole_and_in_bounds(value: object) -> None:
    assert predictor.number({"n": 10}, "n", 1, 10) == 10
    with pytest.raises(ModelFolderError, match="n cannot be"):
        predictor.number({"n": value}, "n", 1, 10)
