"""Class by class: how many of a class are found, and how often its name is right, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.base.vocabulary import Interval
from headstart.ship.report.blocks import Cell, Fold, Panel, Table
from headstart.ship.report.drawing import drawn
from headstart.ship.report.facts import Facts

PLACE = 90
FEW = 24
"""Names that are listed openly."""
COLUMNS = {"recall": "Found", "precision": "Right when said"}


def show(facts: Facts) -> Panel | None:
    """One row a name, for a task whose details tell its names apart; the worst found come first."""
    if facts.task is None or facts.judged is None:
        return None
    details = facts.details
    rows: Mapping[str, Any] = next(
        (details[key] for key in ("per_class", "per_label") if isinstance(details.get(key), Mapping)), {}
    )
    if not rows:
        return None
    one, many = facts.task.words.noun
    average = any("average_precision" in row for row in rows.values())
    heads = [one.capitalize(), "Items", *(head for title in COLUMNS.values() for head in (title, "95 % interval"))]
    heads += ["Average precision"] if average else []
    order = sorted(rows, key=lambda name: _value(rows[name].get("recall")))
    cells = [_row(name, rows[name], average) for name in order]
    right = [place for place, head in enumerate(heads) if place and head != "95 % interval"]
    lead = f"On the {facts.judged.words}: the share of each {one} that is found (recall), and how often its name is "
    lead += f"right when it is said (precision). The {many} that are found least come first."
    shown: list[Any] = [Table(heads, cells[:FEW], f"Scores of the {many}", right)]
    if len(cells) > FEW:
        rest = Table(heads, cells[FEW:], f"Scores of the other {many}", right)
        shown.append(Fold(f"The other {len(cells) - FEW:,} {many}", (rest,)))
    return Panel(f"{one.capitalize()} by {one}", PLACE, tuple(shown), lead)


def _value(found: Any) -> float:
    return float(found["value"]) if isinstance(found, Mapping) else 2.0


def _row(name: str, row: Mapping[str, Any], average: bool) -> list[str | Cell]:
    cells: list[str | Cell] = [Cell(name), f"{row['items']:,}"]
    for key in COLUMNS:
        found = row.get(key)
        if not isinstance(found, Mapping):
            cells += ["–", ""]
            continue
        score = Interval(found["value"], found["low"], found["high"])
        span = f"{100 * score.low:.0f} to {100 * score.high:.0f}"
        cells += [f"{100 * score.value:.1f} %", Cell(span, drawn=drawn(score, (0.0, 1.0), "one"))]
    if average:
        precision = row.get("average_precision")
        cells.append("–" if precision is None else f"{100 * precision:.1f} %")
    return cells
