"""A verdict is read off the interval of the gain, and noise is a tie."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.base.vocabulary import Interval
from headstart.measure import verdict


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.01, 0.2, "positive"), (-0.1, 0.1, "tie"), (-0.2, -0.01, "negative"), (0.0, 0.3, "tie"), (-0.3, 0.0, "tie")],
)
def test_the_word_follows_the_interval(low: float, high: float, word: str) -> None:
    assert verdict.word(Interval((low + high) / 2, low, high)) == word


def test_fewer_mistakes_with_the_source_are_positive() -> None:
    rng = np.random.default_rng(0)
    few, many = (rng.random(200) < 0.1).astype(float), (rng.random(200) < 0.4).astype(float)
    found = verdict.decide(few, many)
    assert (found.word, found.items) == ("positive", 200)
    assert found.gain.value == pytest.approx(many.mean() - few.mean())
    assert verdict.decide(many, few).word == "negative"
    assert verdict.decide(few, few).word == "tie"


def test_equal_models_are_rarely_called_different() -> None:
    rng = np.random.default_rng(1)
    words = []
    for seed in range(200):
        mistakes = (rng.random((2, 100)) < 0.3).astype(float)
        words.append(verdict.decide(mistakes[0], mistakes[1], seed=seed, replicates=500).word)
    assert words.count("tie") >= 0.92 * len(words)


def test_several_initialisations_count_as_one_model() -> None:
    rng = np.random.default_rng(2)
    scratch = (rng.random((3, 100)) < 0.5).astype(float)
    found = verdict.decide(np.zeros(100), scratch)
    assert found.word == "positive"
    assert found.gain.value == pytest.approx(scratch.mean())
    assert found.items == 100


def test_log_losses_are_not_bounded() -> None:
    rng = np.random.default_rng(3)
    low, high = rng.gamma(2, 0.2, 100), rng.gamma(2, 1.5, 100)
    assert verdict.decide(low, high, bounded=False).word == "positive"
    with pytest.raises(DataError, match="out of range"):
        verdict.decide(low, high)


def test_plain_data() -> None:
    found = verdict.decide([0.0, 0.0], [1.0, 0.0]).as_dict()
    assert found["verdict"] == "tie"
    assert set(found["gain"]) == {"value", "low", "high"}
