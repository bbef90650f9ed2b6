"""Class weights, where items have weights too; the plain case is tested where tasks use it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from headstart.measure.balance import class_weights, imbalance


def test_balanced_weights_are_scikit_learns() -> None:
    y = np.repeat([0, 1, 2], [30, 9, 4])
    known = compute_class_weight("balanced", classes=np.arange(3), y=y)
    found = class_weights(y, 3)
    assert found is not None
    assert found == pytest.approx(known)


def test_a_weight_counts_as_so_many_items() -> None:
    y, weights = np.array([0, 0, 1, 2]), np.array([4.0, 5.0, 2.0, 1.0])
    repeated = np.repeat(y, weights.astype(int))
    assert imbalance(y, 3, weights) == imbalance(repeated, 3) == 9
    found, known = class_weights(y, 3, weights=weights), class_weights(repeated, 3)
    assert found is not None and known is not None
    assert found == pytest.approx(known)
    assert class_weights(y, 3, "log_loss", weights) is None
