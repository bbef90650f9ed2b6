"""Real digits as pictures, and a fitted classifier of them that the tests of this room share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from headstart.estimators.classifier import TransferClassifier

BACKBONE = "embedded/resnet10-procedural"


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (400, 8, 8) uint8 of the first five digits, and their numbers."""
    data = load_digits(n_class=5)
    return (data.images[:400] * 15.9).astype(np.uint8), data.target[:400]


@pytest.fixture(scope="session")
def fitted(digits: tuple[np.ndarray, np.ndarray]) -> TransferClassifier:
    """A probe of 250 digits."""
    pictures, targets = digits
    return TransferClassifier(backbone=BACKBONE).fit(pictures[:250], targets[:250])
