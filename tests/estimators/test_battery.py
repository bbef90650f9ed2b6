"""scikit-learn's own checks of an estimator, every one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from headstart.estimators.classifier import TransferClassifier
from headstart.estimators.features import TransferFeatures
from headstart.estimators.regressor import TransferRegressor

SKIPPED: dict[str, dict[str, str]] = {}
"""Estimator -> check -> why it cannot hold. Empty: they all do, weights as repetitions included."""

FIXED = {"strategy.penalty": 1.0}
EVERY = [
    TransferClassifier(),
    TransferClassifier(settings=FIXED, metric="log_loss"),
    TransferRegressor(),
    TransferRegressor(settings=FIXED),
]


@parametrize_with_checks(EVERY, expected_failed_checks=lambda one: SKIPPED.get(type(one).__name__, {}))
def test_scikit_learns_check(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


WITHOUT_ROWS = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
]
"""The checks that fit nothing: all that can be asked of a transformer whose X is pictures."""


@pytest.mark.parametrize("check", WITHOUT_ROWS)
def test_a_transformer_of_pictures_passes_what_needs_no_rows(check: str) -> None:
    getattr(estimator_checks, check)("TransferFeatures", TransferFeatures())


def test_few_checks_are_skipped() -> None:
    assert sum(map(len, SKIPPED.values())) <= 10
    assert all(len(why) > 15 for each in SKIPPED.values() for why in each.values())
