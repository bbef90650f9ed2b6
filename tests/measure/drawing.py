"""Small random problems for the tests of this room."""

from __future__ import annotations

import numpy as np


def clouds(n: int, d: int, classes: int, *, apart: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, d) in as many Gaussian clouds as classes, and class indices (n,), every class present."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    centres = apart * rng.normal(size=(classes, d))
    return centres[y] + rng.normal(size=(n, d)) * np.linspace(0.2, 2, d) + 3, y


def answers(n: int, labels: int, *, skill: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, L) that lean to the truths (n, L); labels are of unequal frequency, probabilities have ties."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, labels)) < np.linspace(0.1, 0.7, labels)).astype(np.int64)
    logits = np.round(rng.normal(size=(n, labels)) + skill * (2 * y - 1), 1)
    return 1 / (1 + np.exp(-logits)), y


def guesses(n: int, classes: int, *, skill: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, C) that lean to the class indices (n,)."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), y] += skill
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True), y
