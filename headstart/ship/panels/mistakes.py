"""The worst mistakes: what the model was most sure of, or furthest from, and wrong."""

from __future__ import annotations

import numpy as np

from headstart.ship.report.blocks import Gallery, Panel
from headstart.ship.report.drawing import card
from headstart.ship.report.facts import Facts

PLACE = 60
LISTED = 18


def show(facts: Facts) -> Panel | None:
    """The items whose answer is furthest from the truth, confidence included."""
    part, task = facts.judged, facts.task
    if part is None or task is None:
        return None
    far = task.mistaken(part.predictions, part.targets)
    order = [int(row) for row in np.argsort(-far, kind="stable")[:LISTED] if far[row] > 0]
    if not order:
        return None
    wrong = int((far > 0).sum())
    lead = f"The furthest from the truth of {len(part):,} {part.words}, the worst first."
    # A number is never quite right, so how many are wrong says something of names only.
    more = "" if task.estimates or wrong == len(order) else f"{wrong - len(order):,} more are wrong."
    return Panel("Worst mistakes", PLACE, (Gallery([card(facts.item(part, row)) for row in order], more),), lead)
