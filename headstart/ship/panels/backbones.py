"""The backbones that one was chosen from: how a probe on each did, and what reputation alone would have taken."""

from __future__ import annotations

import contextlib

from headstart.base import ranked
from headstart.base.errors import RunError
from headstart.base.ranked import Rank, Ranking
from headstart.base.vocabulary import Interval
from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Cell, Panel, Prose, Table
from headstart.ship.report.drawing import count
from headstart.ship.report.facts import Facts

PLACE = 35


def show(facts: Facts) -> Panel | None:
    """One row a backbone, the best first; nothing where the user named one, or one alone was at hand."""
    found: Ranking | None = None
    with contextlib.suppress(RunError):
        found = ranked.read(facts.ranking) if facts.ranking else None
    if found is None or len(found.rows) < 2 or not {found.loss, found.score} <= facts.metrics.keys():
        return None
    loss, score = facts.metrics[found.loss], facts.metrics[found.score]
    heads = ["Backbone", loss.title, score.title, "k-NN", "Best stage", "ms", "Params", "Beats the next"]
    rows = [_row(row, found, loss, score) for row in found.rows]
    note = (
        f"{loss.title} and {score.title.lower()}: leave-one-out, of a ridge probe after the last stage. ms: an item on "
        "the machine of this run. Beats the next: how probably its probe would be the better one on other items."
    )
    table = Table(heads, rows, "Every backbone that was compared", right=[1, 2, 3, 5, 6, 7], strong=[0], note=note)
    lead = f"Compared on {found.items:,} development {found.modality}, by probes. {found.sentence}."
    said = ". ".join(each for each in (found.about_finalists, found.about_prior) if each)
    return Panel("Backbones", PLACE, (Prose(f"{said}."), table), lead, span=12)


def _row(row: Rank, found: Ranking, loss: Metric, score: Metric) -> list[Cell]:
    prior = "" if row.prior is None else f"{row.prior:.1f} % upstream"
    name = Cell(row.name, note=prior, tag="chosen" if row.name == found.best else "tie" if row.tied else "")
    if row.loss is None or row.score is None:
        return [Cell(row.name, note=row.status), *[Cell("–")] * 7]
    near = row.scores.get("knn")
    stage = row.stages[row.best_stage - 1] if 0 < row.best_stage <= len(row.stages) else ""
    beats = row.beats_next
    return [
        name,
        Cell(_figure(loss, row.loss)),
        Cell(_figure(score, row.score)),
        Cell("–" if near is None else f"{near:.3f}"),
        Cell(f"{row.best_stage} of {len(row.stages)}", note=stage) if stage else Cell("–"),
        Cell(f"{row.latency_ms:.1f}"),
        Cell(count(row.parameters)),
        Cell("–" if beats is None else ranked.percent(beats)),
    ]


def _figure(metric: Metric, value: float) -> str:
    return metric.numbers(Interval(value, value, value))[0] + metric.unit
