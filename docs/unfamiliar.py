"""The page of benchmarks/unfamiliar.py: what tells unfamiliar pictures, by kind of picture and of winner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

RESULT = Path(__file__).parents[1] / "benchmarks" / "results" / "unfamiliar.json"
OURS, REFERENCE = "nearest, several stages", "max softmax"
WINNERS = {"probe": "a probe (frozen)", "full": "full fine-tuning", "pixels": "no network (pixels)"}
NEAR = "near: classes nobody labelled"

PAGE = """\
<!-- Made from benchmarks/results by `make docs`; run the benchmark instead of editing. -->

# When a picture is unlike the training data

A sealed network marks a picture as unfamiliar when it lies further from its nearest training picture, over the pooled
features of up to four stages, than a line that was drawn on held-out pictures. About {rate:.0%} of familiar pictures
may cross that line. This page says why that score was chosen, and what it does not see.

{done} of {planned} cells are done: {targets}; few and more labels ({sizes} a class); {seeds} draws; and a winner
that is a probe, fully fine-tuned, or no network. Familiar pictures are up to {fresh} fresh ones of the same classes.
Figures are means over the cells with 95 % intervals (Student's t over cells; they are few, and of small pictures).

## Which score

The area under the ROC curve (50 % is chance), in percent, and in brackets the share of familiar pictures above the line
that catches 95 % of the strange ones. *Near* are classes of the same kind that nobody labelled, *far* is everything
else. `max softmax` is the model's own doubt, which the others have to beat.

{scores}

{said}

## What the line catches

The score that is used, in percent of the pictures that are called unfamiliar. The first two rows are false alarms: what
was promised, and what was counted on fresh familiar pictures.

{caught}

{near}

Inverted letters are familiar, for these letters come dark on light and light on dark; an inverted digit is not, and the
line does not see it. Without a network there is little to compare: on pixels the score is near chance for many kinds,
which is why a sealed baseline does not tell unfamiliar pictures at all.

Command: `python benchmarks/unfamiliar.py`. Backbone: `{backbone}`, machine: {machine}, commit {commit}.
"""


def page() -> str:
    """The page, from the cells that are done."""
    data = json.loads(RESULT.read_text("utf-8"))
    cells = {tuple(key.split("/")): cell for key, cell in data["cells"].items()}
    machine = data["machine"]
    return PAGE.format(
        rate=machine["rate"],
        done=len(cells),
        planned=data["planned"],
        targets=", ".join(dict.fromkeys(key[0] for key in cells)),
        sizes=" and ".join(dict.fromkeys(key[1] for key in cells)),
        seeds=len({key[3] for key in cells}),
        fresh=machine["fresh"],
        scores=_scores(cells),
        said=_said(cells),
        caught=_caught(cells),
        near=_near(cells),
        backbone=machine["backbone"],
        machine=machine["kind"],
        commit=machine["commit"],
    )


def values(cells: Any, winner: str, score: str, figure: str, *, near: bool) -> list[float]:
    """A figure in percent for every cell of a winner: of the near kind, or the mean over the far ones."""
    found = []
    for key, cell in cells.items():
        kinds = cell["scores"].get(score, {}).get("kinds", {}) if key[2] == winner else {}
        chosen = [kind[figure] for name, kind in kinds.items() if (name == NEAR) == near]
        if chosen:
            found.append(100 * float(np.mean(chosen)))
    return found


def interval(found: Sequence[float]) -> str:
    """Mean and half the width of its 95 % interval."""
    if not found:
        return "–"
    if len(found) == 1:
        return f"{found[0]:.1f}"
    half = student.ppf(0.975, len(found) - 1) * np.std(found, ddof=1) / len(found) ** 0.5
    return f"{np.mean(found):.1f} ± {half:.1f}"


def _scores(cells: Any) -> str:
    every = list(dict.fromkeys(score for cell in cells.values() for score in cell["scores"]))
    heads = [f"{kind}, {words}" for words in WINNERS.values() for kind in ("near", "far")]
    rows = []
    for score in every:
        row = []
        for winner in WINNERS:
            for near in (True, False):
                area, alarms = (values(cells, winner, score, figure, near=near) for figure in ("auroc", "fpr95"))
                row.append(f"{interval(area)} ({np.mean(alarms):.0f})" if area else "–")
        rows.append([f"**{score}**" if score == OURS else score, *row])
    return _table(["score", *heads], rows)


def _said(cells: Any) -> str:
    """Where the score that is used wins and where it loses, against the model's own doubt."""
    lines = []
    for winner in ("probe", "full"):
        for near in (True, False):
            ours, other = (values(cells, winner, score, "auroc", near=near) for score in (OURS, REFERENCE))
            if not ours:
                continue
            gaps = np.array(ours) - np.array(other)
            won, lost = int((gaps > 0).sum()), int((gaps < 0).sum())
            lines.append(
                f"- {'Near' if near else 'Far'}, {WINNERS[winner]}: against `{REFERENCE}` better in {won}, worse in "
                f"{lost} of {len(gaps)} cells, by {interval(list(gaps))} points."
            )
    return "\n".join(lines)


def _caught(cells: Any) -> str:
    kinds = list(dict.fromkeys(kind for cell in cells.values() for kind in cell["scores"][OURS]["kinds"]))
    groups = [(winner, size) for winner in WINNERS for size in dict.fromkeys(key[1] for key in cells)]

    def row(title: str, of: Any) -> list[str]:
        picked = [
            [100 * of(cell["scores"][OURS]) for key, cell in cells.items() if (key[2], key[1]) == group]
            for group in groups
        ]
        return [title, *(interval(each) for each in picked)]

    rows = [row("familiar, promised", lambda one: one["expected"]), row("familiar, counted", lambda one: one["alarms"])]
    rows += [row(kind, lambda one, kind=kind: one["kinds"][kind]["caught"]) for kind in kinds]
    return _table(["pictures", *(f"{WINNERS[winner]}, {size} a class" for winner, size in groups)], rows)


def _near(cells: Any) -> str:
    """What lines over either score catch of classes that nobody labelled."""
    both = [
        np.mean([each for winner in ("probe", "full") for each in values(cells, winner, score, "caught", near=True)])
        for score in (OURS, REFERENCE)
    ]
    return (
        "Near is hard: a class that nobody labelled often looks like one that somebody did. Of those pictures the line "
        f"catches {both[0]:.0f} %, and one drawn in the same way over `{REFERENCE}` {both[1]:.0f} %; the others stay "
        "below both. `--min-confidence` is the second net."
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
