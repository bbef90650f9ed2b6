"""Numbers against the truth: predicted against true values, and how the errors are spread."""

from __future__ import annotations

import numpy as np

from headstart.ship.report.blocks import Axis, Chart, Dot, Map, Panel, Point, Series, figure
from headstart.ship.report.facts import Facts, Held

PLACE = 50
SHOWN = 2000
"""Items that have a dot; of more, the ones furthest off and a spread of the others."""
BINS = 24


def show(facts: Facts) -> Panel | None:
    """For a task whose predictions are one number in the target's own unit."""
    task, part = facts.task, facts.judged
    if task is None or part is None or not task.estimates or part.predictions.shape[1] != 1:
        return None
    truth, found = np.asarray(part.targets, dtype=np.float64), part.predictions[:, 0]
    errors = found - truth
    lead = f"On {len(part):,} {part.words}. Above the line the model says too much, below it too little."
    blocks = (_values(facts, part, truth, found), _errors(errors, task.names[0]))
    return Panel("Predicted and true", PLACE, blocks, lead)


def _values(facts: Facts, part: Held, truth: np.ndarray, found: np.ndarray) -> Map:
    off = np.abs(found - truth)
    rows = np.argsort(-off, kind="stable")
    if len(rows) > SHOWN:
        spread = np.linspace(SHOWN // 4, len(rows) - 1, SHOWN - SHOWN // 4).astype(int)
        rows = np.concatenate([rows[: SHOWN // 4], rows[np.unique(spread)]])
    name = facts.task.names[0] if facts.task is not None else "value"
    dots = []
    for row in rows.tolist():
        item = facts.item(part, row)
        lines = (item.where, f"true {item.truth}, predicted {item.said}", f"off by {figure(found[row] - truth[row])}")
        place = (float(truth[row]), float(found[row]))
        dots.append(Dot([place], 0, lines, item.picture, f"{item.where}, {lines[1]}"))
    half = figure(float(np.median(off)))
    alt = f"Predicted against true {name} of {len(dots):,} items; half of them are at most {half} off."
    return Map(
        title=f"Predicted against true {name}",
        alt=alt,
        views=[""],
        dots=dots,
        x=Axis(f"True {name}"),
        y=Axis(f"Predicted {name}"),
        diagonal="right",
    )


def _errors(errors: np.ndarray, name: str) -> Chart:
    counts, edges = np.histogram(errors, bins=min(BINS, max(5, len(errors) // 8)))
    points = [
        Point(
            float(low),
            int(count),
            text=f"{figure(float(low))} to {figure(float(high))}\n{count:,} items",
            wide=float(high),
        )
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    middle, spread = f"{np.mean(errors):.3g}", f"{np.std(errors):.3g}"
    return Chart(
        title="How far off, and which way",
        alt=f"Histogram of predicted minus true {name}: {middle} on average, standard deviation {spread}.",
        x=Axis(f"Predicted minus true {name}"),
        y=Axis("Items", low=0, whole=True),
        series=[Series(f"{middle} on average, ± {spread}", points, "bar", colour="one")],
        height=420,
    )
