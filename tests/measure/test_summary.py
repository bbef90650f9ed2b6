"""An evaluation reports every score, every class, and is plain data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headstart.base.errors import DataError
from headstart.measure import intervals, scores
from headstart.measure.summary import summarise
from tests.measure.drawing import guesses


def test_every_score_has_its_interval() -> None:
    p, y = guesses(60, 3)
    found = summarise(p, y, ["a", "b", "c"], seed=4)
    assert tuple(found.scores) == scores.NAMES
    assert found.scores["f1_macro"] == intervals.bootstrap("f1_macro", p, y, seed=4)
    assert found.items == found.confusion.sum() == 60


def test_a_class_nobody_saw_has_no_recall() -> None:
    found = summarise(np.eye(3)[[0, 0, 1]], [0, 1, 1], ["a", "b", "c"])
    assert found.recall[2] is found.precision[2] is None
    assert [found.recall[0].value, found.recall[1].value] == [1.0, 0.5]
    assert [found.precision[0].value, found.precision[1].value] == [0.5, 1.0]


def test_it_is_plain_data() -> None:
    p, y = guesses(30, 3)
    found = json.loads(json.dumps(summarise(p, y, ["a", "b", "c"]).as_dict()))
    assert found["items"] == 30
    assert found["per_class"]["b"]["items"] == 10
    assert np.sum(found["confusion"]) == 30
    assert found["scores"]["accuracy"]["low"] <= found["scores"]["accuracy"]["value"]


def test_a_name_too_few_is_an_error() -> None:
    p, y = guesses(30, 3)
    with pytest.raises(DataError, match="3 names"):
        summarise(p, y, ["a", "b"])
