"""The panel of the compared backbones says what the run wrote down, and nothing where it wrote nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.base.ranked import Rank, Ranking
from headstart.ship.panels import backbones
from headstart.ship.report import blocks
from headstart.ship.report.facts import Facts
from headstart.tasks import classification
from tests.ship.report.made import facts_of


@pytest.fixture
def facts() -> Facts:
    return facts_of(classification.learn(["a", "b"]), np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))


def ranking() -> Ranking:
    known = {"prior": 80.0, "latency_ms": 2.25, "parameters": 5_000_000, "stages": ("stem", "middle", "end")}
    measured = {"loss": 0.123, "score": 0.95, "scores": {"knn": 0.875}, "stage_losses": (1.0, 0.1, 0.123)}
    first = Rank("local:big", place=1, beats_next=1.0, best_stage=2, **known, **measured)  # type: ignore[arg-type]
    second = Rank("<b>small</b>", place=2, loss=0.5, score=0.8, tied=True)
    gone = Rank("local:gone", status="There is no such file or folder")
    rows = (first, second, gone)
    return Ranking(rows, "classification", "log_loss", "accuracy", items=500, by_prior="local:big")


def test_a_row_for_every_backbone(facts: Facts) -> None:
    panel = backbones.show(replace(facts, ranking=ranking().as_dict()))
    assert panel is not None and "500 development" in panel.lead and "tie" in panel.lead
    (table,) = [block for block in panel.blocks if isinstance(block, blocks.Table)]
    texts = [[cell.text for cell in row if isinstance(cell, blocks.Cell)] for row in table.rows]
    assert texts[0] == ["local:big", "0.123", "95.0 %", "0.875", "2 of 3", "2.2", "5.0 M", "over 99 %"]
    assert texts[1][0] == "<b>small</b>" and texts[1][-1] == "–"
    third = table.rows[2]
    assert isinstance(third[0], blocks.Cell) and third[0].note == "There is no such file or folder"
    assert len({len(row) for row in table.rows}) == 1 == len({len(table.heads), len(table.rows[0])})


def test_nothing_to_compare_is_no_panel(facts: Facts) -> None:
    alone = replace(ranking(), rows=ranking().rows[:1])
    for given in ({}, alone.as_dict(), {"rows": "damaged"}, {**ranking().as_dict(), "loss": "unheard of"}):
        assert backbones.show(replace(facts, ranking=given)) is None
