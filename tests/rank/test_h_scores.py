"""The two H-scores against their definitions, and where only one of them can be trusted."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.cross_decomposition import CCA

from headstart.rank import h_score, shrinkage_h


def data(n, d, classes, signal, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.permutation(np.arange(n) % classes)
    scales = np.linspace(0.5, 3, d)
    return (draw.normal(size=(n, d)) + signal * draw.normal(size=(classes, d))[y]) * scales, y


def between(x, y):
    means = np.stack([x[y == c].mean(axis=0) for c in range(y.max() + 1)])[y]
    return np.cov(means, rowvar=False, bias=True)


def test_the_definition():
    x, y = data(300, 12, 5, 0.5)
    slow = np.trace(np.linalg.inv(np.cov(x, rowvar=False, bias=True)) @ between(x, y))
    assert h_score.score(x, y) == pytest.approx(slow, abs=1e-9)


def test_it_is_the_sum_of_squared_canonical_correlations():
    x, y = data(300, 6, 3, 0.5)
    a, b = CCA(n_components=2, max_iter=10_000, tol=1e-12).fit_transform(x, np.eye(3)[y][:, :2])
    squared = sum(np.corrcoef(a[:, i], b[:, i])[0, 1] ** 2 for i in range(2))
    assert h_score.score(x, y) == pytest.approx(squared, abs=1e-6)


def test_any_invertible_map_is_nothing_to_the_plain_one():
    x, y = data(300, 12, 5, 0.5)
    mixed = x @ np.random.default_rng(2).normal(size=(12, 12))
    assert h_score.score(mixed, y) == pytest.approx(h_score.score(x, y), abs=1e-8)


@pytest.mark.parametrize(("n", "d"), [(300, 12), (40, 90)])
def test_the_shrunk_definition(n, d):
    x, y = data(n, d, 5, 0.5)
    fitted = LedoitWolf().fit(x)
    slow = (1 - fitted.shrinkage_) * np.trace(np.linalg.inv(fitted.covariance_) @ between(x, y))
    assert shrinkage_h.score(x, y) == pytest.approx(slow, rel=1e-9)


def test_only_the_shrunk_one_sees_noise_for_what_it_is():
    x, y = np.random.default_rng(0).normal(size=(120, 300)), np.arange(120) % 10
    assert h_score.score(x, y) == pytest.approx(9)
    assert shrinkage_h.score(x, y) < 0.5
