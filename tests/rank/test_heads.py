"""LEEP and NCE against sums written out, their relation, and N-LEEP as LEEP on a mixture."""

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score
from sklearn.mixture import GaussianMixture

from headstart.base.errors import DataError
from headstart.rank import leep, nce, nleep


def outputs(n=60, source=7, classes=3, sharpness=2.0, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.permutation(np.arange(n) % classes)
    logits = draw.normal(size=(n, source)) + sharpness * (np.arange(source) % classes == y[:, None])
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), y


def slow_leep(theta, y, leave_one_out):
    n, source = theta.shape
    total, names = 0.0, np.unique(y)
    for i in range(n):
        likelihood = 0.0
        for z in range(source):
            others = [j for j in range(n) if j != i or not leave_one_out]
            joint = sum(theta[j, z] for j in others if y[j] == y[i])
            margin = sum(theta[j, z] for j in others)
            if leave_one_out:
                share = (sum(y[j] == y[i] for j in others) + 1 / len(names)) / n
                joint, margin = joint + share, margin + 1
            likelihood += joint / margin * theta[i, z]
        total += np.log(likelihood)
    return total / n


@pytest.mark.parametrize("leave_one_out", [False, True])
def test_leep_is_the_sum_written_out(leave_one_out):
    theta, y = outputs()
    assert leep.score(theta, y, leave_one_out=leave_one_out) == pytest.approx(
        slow_leep(theta, y, leave_one_out), abs=1e-9
    )


def test_nce_is_mutual_information_less_entropy():
    theta, y = outputs(n=300)
    z = theta.argmax(axis=1)
    expected = mutual_info_score(y, z) - entropy(np.bincount(y) / len(y))
    assert nce.score(theta, y) == pytest.approx(expected, abs=1e-9)


def test_a_head_that_is_sure_makes_leep_and_nce_the_same():
    _, y = outputs(n=90)
    z = (y + np.random.default_rng(1).integers(0, 2, 90)) % 5
    sure = np.eye(5)[z]
    assert leep.score(sure, y) == pytest.approx(nce.score(sure, y), abs=1e-9)


@pytest.mark.parametrize("module", [leep, nce])
def test_bounds_and_perfection(module):
    y = np.arange(40) % 4
    assert module.score(np.eye(4)[y], y) == pytest.approx(0)
    assert module.score(np.full((40, 6), 1 / 6), y) == pytest.approx(-np.log(4))
    theta, targets = outputs(sharpness=0.0, n=600)
    assert -np.log(3) - 1e-9 <= module.score(theta, targets) <= 0


def test_counting_oneself_flatters_a_large_head():
    draw = np.random.default_rng(0)
    theta = draw.dirichlet(np.full(400, 0.01), size=60)
    y = draw.permutation(np.arange(60) % 3)
    assert leep.score(theta, y) > -0.5
    assert leep.score(theta, y, leave_one_out=True) < -0.9 * np.log(3)


@pytest.mark.parametrize("module", [leep, nce])
def test_features_are_no_probabilities(module):
    with pytest.raises(DataError, match="no probabilities"):
        module.score(np.random.default_rng(0).normal(size=(10, 4)), np.arange(10) % 2)


def test_nleep_as_published_is_leep_on_the_responsibilities():
    draw = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = draw.normal(size=(120, 4)) + 4 * np.eye(3, 4)[y]
    assert nleep.score(x, y, components=1, energy=1.0, leave_one_out=False) > -0.2
    centred = x - x.mean(axis=0)
    mixture = GaussianMixture(3, reg_covar=1e-4, random_state=0, n_init=5).fit(centred)
    expected = leep.score(mixture.predict_proba(centred), y)
    assert nleep.score(x, y, components=1, energy=1.0, leave_one_out=False) == pytest.approx(expected, abs=0.02)


def test_nleep_draws_from_its_seed():
    x, y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 2
    assert nleep.score(x, y, seed=4) == nleep.score(x, y, seed=4)
