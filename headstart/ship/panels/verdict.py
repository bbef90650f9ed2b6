"""The verdict: whether the transfer helped, in the run's own sentence, and the models that met the test items."""

from __future__ import annotations

from headstart.measure.metric import Metric
from headstart.ship.report.blocks import Cell, Outcome, Panel, Prose, Table
from headstart.ship.report.drawing import COLOURS, KIND_WORDS, drawn, ends
from headstart.ship.report.facts import Facts, Finalist

PLACE = 10
OUTCOMES = {
    "positive": ("Transfer helped", "▲", "good"),
    "negative": ("Negative transfer", "▼", "bad"),
    "tie": ("Transfer made no measurable difference", "=", "open"),
    "not measured": ("Whether transfer helped was not measured", "○", "open"),
}
"""Outcome -> what is said, a sign, a tone."""


def show(facts: Facts) -> Panel | None:
    """The sentence, and the finalists' scores with their intervals."""
    if not facts.verdict.get("sentence"):
        return Panel("Verdict", PLACE, _unfinished(facts), span=12)
    word, mark, tone = OUTCOMES.get(str(facts.verdict.get("outcome")), OUTCOMES["not measured"])
    # The word stands above the sentence in large letters, and need not be said twice.
    sentence = str(facts.verdict["sentence"]).removeprefix(word).lstrip(":, ")
    blocks = [Outcome(word, mark, tone, sentence), _finalists(facts), _missing(facts)]
    return Panel("Verdict", PLACE, tuple(block for block in blocks if block is not None), span=12)


def _unfinished(facts: Facts) -> tuple[Outcome | Prose, ...]:
    if facts.manifest is None:
        begun = facts.data.get("understood")
        sentence = "This run has not finished: there is no model, and no verdict yet."
        told = Prose(f"It was begun on {begun}.") if begun else Prose("It was stopped before its data were read.")
        return (
            Outcome("Unfinished", "…", "open", sentence),
            told,
            Prose("headstart fit with --resume goes on where it stopped.", tone="quiet"),
        )
    return (Outcome("No verdict", "○", "open", "This model was sealed without a verdict."),)


def _missing(facts: Facts) -> Prose | None:
    if not facts.missing or facts.manifest is None:
        return None
    return Prose("Not on this page: " + "; ".join(each.rstrip(".") for each in facts.missing) + ".", tone="quiet")


def _finalists(facts: Facts) -> Table | None:
    metrics = [metric for metric in dict.fromkeys((facts.stated, facts.decided)) if metric is not None]
    shown = [each for each in metrics if any(each.name in one.scores for one in facts.finalists)]
    if not shown:
        return None
    part = facts.held.get("tested")
    items = facts.verdict.get("items") or (len(part) if part else 0)
    tested = bool(facts.verdict.get("tested", True))
    where = f"On {items:,} {'test' if tested else 'cross-validated'} {facts.modality}"
    first = shown[0]
    scale = ends([one.scores[first.name] for one in facts.finalists if first.name in one.scores])
    rows = []
    for one in facts.finalists:
        found = one.scores.get(first.name)
        cells = [Cell(one.name, note=KIND_WORDS.get(one.role, one.role), tag="sealed" if one.sealed else "")]
        if found is None:
            cells += [Cell("–"), Cell("")]
        else:
            value, low, high = first.numbers(found)
            bar = drawn(found, scale, COLOURS.get(one.role, "one"))
            cells += [Cell(value + first.unit), Cell(f"{low} to {high}", drawn=bar)]
        rows.append([*cells, *(_score(one, metric) for metric in shown[1:])])
    strong = [position for position, one in enumerate(facts.finalists) if one.sealed]
    heads = (where, first.title, "95 % interval", *(each.title for each in shown[1:]))
    right = [place for place in range(1, len(heads)) if place != 2]
    return Table(heads, rows, "Scores of the finalists", right, strong)


def _score(one: Finalist, metric: Metric) -> Cell:
    found = one.scores.get(metric.name)
    return Cell("–" if found is None else metric.numbers(found)[0] + metric.unit)
