"""Preparing and judging, which a server does in threads of its own, is what predicting does at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headstart.base.errors import Undecodable
from headstart.baselines import pixels
from headstart.ship.scoring import BaselineScorer, Scorer
from headstart.ship.sealed import load
from headstart.tasks import classification
from tests.ship.conftest import CLASSES


@pytest.fixture(params=["network", "baseline"])
def scorer(request: pytest.FixtureRequest, model_folder: Path, pictures: Path) -> Scorer:
    if request.param == "network":
        return load(model_folder).scorer
    items = sorted(pictures.rglob("*.png"))
    task = classification.learn(CLASSES)
    targets = task.encode([path.parent.name for path in items])
    return BaselineScorer(pixels.fit(items, targets, task, 0))


def test_prepared_and_judged_is_scored(scorer: Scorer, pictures: Path) -> None:
    items = [path.read_bytes() for path in sorted(pictures.rglob("*.png"))]
    wanted = scorer.score(items, precision="float32", failed={})
    judge = scorer.judging("float32")
    prepared = [scorer.prepare(item) for item in items]
    for size in (1, 4, len(items)):
        judged = [one for at in range(0, len(items), size) for one in judge(prepared[at : at + size])]
        found = np.stack([one.scores for one in judged])
        assert np.isnan([one.strangeness for one in judged]).all(), "nobody measured what is familiar"
        assert np.abs(found - wanted).max() < 1e-6


def test_what_cannot_be_read_is_told_while_it_is_prepared(scorer: Scorer) -> None:
    with pytest.raises(Undecodable):
        scorer.prepare(b"no picture")


def test_another_precision_is_close(model_folder: Path, pictures: Path) -> None:
    scorer = load(model_folder).scorer
    prepared = [scorer.prepare(path) for path in sorted(pictures.rglob("*.png"))]
    half, full = (np.stack([one.scores for one in scorer.judging(each)(prepared)]) for each in ("bf16", "float32"))
    assert 0 < np.abs(half - full).max() < 0.1
