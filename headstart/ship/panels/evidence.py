"""The evidence table: every candidate with its validation scores, intervals drawn beside the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.base.vocabulary import Evidence
from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Cell, Panel, Table
from headstart.ship.report.drawing import COLOURS, KIND_WORDS, count, drawn, ends, inside, seconds
from headstart.ship.report.facts import Facts

PLACE = 20


def show(facts: Facts) -> Panel | None:
    """One row a candidate, in the order they were measured."""
    if not facts.evidence:
        return None
    metrics = [each for each in dict.fromkeys((facts.decided, facts.stated)) if each is not None]
    drawing = facts.stated
    heads = ["Candidate"]
    for metric in metrics:
        heads += [metric.title, *(["95 % interval"] if metric is drawing else [])]
    heads += ["Seconds", "Trainable"]
    rows = [_row(row, metrics, drawing, facts) for row in facts.evidence]
    strong = [place for place, row in enumerate(facts.evidence) if row.name == facts.sealed]
    right = [place for place, head in enumerate(heads) if place and head != "95 % interval"]
    decider = inside(facts.decided.title) if facts.decided is not None else "the validation score"
    ended = f"{decider} chose the one that was sealed" if facts.sealed else f"{decider} decides between them"
    lead = f"Every candidate on the same validation {facts.modality}; {ended}."
    return Panel("Evidence", PLACE, (Table(heads, rows, "Every candidate", right, strong),), lead, span=7)


def _row(row: Evidence, metrics: Sequence[Metric], drawing: Metric | None, facts: Facts) -> list[Cell]:
    kind = KIND_WORDS.get(row.kind, row.kind)
    cells = [Cell(row.name, note=kind, tag="sealed" if row.name == facts.sealed else "")]
    for metric in metrics:
        found = row.scores.get(metric.name)
        cells.append(Cell("–" if found is None else metric.numbers(found)[0] + metric.unit))
        if metric is drawing:
            cells.append(Cell("", note=row.status) if found is None else _interval(row, metric, facts))
    spent = seconds(row.seconds) if row.scores else "–"
    return [*cells, Cell(spent), Cell(count(row.trainable) if row.scores else "–")]


def _interval(row: Evidence, metric: Metric, facts: Facts) -> Cell:
    scale = ends([each.scores[metric.name] for each in facts.measured if metric.name in each.scores])
    _, low, high = metric.numbers(row.scores[metric.name])
    return Cell(f"{low} to {high}", drawn=drawn(row.scores[metric.name], scale, COLOURS.get(row.kind, "one")))
