"""What each panel says of facts that are known, computed again by other means."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headstart.base import discovery
from headstart.base.vocabulary import Evidence, Interval
from headstart.ship.panels import (
    atlas,
    attention,
    confusion,
    cost,
    curves,
    data,
    depth,
    evidence,
    findings,
    mistakes,
    names,
    provenance,
    spread,
    suspects,
    trust,
    unfamiliar,
    verdict,
)
from headstart.ship.report import blocks, page
from headstart.ship.report.facts import Curve, Facts
from headstart.tasks import classification, multilabel, regression
from tests.ship.report.made import facts_of, row

CLASSES = ("cat", "dog", "emu")
TARGETS = np.array([0, 0, 0, 1, 1, 2])
SAID = np.array(
    [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.7, 0.2], [0.3, 0.6, 0.1], [0.0, 0.1, 0.9], [0.0, 0.05, 0.95]]
)


@pytest.fixture
def facts() -> Facts:
    """Six items of three classes, three of which are mistaken."""
    return facts_of(classification.learn(CLASSES), SAID, TARGETS)


def numbers(count: int = 60, seed: int = 0) -> Facts:
    """A regression whose predictions are half a unit too high, give or take."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(10, 3, count)
    task = regression.learn(truth, name="weight").fitted(truth)
    return facts_of(task, (truth + 0.5 + rng.normal(0, 0.1, count))[:, None], truth)


def only(panel: blocks.Panel | None, kind: type) -> Any:
    """The one block of a kind."""
    assert panel is not None
    (found,) = [block for block in panel.blocks if isinstance(block, kind)]
    return found


def test_every_panel_is_found_by_its_file_and_has_a_place_of_its_own() -> None:
    plugins = discovery.plugins(page.ROOM)
    assert {"verdict", "evidence", "depth", "backbones", "confusion", "provenance"} <= set(plugins)


def test_the_confusion_cells_hold_their_items_mistakes_first_and_the_surest_first(facts: Facts) -> None:
    matrix = only(confusion.show(facts), blocks.Matrix)
    counts = {(pair.row, pair.column): pair.count for pair in matrix.pairs}
    assert counts == {(0, 0): 1, (0, 1): 2, (1, 1): 1, (1, 2): 1, (2, 2): 1}
    assert (matrix.pairs[0].row, matrix.pairs[0].column) == (0, 1)
    assert [card.where for card in matrix.pairs[0].cards] == ["1.png", "2.png"]
    assert matrix.totals == [3, 2, 1]
    table = blocks.table_of(matrix)
    assert table.rows[0] == ("cat", "1", "2", "0")


@pytest.mark.slow
def test_hundreds_of_classes_stay_small_and_show_the_most_confused() -> None:
    rng = np.random.default_rng(0)
    task = classification.learn([f"species {number:03d}" for number in range(300)])
    targets = rng.integers(0, 300, 6000)
    said = rng.dirichlet(np.full(300, 0.02), 6000)
    said[np.arange(6000), targets] += rng.uniform(0, 1, 6000)
    said[targets == 7] *= 0.01
    said[targets == 7, 8] += 1
    facts = facts_of(task, said / said.sum(axis=1, keepdims=True), targets)
    matrix = only(confusion.show(facts), blocks.Matrix)
    assert len(matrix.shown) == confusion.SQUARE and {7, 8} <= set(matrix.shown)
    assert (matrix.pairs[0].row, matrix.pairs[0].column) == (7, 8)
    assert sum(len(pair.cards) for pair in matrix.pairs) == confusion.IN_ALL
    started = time.perf_counter()
    text = page.render(facts)
    assert time.perf_counter() - started < 20
    assert len(text) < 1_300_000


def test_mistakes_are_ordered_by_how_far_they_are_off(facts: Facts) -> None:
    gallery = only(mistakes.show(facts), blocks.Gallery)
    assert [card.where for card in gallery.cards] == ["4.png", "1.png", "2.png"]
    assert gallery.cards[0].lines[0] == "true: dog" and "emu" in gallery.cards[0].lines[1]
    right = facts_of(classification.learn(CLASSES), np.eye(3), np.arange(3))
    assert mistakes.show(right) is None


def test_every_number_is_a_little_off_so_none_are_counted_as_wrong() -> None:
    gallery = only(mistakes.show(numbers()), blocks.Gallery)
    assert len(gallery.cards) == mistakes.LISTED and gallery.note == ""


