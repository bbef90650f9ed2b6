"""scikit-learn's own checks of an estimator, every one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from headstart.estimators.features import TransferFeatures
from headstart.estimators.transfer import TransferClassifier, TransferRegressor

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


@pytest.mark.filterwarnings("ignore:Can't test estimator TransferFeatures")
def test_a_transformer_of_pictures_passes_the_checks_that_need_no_rows() -> None:
    found = check_estimator(TransferFeatures(), on_skip=None)
    assert len(found) >= 5
    assert all(one["status"] == "passed" for one in found)


def test_few_checks_are_skipped() -> None:
    assert sum(map(len, SKIPPED.values())) <= 10
    assert all(len(why) > 15 for each in SKIPPED.values() for why in each.values())
