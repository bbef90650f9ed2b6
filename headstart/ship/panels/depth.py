"""The depth curve: how good the features are after every stage, and what training the stages behind a cut adds."""

from __future__ import annotations

from headstart.base.vocabulary import Evidence
from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Axis, Chart, Panel, Point, Series
from headstart.ship.report.drawing import scaled, unit
from headstart.ship.report.facts import Facts

PLACE = 30


def show(facts: Facts) -> Panel | None:
    """Probes after every stage, candidates that train behind a cut, and the best model without a network."""
    metric = facts.stated
    if metric is None:
        return None
    stages = _stages(facts)
    probes: list[Point] = []
    trained: list[Point] = []
    for row in facts.measured:
        depth = _depth(row, stages)
        if depth is not None and metric.name in row.scores and row.kind == "transfer":
            (probes if row.detail.get("strategy") == "probe" else trained).append(_point(row, depth, metric))
    if len(probes) + len(trained) < 2:
        return None
    series = [Series("probe", sorted(probes, key=lambda point: point.x), colour="transfer")]
    series += [Series("trained behind the cut", sorted(trained, key=lambda point: point.x), "dot", colour="three")]
    series += [_level(facts, metric, kind) for kind in ("scratch", "baseline") if _best(facts, metric, kind)]
    best = max((*probes, *trained), key=lambda point: -metric.loss(point.y))
    chart = Chart(
        title=f"{metric.title} by frozen stages",
        alt=f"{metric.title} against the number of frozen stages; the best is {best.text.splitlines()[0]} at "
        f"{best.x:g} of {stages} stages.",
        x=Axis("Frozen stages", low=0, high=stages, whole=True),
        y=Axis(metric.title + unit(metric)),
        series=[one for one in series if one.points],
        height=330,
    )
    lead = "A probe reads what comes out after a stage; on the left everything is trained, on the right nothing is."
    return Panel("Depth", PLACE, (chart,), lead, span=5)


def _stages(facts: Facts) -> int:
    """Stages of the backbone, also where a model without one won."""
    depths = [_depth(row, 0) or 0 for row in facts.evidence]
    earlier = [depth + 1 for row, depth in zip(facts.evidence, depths, strict=True) if _is_stage(row)]
    return max([facts.stages, *depths, *earlier])


def _is_stage(row: Evidence) -> bool:
    return str((row.detail.get("options") or {}).get("stages", "")).isdigit()


def _depth(row: Evidence, stages: int) -> int | None:
    """How many stages of a candidate are frozen; None for one that reads several at once, or has none."""
    options = row.detail.get("options") or {}
    if row.kind != "transfer" or not row.detail.get("strategy"):
        return None
    if row.detail.get("strategy") != "probe":
        depth = options.get("depth", 0)
        return depth if isinstance(depth, int) else None
    read = str(options.get("stages", "last"))
    return int(read) if read.isdigit() else stages if read == "last" else None


def _point(row: Evidence, depth: int, metric: Metric) -> Point:
    found = scaled(metric, row.scores[metric.name])
    return Point(depth, found.value, found.low, found.high, f"{row.name}\n{metric.text(row.scores[metric.name])}")


def _best(facts: Facts, metric: Metric, kind: str) -> Evidence | None:
    """The candidate of a kind that met the test items, or else the one with the best score."""
    named = str((facts.verdict.get("models") or {}).get(kind))
    finalist = next((row for row in facts.measured if row.name == named and metric.name in row.scores), None)
    if finalist is not None:
        return finalist
    able = [row for row in facts.measured if row.kind == kind and metric.name in row.scores]
    return min(able, key=lambda row: metric.loss(row.scores[metric.name].value), default=None)


def _level(facts: Facts, metric: Metric, kind: str) -> Series:
    row = _best(facts, metric, kind)
    if row is None:
        return Series(kind, ())
    words = {"scratch": f"without the source ({row.name})", "baseline": f"without a network ({row.name})"}
    return Series(words[kind], (_point(row, 0, metric),), "rule", colour=kind, dashed=True)