def test_numbers_are_set_against_the_truth() -> None:
    facts = numbers()
    map_, chart = only(spread.show(facts), blocks.Map), only(spread.show(facts), blocks.Chart)
    part = facts.held["tested"]
    assert {dot.at[0] for dot in map_.dots} == set(
        zip(part.targets.tolist(), part.predictions[:, 0].tolist(), strict=True)
    )
    assert sum(point.y for point in chart.series[0].points) == len(part)
    assert chart.series[0].name.startswith("0.5")
    assert confusion.show(facts) is None and names.show(facts) is None
    assert spread.show(facts_of(classification.learn(CLASSES), SAID, TARGETS)) is None


@pytest.mark.slow
def test_thousands_of_numbers_keep_the_ones_furthest_off() -> None:
    facts = numbers(9000)
    part = facts.held["tested"]
    worst = int(np.abs(part.predictions[:, 0] - part.targets).argmax())
    map_ = only(spread.show(facts), blocks.Map)
    assert len(map_.dots) <= spread.SHOWN
    assert map_.dots[0].lines[0] == part.where(worst)
    assert "of 2,000 items" in blocks.table_of(map_).note


def test_reliability_and_coverage_are_those_of_the_answers(facts: Facts) -> None:
    panel = trust.show(facts)
    reliability, coverage = panel.blocks
    stated, right = SAID.max(axis=1), SAID.argmax(axis=1) == TARGETS
    (point,) = reliability.series[0].points
    assert point.x == pytest.approx(100 * stated.mean()) and point.y == pytest.approx(100 * right.mean())
    assert point.low < point.y < point.high
    order = np.argsort(-stated)
    expected = 100 * np.cumsum(~right[order]) / np.arange(1, 7)
    ours = {round(each.x): each.y for each in coverage.series[0].points}
    assert ours[100] == pytest.approx(expected[-1])
    assert ours[17] == pytest.approx(expected[0])
    assert "confidence" in only(trust.show(numbers()), blocks.Prose).text


def test_each_name_has_its_recall_and_precision_the_worst_first(facts: Facts) -> None:
    table = only(names.show(facts), blocks.Table)
    assert [each[0].text for each in table.rows] == ["cat", "dog", "emu"]
    assert table.rows[0][2] == "33.3 %" and table.rows[0][4] == "100.0 %"
    assert table.rows[1][4] == "33.3 %"
    drawn = table.rows[0][3].drawn
    assert 0 <= drawn.low < drawn.value < drawn.high <= 1


def test_several_labels_have_their_own_panels() -> None:
    task = multilabel.learn([("red", "round"), ("round",)])
    facts = facts_of(
        task, [[0.9, 0.8], [0.7, 0.9], [0.2, 0.4], [0.1, 0.6]], np.array([[1, 1], [0, 1], [0, 0], [1, 1]], "f4")
    )
    assert confusion.show(facts) is None
    assert names.show(facts).title == "Label by label"
    assert only(mistakes.show(facts), blocks.Gallery).cards[0].lines[0] == "true: red, round"
    assert len(trust.show(facts).blocks) == 2
    assert "Label by label" in page.render(facts)


def test_the_depth_curve_reads_probes_and_cuts(facts: Facts) -> None:
    probe = {"strategy": "probe"}
    rows = [
        row("pixels", "baseline", 0.5),
        row("probe", "transfer", 0.8, **probe, options={"stages": "last"}),
        row("probe all stages", "transfer", 0.81, **probe, options={"stages": "all"}),
        row("probe stage 2", "transfer", 0.7, **probe, options={"stages": "2"}),
        row("probe stage 1", "transfer", 0.6, **probe, options={"stages": "1"}),
        row("partial@1", "transfer", 0.85, strategy="partial", options={"depth": 1}),
        row("full", "transfer", 0.75, strategy="full", options={"rate": 0.1}),
        row("scratch", "scratch", 0.4, strategy="scratch", options={}),
        replace(row("partial@2", "transfer", 0.9), scores={}, status="over budget"),
    ]
    chart = only(depth.show(replace(facts, evidence=rows)), blocks.Chart)
    probes, trained, scratch, baseline = chart.series
    assert [(point.x, round(point.y)) for point in probes.points] == [(1, 60), (2, 70), (3, 80)]
    assert [(point.x, round(point.y)) for point in trained.points] == [(0, 75), (1, 85)]
    assert scratch.mark == baseline.mark == "rule"
    assert chart.x.high == 3 and "partial@1 at 1 of 3" in chart.alt
    assert depth.show(replace(facts, evidence=rows[:2])) is None
    heads = [row[2] for row in blocks.table_of(chart).rows]
    assert "80 (75 to 85)" in heads


