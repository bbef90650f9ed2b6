"""A choice within groups: against plain sums, and against logistic regression where a group has two members."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from headstart.measure import within


def drawn(groups=200, size=4, width=3, seed=0):
    """Features, a choice in each group that depends on them, and the groups in no order."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(groups, size, width)) * [1.0, 5.0, 0.2]
    scores = features @ np.array([[1.0, -0.3, 4.0], [-0.5, 0.4, 0.0]]).T
    chosen = (scores + draw.gumbel(size=scores.shape)).argmax(axis=1)
    wanted = (np.arange(size)[None, :, None] == chosen[:, None, :]).astype(float)
    turn = draw.permutation(groups * size)
    group = np.repeat(np.arange(groups) * 3 + 5, size)[turn]
    return features.reshape(-1, width)[turn], wanted.reshape(-1, 2)[turn], group


def test_shares_are_a_softmax_in_each_group():
    _, _, group = drawn(groups=20)
    outputs = np.random.default_rng(1).normal(0, 300, (len(group), 2))
    found = within.log_shares(outputs, group)
    for each in np.unique(group):
        assert np.allclose(found[group == each], log_softmax(outputs[group == each], axis=0))
    assert np.allclose(within.log_shares(found, group), found)


def test_the_loss_is_the_cross_entropy_of_the_choices():
    _, wanted, group = drawn(groups=20)
    outputs = np.random.default_rng(1).normal(size=(len(group), 2))
    found = within.losses(outputs, wanted, group).sum()
    logs = [log_softmax(outputs[group == each], axis=0) for each in np.unique(group)]
    stated = [-(wanted[group == each] * log).sum() / 2 for each, log in zip(np.unique(group), logs, strict=True)]
    assert found == pytest.approx(sum(stated))


def test_two_members_are_a_logistic_regression_on_their_difference():
    features, wanted, group = drawn(size=2)
    found = within.fit(features, wanted, group, penalty=0.5, floor=1e-9)
    order = np.argsort(group, kind="stable")
    scale = features.std(axis=0)
    first, second = features[order][::2] / scale, features[order][1::2] / scale
    for column in range(2):
        # Without an intercept, for what two members share says nothing.
        known = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10).fit(
            first - second, wanted[order][::2, column].astype(int)
        )
        assert np.allclose(found.weight[column] * scale, known.coef_[0], atol=2e-3)


def test_the_choice_is_learnt_and_its_penalty_found_on_other_groups():
    features, wanted, group = drawn(groups=400)
    linear, penalty = within.search(features, wanted, group, seed=0)
    assert penalty in within.PENALTIES and penalty > min(within.PENALTIES)
    assert linear.weight[0] == pytest.approx([1.0, -0.3, 4.0], abs=0.8)
    new, truth, other = drawn(groups=200, seed=9)
    nothing = within.losses(np.zeros_like(truth), truth, other).sum()
    assert within.losses(linear.outputs(new), truth, other).sum() < 0.7 * nothing


def test_groups_of_which_nothing_is_known_change_nothing():
    features, wanted, group = drawn(groups=60)
    more = np.concatenate([features, features + 0.0]), np.concatenate([wanted, np.zeros_like(wanted)])
    both = within.fit(*more, np.concatenate([group, group + 10_000]), penalty=1.0)
    assert np.allclose(both.weight, within.fit(features, wanted, group, penalty=1.0).weight, atol=1e-3)


def test_the_temperature_takes_back_what_was_multiplied():
    features, wanted, group = drawn(groups=400)
    linear, _ = within.search(features, wanted, group, seed=0)
    new, truth, other = drawn(groups=400, seed=3)
    plain = within.temperature(linear.outputs(new), truth, other)
    assert within.temperature(4 * linear.outputs(new), truth, other) == pytest.approx(4 * plain, rel=0.02)
    assert within.temperature(new[:, :2], np.zeros_like(truth), other) == 1.0
