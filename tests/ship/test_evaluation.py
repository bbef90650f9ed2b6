"""Evaluation reads what it may, says what it left out, and refuses what the model cannot know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.base.errors import DataError, Undecodable
from headstart.base.vocabulary import Interval, Table
from headstart.measure.alarm import Line
from headstart.ship import evaluation
from headstart.ship.doubt import Doubt
from headstart.ship.scoring import Judgement
from headstart.tasks import classification

TASK = classification.learn(["a", "b"])


def table(labels: list[Any], parts: list[str | None] | None = None) -> Table:
    items = tuple(f"{i}.png" for i in range(len(labels)))
    return Table(items, tuple(labels), tuple(parts or [None] * len(labels)), "here", "a table")


def test_labels_become_the_models_own_indices() -> None:
    found = evaluation.examples(table([1.0, 0, "1"]), classification.learn(["0", "1"]))
    assert found.targets.tolist() == [1, 0, 1] and len(found.items) == 3


def test_only_the_test_part_is_used_where_there_is_one() -> None:
    found = evaluation.examples(table(["a", "b", "a"], ["train", "test", "test"]), TASK)
    assert found.items == ("1.png", "2.png")
    assert any("Only its test part" in note for note in found.notes)
    everything = evaluation.examples(table(["a", "b"], ["train", "val"]), TASK)
    assert len(everything.items) == 2


def test_items_without_a_label_are_listed() -> None:
    found = evaluation.examples(table(["a", None, float("nan")]), TASK)
    assert len(found.items) == 1
    assert [entry.where for entry in found.skipped] == ["1.png", "2.png"]


def test_a_class_the_model_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="does not know the class tulip"):
        evaluation.examples(table(["a", "tulip"]), TASK)


def test_nothing_labelled_is_refused() -> None:
    with pytest.raises(DataError, match="No item has a label"):
        evaluation.examples(table([None]), TASK)


def answered(*rows: list[float], strangeness: tuple[float, ...] = (0.1, 0.1, 0.1)) -> list[Any]:
    """Three answers, and a fourth item that cannot be read."""
    said = [Judgement(np.array(row), strange) for row, strange in zip(rows, strangeness, strict=True)]
    return [*said, Undecodable("it is empty")]


def test_scores_come_with_intervals_and_unreadable_items_are_listed() -> None:
    given = evaluation.examples(table(["a", "b", "b", "a"]), TASK)
    rows = answered([0.9, 0.1], [0.2, 0.8], [0.6, 0.4])
    found = evaluation.scored(given, rows, TASK, doubt=Doubt(), seed=0)
    assert found["unfamiliar"] is None
    assert found["n"] == 3
    assert found["accuracy"]["value"] == pytest.approx(2 / 3)
    assert found["accuracy"]["low"] < 2 / 3 < found["accuracy"]["high"]
    assert found["confusion"] == [[1, 0], [1, 1]]
    assert found["skipped"] == [{"file": "3.png", "error": "it is empty"}]
    assert {"balanced_accuracy", "f1_macro", "log_loss", "calibration_error"} <= set(found)


def test_unfamiliar_items_are_named_and_the_others_scored_by_themselves() -> None:
    given = evaluation.examples(table(["a", "b", "b", "a"]), TASK)
    rows = answered([0.9, 0.1], [0.2, 0.8], [0.6, 0.4], strangeness=(0.2, 1.0, 3.0))
    line = Line(0.5, Interval(0.01, 0.0, 0.04), 100)
    found = evaluation.scored(given, rows, TASK, doubt=Doubt(line=line), seed=0)["unfamiliar"]
    assert found["count"] == 1 and found["items"] == [{"file": "2.png", "strangeness": 3.0}]
    assert found["without"]["accuracy"]["value"] == 1.0 and found["expected"]["value"] == 0.01
    every = answered([0.9, 0.1], [0.2, 0.8], [0.6, 0.4], strangeness=(2.0, 2.0, 2.0))
    assert evaluation.scored(given, every, TASK, doubt=Doubt(line=line), seed=0)["unfamiliar"]["without"] == {}


def test_nothing_readable_is_refused() -> None:
    given = evaluation.examples(table(["a"]), TASK)
    with pytest.raises(DataError, match="None of the items could be read"):
        evaluation.scored(given, [Undecodable("it is empty")], TASK, doubt=Doubt(), seed=0)
