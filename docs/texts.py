"""The page about what texts get, made from what two benchmarks measured: no figure in it was typed by hand."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
NOTE = "<!-- Made from benchmarks/results by `make docs`; run the benchmarks instead of editing. -->"

INTRODUCTION = """\
# What is measured of texts

Real English texts: the docstrings of {classes} scientific packages, each labelled with its package, their names masked
(`examples/docstrings.py` writes them from what is installed). The encoder is all-MiniLM-L6-v2, which the extra `text`
installs."""

LABELS = """\
## Against TF-IDF with a logistic regression

`headstart fit` as it is by default, {budget} a fit, against scikit-learn's `TfidfVectorizer` and `LogisticRegression`,
whose n-grams and C are chosen by cross-validation. Both learn from the same labelled texts and answer the same others,
those of a fifth of the files; no text of these is labelled. Accuracy in percent. The interval of several draws is
Student's t over the draws; that of one is over its items, and knows nothing of the luck of the draw.

| labelled | draws | headstart | TF-IDF | gap, 95 % |
|---|---:|---:|---:|---:|
{rows}

{sealed}

Command: `{command}`. Machine: {machine}, commit {commit}."""

SPEED = """\
## Against the Hugging Face Trainer

Seconds from the start of a process until a model is on disk; medians of alternating runs. `default` is the Trainer as
its documentation begins (float32, batches in random order), `tuned` has batches of similar length and {precision}. Its
rate is the best of three, the search for it not counted. The Trainer learns from all of the texts. headstart holds a
fifth of them back for the test that its users see, fits once to choose and once more to seal, and writes its report.
*Answering* is what the held-out texts then take: in the same process for the Trainer, in a new one for headstart, whose
start-up is included. A gap of accuracy is of the same {answered} texts or more, paired, ours minus theirs; its interval
is 95 %.

| trained | texts | epochs | runs | headstart, s | Trainer, s | times as fast | answering, s | accuracy, % | gap |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}

{judged}

Command: `benchmarks/text_speed.py`, whose help has the options. Machine: {machine}, {threads} threads, {precision},
commit {commit}."""

TRAINED = {"head": "the head", "partial": "half the layers and the head", "full": "all layers"}
TARGETS = [
    ("head", 2000, 10, 12.0),
    ("head", 10_000, 20, 30.0),
    ("partial", 2000, None, 1.5),
    ("full", 2000, None, 1.0),
]
"""Job, texts, epochs (None: whatever was run) and how many times as fast as the Trainer it is meant to be."""


def page() -> str:
    """The whole page."""
    labels, speed = (_read(name) for name in ("texts", "text_speed"))
    parts = [INTRODUCTION.format(classes=labels["classes"])] if labels else []
    parts += [_labels(labels)] if labels else []
    parts += [_speed(speed)] if speed else []
    return "\n\n".join([NOTE, *parts]) + "\n"


def _read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _labels(found: Mapping[str, Any]) -> str:
    rows, shown = found["rows"], []
    for each in dict.fromkeys(row["each"] for row in rows):
        own = [row for row in rows if row["each"] == each]
        about = found["summary"][str(each)]
        what = "all" if each is None else f"{each} a class"
        gap = f"{about['gap']:+.1f} [{about['low']:+.1f}, {about['high']:+.1f}]"
        means = [statistics.mean(row[who] for row in own) for who in ("headstart", "rival")]
        shown.append(f"| {what} | {about['draws']} | {means[0]:.1f} | {means[1]:.1f} | {gap} |")
    about = {name: rows[-1][name] for name in ("budget", "machine", "commit")}
    return LABELS.format(rows="\n".join(shown), sealed=_sealed(rows), command=found["command"], **about)


def _sealed(rows: Sequence[Mapping[str, Any]]) -> str:
    """What was sealed: a model without a network is one of those that a fit measures."""
    without = [row for row in rows if row["sealed"].startswith("tfidf")]
    names = ", ".join(f"{row['sealed']} ({'all labels' if row['each'] is None else row['seed']})" for row in rows)
    said = (
        f"In {len(without)} of the {len(rows)} draws headstart sealed a TF-IDF model of its own, which reads words and"
    )
    return (
        f"{said}\nparts of words, for it was the best on held-out items; elsewhere an encoder won. By draw:\n{names}."
    )


def _speed(found: Mapping[str, Any]) -> str:
    shown = found["summary"]
    about = {name: found["runs"][-1][name] for name in ("machine", "threads", "precision")}
    about["commit"] = ", ".join(dict.fromkeys(run["commit"] for run in found["runs"]))
    return SPEED.format(
        rows="\n".join(_row(row) for row in shown),
        judged="\n".join(_judged(shown)),
        answered=min(row["texts_answered"] for row in shown),
        **about,
    )


def _row(row: Mapping[str, Any]) -> str:
    mine, other, gap = row["headstart"], row["trainer"], row["gap"]
    cells = [
        TRAINED[row["job"]],
        f"{row['texts']:,}",
        str(row["epochs"]),
        " and ".join(map(str, row["runs"])),
        f"{mine['seconds']:.0f}",
        f"{other['seconds']:.0f} ({row['rival']})",
        f"{row['times_faster']:.1f}",
        f"{mine['answering']:.0f}, {other['answering']:.0f}",
        f"{mine['right']:.1f}, {other['right']:.1f}",
        f"{gap['value']:+.1f} [{gap['low']:+.1f}, {gap['high']:+.1f}]",
    ]
    return f"| {' | '.join(cells)} |"


def _judged(shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was aimed at, and whether it was reached."""
    lines = []
    for job, texts, epochs, target in TARGETS:
        rows = [row for row in shown if (row["job"], row["texts"]) == (job, texts) and epochs in (None, row["epochs"])]
        aim = f"- {TRAINED[job].capitalize()}, {texts:,} texts{f', {epochs} epochs' if epochs else ''}: aimed at "
        aim += f"{target:g} times as fast"
        said = [f"{_verdict(row['times_faster'], target)} against `{row['rival']}`" for row in rows]
        lines.append(f"{aim}; {', '.join(said) if said else _fewer(shown, job, texts)}.")
    return lines


def _fewer(shown: Sequence[Mapping[str, Any]], job: str, texts: int) -> str:
    """What is known where it was run with other epochs only."""
    rows = [row for row in shown if (row["job"], row["texts"]) == (job, texts)]
    known = [f"at {row['epochs']} epochs {row['times_faster']:.1f} against `{row['rival']}`" for row in rows]
    return f"not measured{f', {known[0]}' if known else ''}"


def _verdict(measured: float, target: float) -> str:
    return f"{'reached' if measured >= target else 'missed'} ({measured:.1f})"
