"""Label-free health of features, against closed forms and the numbers at both ends."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.measure import collapse


@pytest.mark.parametrize("used", [1, 2, 5])
def test_effective_rank_counts_equally_used_dimensions(used: int) -> None:
    features = np.zeros((2 * used, 8))
    for axis in range(used):
        features[2 * axis, axis], features[2 * axis + 1, axis] = 1, -1
    assert collapse.effective_rank(features) == pytest.approx(used)


def test_effective_rank_is_the_exponential_of_the_entropy_of_the_singular_values() -> None:
    features = np.random.default_rng(0).normal(size=(50, 6)) @ np.diag([5, 3, 1, 1, 0.1, 0.01])
    centred = features - features.mean(0)
    values = np.sqrt(np.linalg.eigvalsh(centred.T @ centred))
    share = values / values.sum()
    assert collapse.effective_rank(features) == pytest.approx(np.exp(-(share * np.log(share)).sum()))
    assert collapse.effective_rank(3 * features + 100) == pytest.approx(collapse.effective_rank(features))


def test_everything_in_one_point_has_no_rank_no_spread_and_recognises_nothing() -> None:
    same = np.ones((10, 4))
    assert collapse.effective_rank(same) == 0
    assert collapse.spread(same) == 0
    assert collapse.recognition(same, same) == pytest.approx(0.1)


def test_spread_is_one_on_the_whole_sphere() -> None:
    assert collapse.spread(np.random.default_rng(0).normal(size=(4000, 32))) == pytest.approx(1, abs=0.01)


def test_recognition_counts_the_views_that_find_each_other() -> None:
    views = np.eye(4)
    assert collapse.recognition(views, 7 * views) == 1
    assert collapse.recognition(views, views[[0, 1, 3, 2]]) == 0.5


@pytest.mark.parametrize("wrong", [np.ones((1, 3)), np.ones(3), np.array([[1.0, np.nan], [0.0, 1.0]])])
def test_what_is_no_matrix_is_refused(wrong: np.ndarray) -> None:
    for number in (collapse.effective_rank, collapse.spread):
        with pytest.raises(DataError, match="finite matrix"):
            number(wrong)
    with pytest.raises(DataError, match="fit each other"):
        collapse.recognition(np.ones((3, 2)), np.ones((4, 2)))
