"""Suspected labels against the method's definition written as loops, planted errors in real digits, and noise."""

import numpy as np
import pytest
from hypothesis import given, strategies
from sklearn.datasets import load_diabetes, load_digits

from headstart.base.errors import DataError
from headstart.measure import ridge, suspicion


def confident_joint_outsiders(p, y, margin):
    """Northcutt et al. 2021, equations 1 and 2, item by item; pruned as cleanlab does where the model agrees."""
    classes = p.shape[1]
    limits = [np.mean([p[i, c] for i in range(len(y)) if y[i] == c] or [np.inf]) for c in range(classes)]
    limits = [min(limit, 0.9) for limit in limits]
    found = []
    for i, own in enumerate(y):
        able = [c for c in range(classes) if p[i, c] >= limits[c]]
        if not able:
            continue
        best = max(able, key=lambda c: p[i, c])
        if best != own and int(np.argmax(p[i])) != own and p[i, best] - p[i, own] >= margin:
            found.append(i)
    return found


def drawn(seed, n, classes):
    draw = np.random.default_rng(seed)
    return draw.dirichlet(np.full(classes, 0.4), n), draw.integers(0, classes, n)


@given(seed=strategies.integers(0, 10_000), n=strategies.integers(1, 60), classes=strategies.integers(2, 6))
def test_of_classes_is_the_confident_joint_off_its_diagonal(seed, n, classes):
    p, y = drawn(seed, n, classes)
    for margin in (0.0, 0.5):
        found = suspicion.of_classes(p, y, margin=margin)
        assert sorted(found.rows.tolist()) == confident_joint_outsiders(p, y, margin)
        leads = found.likely_probability - found.said_probability
        assert (np.diff(leads) <= 1e-12).all(), "the widest lead first"
        assert (found.likely != y[found.rows]).all()


def test_thresholds_by_hand():
    p = np.array([[0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])
    np.testing.assert_allclose(suspicion.thresholds(p, [0, 0, 1]), [0.7, 0.8, np.inf])


def planted(rate, seed=0):
    """Digits with a share of wrong labels: features, given labels, rows that are wrong."""
    X, y = load_digits(return_X_y=True)
    draw = np.random.default_rng(seed)
    wrong = draw.permutation(len(y))[: int(rate * len(y))]
    given = y.copy()
    given[wrong] = (y[wrong] + draw.integers(1, 10, len(wrong))) % 10
    return X, given, wrong


@pytest.mark.parametrize(("rate", "precision", "recall"), [(0.02, 0.65, 0.75), (0.05, 0.85, 0.75), (0.1, 0.9, 0.75)])
def test_planted_errors_in_digits_are_found_first(rate, precision, recall):
    """A ridge probe on bare pixels, each item left out: what is flagged is wrong, and most of what is wrong is."""
    X, y, wrong = planted(rate)
    found = suspicion.of_classes(ridge.classify(X, y, classes=10).probabilities, y)
    hit = np.isin(found.rows, wrong)
    assert hit.mean() >= precision
    assert hit.sum() / len(wrong) >= recall
    first = hit[: len(wrong) // 2]
    assert first.mean() >= 0.9, "the most suspicious half of as many as were planted"


def test_clean_digits_are_hardly_suspected():
    X, y, _ = planted(0.0)
    assert len(suspicion.of_classes(ridge.classify(X, y, classes=10).probabilities, y)) <= 0.01 * len(y)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_noise_accuses_nobody(classes):
    draw = np.random.default_rng(classes)
    X, y = draw.normal(size=(500, 16)), draw.integers(0, classes, 500)
    assert len(suspicion.of_classes(ridge.classify(X, y, classes=classes).probabilities, y)) == 0


@given(seed=strategies.integers(0, 1000))
def test_renaming_the_classes_changes_no_suspicion(seed):
    p, y = drawn(seed, 40, 4)
    new = np.random.default_rng(seed).permutation(4)
    first, second = suspicion.of_classes(p, y), suspicion.of_classes(p[:, np.argsort(new)], new[y])
    assert set(first.rows.tolist()) == set(second.rows.tolist())


def test_each_label_is_a_matter_of_its_own():
    draw = np.random.default_rng(0)
    truths = draw.random((200, 3)) < 0.4
    p = np.where(truths, 0.95, 0.05) + draw.uniform(-0.03, 0.03, (200, 3))
    given = truths.copy()
    given[7, 1], given[7, 2], given[30, 0] = ~truths[7, 1], ~truths[7, 2], ~truths[30, 0]
    found = suspicion.of_labels(p, given)
    assert set(zip(found.rows.tolist(), found.likely.tolist(), strict=True)) == {(7, 1), (7, 2), (30, 0)}
    assert (found.likely_probability > 0.9).all() and (found.said_probability < 0.1).all()


def test_wrong_numbers_stand_out_of_the_residuals():
    """Misplaced decimal points in a real regression."""
    X, y = load_diabetes(return_X_y=True)
    draw = np.random.default_rng(0)
    wrong = draw.permutation(np.flatnonzero(y > 150))[:8]
    given = y.copy()
    given[wrong] *= 10
    found = suspicion.of_numbers(ridge.regress(X, given[:, None]).loo, given)
    assert set(found.rows.tolist()) == set(wrong.tolist())
    assert (np.diff(np.abs(found.deviations)) <= 0).all()


def test_normal_residuals_are_in_line():
    draw = np.random.default_rng(0)
    flagged = [len(suspicion.of_numbers(np.zeros(400), draw.normal(size=400))) for _ in range(200)]
    assert np.mean(np.array(flagged) > 0) <= 0.15, "about one set in twenty, robust estimates a little more"


def test_deviations_by_hand():
    np.testing.assert_allclose(suspicion.deviating([0.0, 1, 2, 3, 4]), np.array([-2, -1, 0, 1, 2]) / 1.482602218505602)
    assert suspicion.deviating([1.0, 1, 1, 9]).tolist() == [0, 0, 0, 0]
    assert suspicion.out_of_line(10) == 3.5
    assert suspicion.out_of_line(1_000_000) > 5


def test_arrays_that_do_not_fit_are_named():
    with pytest.raises(DataError, match="class indices"):
        suspicion.of_classes([[0.5, 0.5]], [2])
    with pytest.raises(DataError, match="shape"):
        suspicion.of_labels([[0.5, 0.5]], [[1]])