def test_the_evidence_has_every_candidate_and_marks_the_sealed_one(facts: Facts) -> None:
    rows = [row("probe", "transfer", 0.8), replace(row("full", "transfer", 0.9), scores={}, status="diverged")]
    table = only(evidence.show(replace(facts, evidence=rows)), blocks.Table)
    assert [cells[0].tag for cells in table.rows] == ["sealed", ""] and table.strong == [0]
    texts = [[cell.text for cell in cells] for cells in table.rows]
    assert texts[0][:4] == ["probe", "0.400", "80.0 %", "75.0 to 85.0"]
    assert texts[1] == ["full", "–", "–", "", "–", "–"] and table.rows[1][3].note == "diverged"


@pytest.mark.parametrize(("outcome", "word"), [(each, said[0]) for each, said in verdict.OUTCOMES.items()])
def test_the_outcome_is_said_in_words(facts: Facts, outcome: str, word: str) -> None:
    given = {**facts.verdict, "outcome": outcome, "sentence": f"{word}: it is so."}
    shown = only(verdict.show(replace(facts, verdict=given)), blocks.Outcome)
    assert shown.word == word and shown.sentence == "it is so." and shown.mark


def test_curves_of_one_split_have_a_held_out_chart(facts: Facts) -> None:
    one = Curve("full", "fold 1", [2.0, None, 1.0], {"log_loss": [(1, 1.2), (2, 0.9), (3, 1.0)]}, 2, 3.0)
    found = replace(facts, curves=[one], evidence=[row("full", "transfer", 0.8)])
    loss, held = curves.show(found).blocks
    assert [point.x for point in loss.series[0].points] == [1, 3]
    assert [point.y for point in held.series[0].points] == [1.2, 0.9, 1.0]
    assert held.title == "Held-out log loss"


def test_gains_a_second_are_over_the_worst(facts: Facts) -> None:
    rows = [row("majority", "baseline", 0.2), row("probe", "transfer", 0.8)]
    table = only(cost.show(replace(facts, evidence=rows)), blocks.Table)
    assert table.rows[0][-1] == "–"
    assert table.rows[1][-1] == "40" == f"{100 * (0.8 - 0.2) / 1.5:.0f}"


def test_data_findings_and_provenance_are_in_words(facts: Facts) -> None:
    told = dict(only(data.show(facts), blocks.Pairs).rows)
    assert told["Parts"] == "train 3, test 6"
    note = only(findings.show(facts), blocks.Notes).notes[0]
    assert note.move == "Do something" and "and 18 more" in dict(note.backing)["items"]
    assert dict(only(provenance.show(facts), blocks.Pairs).rows)["Command"] == "headstart fit made"
    opened = provenance.show(replace(facts, verdict={**facts.verdict, "openings": 3}))
    assert "3 times" in dict(only(opened, blocks.Pairs).rows)["Test part opened"]


SUSPECT = {"part": "tested", "row": 1, "where": "a.png", "said": "cat", "likely": "dog", "because": "90 % against 2 %"}


def test_suspects_and_attention_show_their_pictures(facts: Facts) -> None:
    kept = {
        "suspects": [SUSPECT],
        "suspicion": {"found": 1, "of": 6, "by": "probe"},
        "pictures": {"tested": {"1": "shown/a.png"}},
        "attention": [
            {"picture": "shown/a.png", "overlay": "shown/b.png", "truth": "cat", "predicted": "dog", "method": "x"}
        ],
    }
    found = replace(facts, exhibits=kept)
    card = only(suspects.show(found), blocks.Gallery).cards[0]
    assert card.lines[:2] == ["labelled: cat", "likely: dog"] and card.pictures[0][0] == "shown/a.png"
    assert [name for name, _ in only(attention.show(found), blocks.Gallery).cards[0].pictures] == [
        "shown/a.png",
        "shown/b.png",
    ]
    assert suspects.show(facts) is None and attention.show(facts) is None
    learnt = "learnt from these items"
    folded = replace(found, verdict={**found.verdict, "tested": False})
    assert learnt not in attention.show(found).lead and learnt in attention.show(folded).lead


MAP = {
    "part": "tested",
    "rows": [0, 3, 5],
    "before": [[0, 0], [1, 1], [2, 0]],
    "after": [[0, 1], [2, 2], [4, 0]],
    "before_is": "as it came",
    "after_is": "fine-tuned",
    "method": "PCA",
}


