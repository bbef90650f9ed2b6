"""Cost: what every candidate took, how many parameters moved, and what the time bought."""

from __future__ import annotations

from headstart.base.vocabulary import Evidence
from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Axis, Chart, Panel, Point, Series, Table
from headstart.ship.report.drawing import COLOURS, KIND_WORDS, count, scaled, seconds, unit
from headstart.ship.report.facts import Facts

PLACE = 130
SHORTEST = 0.01
"""Seconds below which a time is drawn as this: the axis is logarithmic."""


def show(facts: Facts) -> Panel | None:
    """Score against seconds, and a table of what was gained over knowing nothing, a second."""
    metric = facts.stated
    rows = [row for row in facts.measured if metric is not None and metric.name in row.scores]
    if metric is None or len(rows) < 2:
        return None
    chart, table = _chart(rows, metric), _table(rows, metric, facts)
    total = facts.manifest.training.get("seconds") if facts.manifest is not None else None
    budget = facts.config.get("budget")
    lead = "What each candidate took, from fitting to its score."
    if isinstance(total, int | float):
        lead += f" The whole fit took {total:,.0f} s"
        lead += f" of a budget of {budget:,.0f} s." if isinstance(budget, int | float) else "."
    return Panel("Cost", PLACE, (chart, table), lead)


def _chart(rows: list[Evidence], metric: Metric) -> Chart:
    series = []
    for kind in dict.fromkeys(row.kind for row in rows):
        points = []
        for row in rows:
            if row.kind == kind:
                score = scaled(metric, row.scores[metric.name])
                text = f"{row.name}\n{metric.text(row.scores[metric.name])}, {seconds(row.seconds)} s"
                points.append(Point(max(SHORTEST, row.seconds), score.value, score.low, score.high, text))
        series.append(Series(KIND_WORDS.get(kind, kind), points, "dot", colour=COLOURS.get(kind, "one")))
    return Chart(
        title=f"{metric.title} by seconds",
        alt=f"{metric.title} of {len(rows)} candidates against the seconds each took, on a logarithmic axis.",
        x=Axis("Seconds", log=True),
        y=Axis(metric.title + unit(metric)),
        series=series,
    )


def _table(rows: list[Evidence], metric: Metric, facts: Facts) -> Table:
    """Gains are over the worst candidate, which as a rule is the one that knows no item."""
    worst = max(rows, key=lambda row: metric.loss(row.scores[metric.name].value))
    timed = any(row.serving_ms for row in rows)
    gain = "Points gained a second" if metric.percent else "Gained a second"
    heads = ["Candidate", "Seconds", "Trainable", *(["To predict one, ms"] if timed else []), gain]
    cells = []
    for row in rows:
        better = metric.loss(worst.scores[metric.name].value) - metric.loss(row.scores[metric.name].value)
        rate = better * (100 if metric.percent else 1) / max(SHORTEST, row.seconds)
        serving = [f"{row.serving_ms:.2f}" if row.serving_ms else "–"] if timed else []
        gained = "–" if row is worst else f"{rate:,.3g}" if rate < 1000 else f"{rate:,.0f}"
        cells.append([row.name, seconds(row.seconds), count(row.trainable), *serving, gained])
    strong = [place for place, row in enumerate(rows) if row.name == facts.sealed]
    note = f"Gained over {worst.name}, the worst of them."
    return Table(heads, cells, "Cost of the candidates", tuple(range(1, len(heads))), strong, note)
