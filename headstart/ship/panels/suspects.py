"""Suspected label errors: items whose label a model that had not seen them contradicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.ship.report.blocks import Card, Gallery, Panel
from headstart.ship.report.drawing import text_of
from headstart.ship.report.facts import Facts

PLACE = 70
LISTED = 24


def show(facts: Facts) -> Panel | None:
    """What the label says, what is likely, and what backs the suspicion; the most suspicious first."""
    listed = facts.exhibits.get("suspects")
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    if not rows:
        return None
    cards = [_card(facts, row) for row in rows[:LISTED]]
    more = f"{len(rows) - LISTED:,} more are listed in run/exhibits.json." if len(rows) > LISTED else ""
    lead = (
        _about(facts.exhibits.get("suspicion")) + "Look at each before you change it: the model may be what is wrong."
    )
    return Panel("Suspected label errors", PLACE, (Gallery(cards, more),), lead)


def _card(facts: Facts, row: Mapping[str, Any]) -> Card:
    said, likely, where = (text_of(row.get(name)) for name in ("said", "likely", "where"))
    picture = facts.picture(str(row.get("part")), row.get("row"))
    alt = f"{where}: labelled {said}, likely {likely}"
    lines = [f"labelled: {said}", f"likely: {likely}"]
    because = text_of(row.get("because"))
    return Card([*lines, because] if because else lines, [(picture, alt)] if picture else [], where)


def _about(suspicion: Any) -> str:
    if not isinstance(suspicion, Mapping) or not isinstance(suspicion.get("found"), int):
        return ""
    by = f", by {suspicion['by']}" if suspicion.get("by") else ""
    of = f" of {suspicion['of']:,}" if isinstance(suspicion.get("of"), int) else ""
    return f"{suspicion['found']:,}{of} labels look wrong{by}. "
