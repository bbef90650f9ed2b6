"""Where the network looked: what in a picture, or which word, spoke for the answer."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.ship.report.blocks import Card, Gallery, Panel
from headstart.ship.report.drawing import text_of
from headstart.ship.report.facts import Facts

PLACE = 110
LISTED = 24


def show(facts: Facts) -> Panel | None:
    """Each item beside what the network looked at."""
    kept = facts.exhibits.get("attention")
    rows = [row for row in kept if isinstance(row, Mapping)] if isinstance(kept, list) else []
    if not rows:
        return None
    methods = ", ".join(dict.fromkeys(text_of(row.get("method")) for row in rows if row.get("method")))
    beside = any(row.get("picture") for row in rows)
    lead = (
        "Each item, and beside it where the network looked for its answer"
        if beside
        else ("What the network went by: the stronger a word is marked, the more it spoke for the answer")
    )
    lead += f" ({methods}). " if methods else ". "
    lead += (
        "Colour on the background is a warning: the answer may be read off something else than what is shown."
        if beside
        else "Marks on words that have nothing to do with it are a warning: the answer may be read off something else."
    )
    if not facts.verdict.get("tested", True):
        lead += " This is the sealed network, which has learnt from these items since it was scored on them."
    return Panel("Where it looked", PLACE, (Gallery([_card(row) for row in rows[:LISTED]]),), lead)


def _card(row: Mapping[str, object]) -> Card:
    truth, said, where = (text_of(row.get(name)) for name in ("truth", "predicted", "where"))
    about = f"{truth}, predicted {said}"
    pictures = []
    if row.get("picture"):
        pictures.append((str(row["picture"]), about))
    if row.get("overlay"):
        pictures.append((str(row["overlay"]), f"where the network looked: {about}"))
    # Of several labels, one is looked for at a time.
    sought = text_of(row.get("about"))
    more = [f"looked for: {sought}"] if sought and sought != said else []
    return Card([f"true: {truth}", f"said: {said}", *more], pictures, where)
