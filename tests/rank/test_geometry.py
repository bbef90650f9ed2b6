"""Scores of distances and overlaps against slow versions and closed forms."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from headstart.rank import gbc, knn, linear_probe, loo_ridge, parc, sfda, transrate


def data(n=90, d=10, classes=3, signal=0.6, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.permutation(np.arange(n) % classes)
    return draw.normal(size=(n, d)) + signal * draw.normal(size=(classes, d))[y], y


def test_knn_agrees_with_scikit_learn():
    digits = load_digits()
    x, y = digits.data[:300], digits.target[:300]
    model = KNeighborsClassifier(1, metric="cosine", algorithm="brute")
    expected = (cross_val_predict(model, x, y, cv=LeaveOneOut()) == y).mean()
    assert knn.score(x, y, k=1) == pytest.approx(expected)


def test_knn_by_hand():
    x = np.array([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [0.0, 1.0], [0.1, 1.0], [0.2, 1.0]])
    assert knn.score(x, ["a", "a", "b", "b", "b", "a"], k=2) == pytest.approx(2 / 6)
    assert knn.score(x, np.array([1.0, 1.0, 1.0, 3.0, 3.0, 3.0]), k=2) == pytest.approx(1.0)


def test_more_neighbours_than_items():
    x, y = data(n=8)
    assert 0 <= knn.score(x, y, k=50) <= 1


def slow_parc(x, y, components):
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    u, s, _ = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
    points = (u * s)[:, :components]
    a, b = [], []
    for i in range(len(x)):
        for j in range(i):
            a.append(1 - points[i] @ points[j] / np.linalg.norm(points[i]) / np.linalg.norm(points[j]))
            b.append(float(y[i] != y[j]))
    return 100 * np.corrcoef(rankdata(a), rankdata(b))[0, 1]


def test_parc_pair_by_pair():
    x, y = data(n=40)
    assert parc.score(x, y, components=4) == pytest.approx(slow_parc(x, y, 4), abs=1e-6)


def test_parc_takes_some_of_many_and_says_nearly_the_same():
    x, y = data(n=1200)
    assert parc.score(x, y, most=600) == pytest.approx(parc.score(x, y, most=1200), abs=3)


def test_two_spherical_classes_overlap_as_the_closed_form_says():
    draw = np.random.default_rng(0)
    y = np.arange(20_000) % 2
    x = draw.normal(size=(20_000, 3)) + np.array([2.0, 0, 0]) * y[:, None]
    assert gbc.score(x, y) == pytest.approx(-2 * np.exp(-(2.0**2) / 8), abs=0.02)


def test_overlap_of_unequal_variances():
    draw = np.random.default_rng(0)
    y = np.arange(40_000) % 2
    x = draw.normal(size=(40_000, 1)) * np.where(y, 3.0, 1.0)[:, None]
    expected = np.sqrt(2 * 1 * 3 / (1 + 9))
    assert gbc.score(x, y) == pytest.approx(-2 * expected, abs=0.02)


def test_transrate_written_out():
    x, y = data()
    z = x - x.mean(axis=0)
    z = z / np.sqrt((z**2).sum() / len(z))

    def rate(part):
        return 0.5 * np.log(np.linalg.eigvalsh(np.eye(z.shape[1]) + part.T @ part / (len(part) * 1e-4))).sum()

    inside = sum((y == c).mean() * rate(z[y == c]) for c in range(3))
    assert transrate.score(x, y, permutations=0) == pytest.approx(rate(z) - inside, abs=1e-6)
    assert transrate.score(x, y, permutations=0) >= 0


def test_leave_one_out_values_agree_with_refits():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(40, 6)) * np.linspace(1, 2, 6)
    y = x @ draw.normal(size=6) + draw.normal(size=40)
    scaled = StandardScaler().fit_transform(x)
    alphas = np.logspace(-5, 3, 17) * np.linalg.eigvalsh(scaled.T @ scaled).mean()
    best = RidgeCV(alphas, store_cv_results=True).fit(scaled, y)
    expected = 1 - best.cv_results_.mean(axis=0).min() * len(y) / ((y - y.mean()) ** 2).sum()
    assert loo_ridge.score(x, y) == pytest.approx(expected, abs=1e-6)


def test_probes_agree_where_there_is_plenty():
    digits = load_digits()
    x, y = digits.data[:600], digits.target[:600]
    for module in (linear_probe, loo_ridge, sfda):
        assert -0.6 < module.score(x, y) < -0.02


def test_sfda_in_sample_flatters_where_held_out_does_not():
    x, y = np.random.default_rng(0).normal(size=(60, 200)), np.arange(60) % 3
    assert sfda.score(x, y, folds=0) > -0.5
    assert sfda.score(x, y) < -np.log(3)
