"""Overfitting: the sealed network does far better on the items that it learnt from than on others."""

from __future__ import annotations

from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Finding, Interval
from headstart.diagnose.finished import Finished, finished, said, short, strategy
from headstart.measure import chance

THRESHOLD = 0.10
"""Lower limit of the gap, as a share of the score, from which on it is worth a word."""
ALARMING = 0.25
"""And from which on it may be what limits the score most."""


def examine(evidence: Run) -> Finding | None:
    """The gap between what the sealed network learnt from and what was held out, with what would shrink it."""
    found = finished(evidence)
    if found is None or found.validation is None or not found.learnt:
        return None
    metric, fitted = found.in_points, evidence.fitted
    score = (fitted.get("scores") or {}).get(metric.name)
    if not isinstance(score, dict):
        return None
    learnt, held = Interval(**score), found.score(found.validation, metric)
    gap = chance.difference(learnt, held)
    if gap.low < THRESHOLD:
        return None
    less, low, high = metric.numbers(gap)
    return Finding(
        name="overfitting",
        severity="warning" if gap.low >= ALARMING else "info",
        sentence=(
            f"{found.sealed} knows the items that it learnt from better than others: "
            f"{metric.phrase.format(said(metric, learnt))} on those, {said(metric, held)} on held-out ones, "
            f"{less}{' points' if metric.percent else ''} less ({low} to {high})"
        ),
        number=gap.value,
        threshold=THRESHOLD,
        next_move=_moves(found),
        evidence={
            "metric": metric.name,
            "learnt_from": dict(score),
            "held_out": held.as_dict(),
            "items_asked": f"{fitted.get('items')} of {fitted.get('of')} that it learnt from",
        },
    )


def _moves(found: Finished) -> str:
    """Fewer weights that move where that is measured to cost nothing; else more variety, and more labels always."""
    row, smaller = found.rows.get(found.sealed), _smaller(found)
    if row is None or row.detail.get("strategy") == "probe":
        return "more labelled items; nothing but the head was trained, so there is little else to hold back"
    if smaller is not None:
        return (
            f"more labelled items; or {smaller.name}, which moves {short(smaller.trainable)} weights instead of "
            f"{short(row.trainable)} and is no worse as far as can be measured: {found.fit(*strategy(smaller))}"
        )
    again = found.fit(*strategy(row), "--set", "augmentation.strength=2", "--set", "augmentation.randaugment=9")
    return f"more labelled items; or more varied views of those there are: {again}"


def _smaller(found: Finished) -> Evidence | None:
    """The candidate with the fewest moving weights that is not measurably worse than the sealed one."""
    row = found.rows[found.sealed]
    for other in sorted(found.measured("transfer"), key=lambda one: one.trainable):
        gain = found.gain(row.name, other.name)
        if gain is not None and gain.low <= 0 and gain.value <= 0.01 and other.trainable < row.trainable / 2:
            return other
    return None
