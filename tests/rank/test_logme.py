"""LogME against the density it is the maximum of, and against the fixed point of the paper."""

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from headstart.rank import logme


def data(n, d, classes=3, signal=0.6, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.permutation(np.arange(n) % classes)
    return draw.normal(size=(n, d)) + signal * draw.normal(size=(classes, d))[y], y


def slow(x, y):
    """The highest log density of the targets' contrasts under N(0, F F' / a + I / b), by a general optimiser."""
    contrasts = null_space(np.ones((1, len(x))))
    f = contrasts.T @ x
    found = []
    for c in np.unique(y):
        t = contrasts.T @ (y == c).astype(float)

        def loss(logs, t=t):
            cov = f @ f.T * np.exp(-logs[0]) + np.eye(len(t)) * np.exp(-logs[1])
            return -multivariate_normal.logpdf(t, cov=cov, allow_singular=False)

        starts = [(0.0, 0.0), (4.0, 2.0), (8.0, 1.0), (2.0, 6.0)]
        best = min(
            (
                minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000})
                for start in starts
            ),
            key=lambda each: each.fun,
        )
        found.append(-best.fun / len(t))
    return float(np.mean(found))


@pytest.mark.parametrize(("n", "d"), [(30, 5), (20, 20), (16, 40), (12, 100)])
def test_it_is_the_maximum_of_the_evidence(n, d):
    x, y = data(n, d)
    assert logme.score(x, y) == pytest.approx(slow(x, y), abs=1e-6)


def fixed_point(f, t):
    """The paper's iteration over a and b, with the log-determinant of all d values; neither f nor t is centred."""
    n, d = f.shape
    u, s, _ = np.linalg.svd(f, full_matrices=False)
    s2, z = s**2, (u.T @ t) ** 2
    rest = t @ t - z.sum()
    a = b = 1.0
    for _ in range(5000):
        q = a / b
        gamma = (s2 / (s2 + q)).sum()
        a = gamma / (s2 * z / (s2 + q) ** 2).sum()
        b = (n - gamma) / ((z / (1 + s2 / q) ** 2).sum() + rest)
    m2, r2 = (s2 * z / (s2 + a / b) ** 2).sum(), (z / (1 + s2 * b / a) ** 2).sum() + rest
    determinant = np.log(a + b * s2).sum() + (d - len(s2)) * np.log(a)
    return (d * np.log(a) + n * np.log(b) - determinant - b * r2 - a * m2 - n * np.log(2 * np.pi)) / (2 * n)


@pytest.mark.parametrize(("n", "d"), [(60, 8), (25, 60)])
def test_it_agrees_with_the_papers_iteration_in_the_space_of_contrasts(n, d):
    """There the intercept is gone, so the paper's model and this one are the same."""
    x, y = data(n, d, classes=2)
    contrasts = null_space(np.ones((1, n)))
    expected = np.mean([fixed_point(contrasts.T @ x, contrasts.T @ (y == c).astype(float)) for c in (0, 1)])
    assert logme.score(x, y) == pytest.approx(expected, abs=1e-6)


def test_noise_in_wide_features_is_not_flattered():
    """The published code gives 5.78 for n = 120, d = 300 where the truth is about -0.2."""
    draw = np.random.default_rng(0)
    found = logme.score(draw.normal(size=(120, 300)), np.arange(120) % 10)
    assert -0.3 < found < -0.1


def test_values_are_taken_as_they_are():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(40, 6))
    y = x @ draw.normal(size=6) + 0.1 * draw.normal(size=40)
    contrasts = null_space(np.ones((1, 40)))
    assert logme.score(x, y) == pytest.approx(fixed_point(contrasts.T @ x, contrasts.T @ y), abs=1e-6)
    assert logme.score(x, y + 1000.0) == pytest.approx(logme.score(x, y), abs=1e-6)


def test_features_that_hold_the_labels_exactly():
    y = np.arange(30) % 3
    assert np.isfinite(logme.score(np.eye(3)[y], y))
    assert logme.score(np.eye(3)[y], y) > logme.score(*data(30, 3))
