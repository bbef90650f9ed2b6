"""A rotation keeps distances and is orthonormal in every shape."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.measure.rotation import rotate

SHAPES = [(30, 5), (5, 30), (12, 12), (2, 3), (5000, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_distances_are_kept(shape: tuple[int, int], kind: type) -> None:
    x = (np.random.default_rng(0).normal(size=shape) + 4).astype(kind)
    found = rotate(x)
    tight = 1e-10 if kind is np.float64 else 2e-4
    k = found.axes.shape[1]
    assert k <= min(shape[0] - 1, shape[1])
    assert found.axes.T @ found.axes == pytest.approx(np.eye(k), abs=tight)
    assert found.coordinates @ found.axes.T + found.mean == pytest.approx(x, abs=tight * 10)
    assert (found.coordinates**2).sum(axis=0) == pytest.approx(found.spectrum, rel=1e-3)
    assert (np.diff(found.spectrum) <= 0).all()


def test_the_spectrum_is_that_of_a_singular_value_decomposition() -> None:
    x = np.random.default_rng(1).normal(size=(9, 20))
    known = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)[:8] ** 2
    assert rotate(x).spectrum == pytest.approx(known)


def test_weights_are_copies_of_items() -> None:
    x = np.random.default_rng(1).normal(size=(9, 4))
    weights = np.array([1, 2, 0, 1, 3, 1, 1, 2, 1])
    found, copied = rotate(x, weights), rotate(np.repeat(x, weights, axis=0))
    assert found.mean == pytest.approx(copied.mean)
    assert found.spectrum == pytest.approx(copied.spectrum)


def test_repeated_features_add_no_axis() -> None:
    x = np.random.default_rng(1).normal(size=(40, 3))
    assert rotate(np.hstack([x, x])).axes.shape == (6, 3)
    assert rotate(np.hstack([x[:5]] * 9)).axes.shape == (27, 3)


def test_features_that_do_not_vary_have_no_axes() -> None:
    found = rotate(np.full((4, 3), 2.0))
    assert found.axes.shape == (3, 0)
    assert found.typical == 1


def test_one_item_is_too_few() -> None:
    with pytest.raises(DataError, match="too few"):
        rotate(np.ones((1, 3)))
