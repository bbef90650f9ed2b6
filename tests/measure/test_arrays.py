"""A wrong array is named where it enters."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.measure import arrays


def test_labels_become_whole_numbers() -> None:
    found = arrays.labels(np.array([0.0, 2.0]), classes=3)
    assert found.dtype == np.int64
    assert found.tolist() == [0, 2]


@pytest.mark.parametrize("y", [[0, 3], [-1, 0], [0.5, 1], [[0], [1]], [np.nan, 1]])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_class_index_is_refused(y: object) -> None:
    with pytest.raises(DataError, match="Targets"):
        arrays.labels(y, classes=3)


def test_the_row_that_is_not_finite_is_named() -> None:
    x = np.ones((3, 2))
    x[1, 1] = np.inf
    with pytest.raises(DataError, match="row 1"):
        arrays.matrix(x)


@pytest.mark.parametrize("x", [np.ones(3), np.ones((0, 3)), np.ones((3, 0))])
def test_what_is_no_matrix_is_refused(x: np.ndarray) -> None:
    with pytest.raises(DataError, match="no matrix"):
        arrays.matrix(x)


def test_targets_must_be_as_many_as_probabilities() -> None:
    with pytest.raises(DataError, match=r"\(2,\)"):
        arrays.predictions(np.full((2, 2), 0.5), [0, 1, 0])


@pytest.mark.parametrize("weights", [[1, 1], [1, -1, 1], [0, 0, 0], [1, np.nan, 1]])
def test_weights_that_cannot_weigh_are_refused(weights: object) -> None:
    with pytest.raises(DataError, match="Weights"):
        arrays.item_weights(weights, 3)


def test_no_weights_are_equal_weights() -> None:
    assert arrays.item_weights(None, 3).tolist() == [1, 1, 1]
