"""The findings: what was diagnosed, how serious it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.base.vocabulary import Finding
from headstart.ship.report.blocks import Note, Notes, Panel, Prose
from headstart.ship.report.facts import Facts

PLACE = 120
SEVERITIES = ("serious", "warning", "info")
LISTED = 12


def show(facts: Facts) -> Panel | None:
    """Every finding with its next move; that there are none is worth a line too."""
    if not facts.findings:
        if not facts.config:
            return None
        return Panel("Findings", PLACE, (Prose("Nothing was found that needs a remark.", tone="quiet"),))
    order = {name: place for place, name in enumerate(SEVERITIES)}
    found = sorted(facts.findings, key=lambda one: order.get(one.severity, len(order)))
    lead = "What was noticed about the data and the run, the most serious first, each with what to do about it."
    return Panel("Findings", PLACE, (Notes([_note(one) for one in found]),), lead)


def _note(one: Finding) -> Note:
    line = f"from {one.threshold:.4g} on" if one.number >= one.threshold else f"below {one.threshold:.4g}"
    measured = ("measured", f"{one.number:.4g}; worth a remark {line}")
    sentence = one.sentence if one.sentence.endswith(".") else f"{one.sentence}."
    move = one.next_move[:1].upper() + one.next_move[1:]
    return Note(one.severity, sentence, move, (measured, *_backing(one.evidence)))


def _backing(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(key).replace("_", " "), _text(value)) for key, value in evidence.items()]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        more = f" and {len(value) - LISTED:,} more" if len(value) > LISTED else ""
        return ", ".join(_text(each) for each in value[:LISTED]) + more
    if isinstance(value, Mapping) and value.keys() == {"value", "low", "high"}:
        return f"{_text(value['value'])} ({_text(value['low'])} to {_text(value['high'])})"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(each)}" for key, each in list(value.items())[:LISTED])
    return f"{value:.4g}" if isinstance(value, float) else str(value)
