"""Maps of features: neighbours stay neighbours, the same every time, and two maps lie the same way round."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from headstart.base.errors import DataError
from headstart.measure import projection


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


@pytest.fixture(scope="module")
def mapped(digits):
    return projection.project(digits[0])


def test_digits_keep_their_neighbours(digits, mapped):
    X, y = digits
    assert mapped.shape == (300, 2)
    assert trustworthiness(X, mapped, n_neighbors=10) > 0.95
    assert KNeighborsClassifier(5).fit(mapped[::2], y[::2]).score(mapped[1::2], y[1::2]) > 0.85


def test_the_map_is_centred_and_of_size_one(mapped):
    np.testing.assert_allclose(mapped.mean(axis=0), 0, atol=1e-12)
    assert np.sqrt((mapped**2).sum(axis=1).mean()) == pytest.approx(1)


@pytest.mark.slow
def test_another_process_with_other_threads_makes_the_same_map(mapped):
    code = (
        "import numpy as np, sys; from sklearn.datasets import load_digits; from headstart.measure import projection;"
        "sys.stdout.buffer.write(projection.project(load_digits().data[:300]).tobytes())"
    )
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env)
    assert np.array_equal(np.frombuffer(done.stdout).reshape(-1, 2), mapped)


def test_a_second_map_begins_where_the_first_ended(digits, mapped):
    """Features that changed a little: points stay, where a map of its own lies elsewhere."""
    moved = digits[0] + np.random.default_rng(0).normal(0, 1.0, digits[0].shape)
    second = projection.aligned(projection.project(moved, start=mapped), mapped)
    assert np.median(np.linalg.norm(second - mapped, axis=1)) < 0.3


def test_few_items_are_shown_by_their_principal_components():
    X = np.random.default_rng(0).normal(size=(8, 5))
    found = projection.project(X)
    centred = X - X.mean(axis=0)
    main = centred @ np.linalg.svd(centred)[2][:2].T
    main /= np.sqrt((main**2).sum(axis=1).mean())
    np.testing.assert_allclose(np.abs(found), np.abs(main))
    assert "principal" in projection.method(8) and projection.method(500) == "t-SNE"


@given(seed=st.integers(0, 100))
def test_aligning_undoes_any_turn_and_mirror(seed):
    draw = np.random.default_rng(seed)
    points, angle = draw.normal(size=(20, 2)), draw.uniform(0, 7)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * draw.choice([-1, 1], (1, 2))
    np.testing.assert_allclose(projection.aligned(points @ turn, points), points, atol=1e-9)
    other = draw.normal(size=(20, 2))
    np.testing.assert_allclose(projection.aligned(points, other), points @ orthogonal_procrustes(points, other)[0])


@settings(max_examples=10)
@given(n=st.integers(1, 30), d=st.integers(1, 4), seed=st.integers(0, 100))
def test_any_number_of_items_and_features_has_a_map(n, d, seed):
    found = projection.project(np.random.default_rng(seed).integers(0, 2, (n, d)))
    assert found.shape == (n, 2) and np.isfinite(found).all()


def test_items_that_are_all_alike_lie_on_one_point():
    assert not projection.project(np.ones((40, 3))).any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError):
        projection.project([[np.nan, 1.0]])
    with pytest.raises(DataError, match="other map"):
        projection.project(np.random.default_rng(0).normal(size=(20, 2)), start=np.zeros((3, 2)))