def test_the_map_has_the_same_items_twice_coloured_by_class(facts: Facts) -> None:
    panel = atlas.show(replace(facts, exhibits={"map": MAP}))
    drawn = only(panel, blocks.Map)
    assert drawn.views == ["Before: as it came", "After: fine-tuned"] and drawn.groups == list(CLASSES)
    assert [dot.group for dot in drawn.dots] == [0, 1, 2]
    assert drawn.dots[1].at == [(1.0, 1.0), (2.0, 2.0)]
    assert "PCA" in panel.lead
    bands = only(atlas.show(replace(numbers(), exhibits={"map": MAP})), blocks.Map)
    assert len(bands.groups) <= atlas.BANDS


@pytest.mark.parametrize(
    "change",
    [
        {"rows": [0, 3, 99]},
        {"rows": [0, 3]},
        {"rows": "x"},
        {"before": [[0, 0]]},
        {"before": [[0], [1], [2]], "after": "x"},
        {"part": "none"},
        {"before": [], "after": []},
        {"before": [[0, 0], [1, float("nan")], [2, 0]], "after": []},
    ],
)
def test_a_map_that_does_not_fit_is_left_out(facts: Facts, change: dict[str, Any]) -> None:
    assert atlas.show(replace(facts, exhibits={"map": {**MAP, **change}})) is None


@pytest.mark.parametrize(
    "kept", [{"suspects": 3}, {"attention": [1]}, {"pictures": [1]}, {"map": []}, {"suspects": [{}]}]
)
def test_odd_exhibits_break_nothing(facts: Facts, kept: dict[str, Any]) -> None:
    found = replace(facts, exhibits=kept)
    assert [panel for _, panel in page.panels_of(found) if panel.place == 1000] == []


def test_a_score_without_spread_is_drawn_too(facts: Facts) -> None:
    same = Evidence("probe", "transfer", {"accuracy": Interval(1.0, 1.0, 1.0)}, 0.0)
    page.render(replace(facts, evidence=[same, replace(same, name="other")]))


STRANGE = {
    "line": 0.5,
    "rate": {"value": 0.01, "low": 0.001, "high": 0.04},
    "held_out": 100,
    "compared_with": 80,
    "stages": [1, 2],
    "edges": [0.0, 0.5, 1.0, 1.5],
    "held": [60, 39, 1],
    "most": [{"row": 0, "strangeness": 1.2}],
    "tested": {
        "counts": [120, 70, 10],
        "items": 200,
        "flagged": 10,
        "share": {"value": 0.05, "low": 0.03, "high": 0.09},
        "coverage": 0.95,
        "risk": 0.02,
    },
}


def test_unfamiliar_items_are_counted_on_the_test_part(facts: Facts) -> None:
    panel = unfamiliar.show(replace(facts, exhibits={"unfamiliar": STRANGE}))
    assert panel is not None and "about 1.0 %" in panel.lead and "80 training" in panel.lead
    chart = only(panel, blocks.Chart)
    assert [point.y for point in chart.series[0].points] == [60.0, 39.0, 1.0]
    assert [point.y for point in chart.series[1].points] == [60.0, 35.0, 5.0]
    said = " ".join(block.text for block in panel.blocks if isinstance(block, blocks.Prose))
    assert "Of 200 test" in said and "10 were called unfamiliar: 5.0 %" in said and "Of the others 2.0 %" in said


def test_without_a_test_part_nobody_has_counted(facts: Facts) -> None:
    known = {name: value for name, value in STRANGE.items() if name != "tested"}
    panel = unfamiliar.show(replace(facts, exhibits={"unfamiliar": known}))
    assert panel is not None and len(only(panel, blocks.Chart).series) == 1
    assert any("nobody has counted" in block.text for block in panel.blocks if isinstance(block, blocks.Prose))


def test_why_nothing_tells_unfamiliar_items_and_what_cannot_be_read(facts: Facts) -> None:
    assert unfamiliar.show(facts) is None
    why = unfamiliar.show(replace(facts, exhibits={"unfamiliar": {"missing": "pixels has no network"}}))
    assert why is not None and "pixels has no network" in only(why, blocks.Prose).text
    for broken in ({}, {**STRANGE, "edges": "no"}, {**STRANGE, "rate": 1}, {**STRANGE, "held": [1]}):
        panel = unfamiliar.show(replace(facts, exhibits={"unfamiliar": broken}))
        assert panel is not None and "cannot be read" in only(panel, blocks.Prose).text


def test_the_flag_is_a_point_beside_risk_and_coverage(facts: Facts) -> None:
    panel = trust.show(replace(facts, exhibits={"unfamiliar": STRANGE}))
    assert panel is not None and "points off on average" in panel.lead
    last = panel.blocks[-1]
    assert isinstance(last, blocks.Chart) and last.series[-1].name == "all but unfamiliar items"
    assert (last.series[-1].points[0].x, last.series[-1].points[0].y) == (95.0, 2.0)
