"""Learning curves: training loss and held-out score of every candidate that was trained, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.ship.report.blocks import Axis, Chart, Panel, Point, Series
from headstart.ship.report.drawing import PALETTE, inside, unit
from headstart.ship.report.facts import Curve, Facts

PLACE = 40


def show(facts: Facts) -> Panel | None:
    """The loss on the training items, and, where it was measured after every epoch, the score on the held-out ones."""
    curves = [one for one in facts.curves if any(loss is not None for loss in one.losses)]
    if not curves:
        return None
    candidates = list(dict.fromkeys(one.candidate for one in curves))
    colour = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(candidates)}
    charts = [_losses(curves, colour)]
    held = _held(facts, curves, colour)
    if held is not None:
        charts.append(held)
    folds = len({one.fold for one in curves if one.fold != "refit"})
    lead = "One line a fit that ran to the end of its schedule; the refit on all development items is dashed."
    if folds > 1:
        lead += f" The other {folds - 1} folds are faint."
    return Panel("Learning curves", PLACE, tuple(charts), lead)


def _losses(curves: Sequence[Curve], colour: dict[str, str]) -> Chart:
    series = [
        Series(
            f"{one.candidate}, {one.fold}",
            [
                Point(epoch, loss, text=f"epoch {epoch}\n{one.candidate}, {one.fold}")
                for epoch, loss in enumerate(one.losses, 1)
                if loss is not None
            ],
            colour=colour[one.candidate],
            dashed=one.fold == "refit",
            faint=one.fold not in ("refit", "fold 1"),
        )
        for one in curves
    ]
    last = max(curves, key=lambda one: len(one.losses))
    return Chart(
        title="Training loss",
        alt=f"Training loss of {len(colour)} candidates by epoch, up to {len(last.losses)} epochs.",
        x=Axis("Epoch", low=1, whole=True),
        y=Axis("Training loss", low=0),
        series=series,
    )


def _held(facts: Facts, curves: Sequence[Curve], colour: dict[str, str]) -> Chart | None:
    metric = facts.decided
    if metric is None:
        return None
    watched = [one for one in curves if len(one.held.get(metric.name, ())) > 1]
    if not watched:
        return None
    factor = 100 if metric.percent else 1
    series = [
        Series(
            f"{one.candidate}, {one.fold}",
            [
                Point(epoch, factor * value, text=f"epoch {epoch}\n{one.candidate}, kept epoch {one.kept}")
                for epoch, value in one.held[metric.name]
            ],
            colour=colour[one.candidate],
            faint=one.fold != "fold 1",
        )
        for one in watched
    ]
    return Chart(
        title=f"Held-out {inside(metric.title)}",
        alt=f"{metric.title} on the held-out items by epoch, for {len(watched)} fits.",
        x=Axis("Epoch", low=1, whole=True),
        y=Axis(metric.title + unit(metric)),
        series=series,
    )
