"""The page of benchmarks/decision.py, made from its results, so that no figure in it was typed by hand."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "decision.json"
NOTE = "<!-- Made from benchmarks/results by `make docs`; run the benchmark instead of editing. -->"
FEW = {5: "5", 20: "20", 0: "all"}

INTRODUCTION = """\
# How good the decision is

Does `headstart fit --strategy auto` end where the best fixed strategy would have ended, in how much of the time, and is
its verdict about the transfer true? Small pictures whose labels are known because we drew them, small networks that we
trained ourselves, two of them harmful on purpose. Models are judged on {population:,} pictures that nobody was taught
(the digits: on the half that is kept for it), so a difference that is there is known to be there.

**{cells} of {cells_planned} cells done** ({units:,} of {units_planned:,} units of work), {seeds} seeds each.
Command: `{command}`. {cost} Machine: {kind}, {threads} thread(s), {precision}, torch {torch}.
{commits}

In every cell each fixed strategy runs to its end with its own sweep of rates: {fixed}. The *oracle* is the one with the
best mean over the seeds; nobody can know it beforehand. *Regret* is how many points of accuracy a choice lies below it;
it can be negative, for `auto` may choose another strategy with each seed. `auto` gets {budget:.0%} of the processor
seconds that all fixed strategies took."""

TARGETS = """\
## What was learnt, and from what

{targets}

All labels are {most} a class. A source is *related* if it learnt another task of the same renderer (other letters,
kinds of shape, other textures) and *unrelated* if it learnt one of another renderer; *patterns* is trained on the
generated patterns of the embedded backbones. *Permuted labels* knows pictures by heart whose labels were dealt at
random. *Dead units* learnt letters, and then most of its rectifiers were shut for good. All are `{architecture}` at
{side} pixels."""

VERDICTS = """\
## Verdicts

The true gap of a cell is what the source is worth at best: the best strategy with it less the best one without it
(random features, or from scratch), on the population. What a run can detect follows from its number of items and from
how often the two models disagree: the gap that a 95 % interval finds nine times out of ten. Only cells whose true gap
is beyond that are counted."""

COVERAGE = """\
## Intervals

How often the 95 % interval for the gap of two trained models held the true gap. *Test part*: full fine-tuning and from
scratch stay as they are, and {replicates} test parts of {tested} pictures are drawn from the population.
*Cross-validated*: on {replicates} fresh draws of the labelled pictures a probe on the source's features and one on
random features are fitted in five folds; the interval of their out-of-fold answers should hold the gap of the same two
fitted on all of the draw."""


def page(data: Mapping[str, Any] | None = None) -> str:
    """The page; by default of the results in the repository."""
    found = json.loads(RESULTS.read_text("utf-8")) if data is None else data
    parts = [NOTE, _introduction(found), "## Against the bars", _bars(found)]
    parts += ["## Strategies", _strategies(found), "## Cells", _cells(found), _learnt(found)]
    parts += [VERDICTS, _verdicts(found), COVERAGE.format(**found["settings"]), _coverage(found)]
    return "\n\n".join(parts) + "\n"


def _introduction(found: Mapping[str, Any]) -> str:
    settings, done, machine = found["settings"], found["done"], found["machine"]
    fixed = settings["fixed"]
    told = {"fixed": "fixed strategies", "auto": "`auto`", "coverage": "coverage"}
    commits = "; ".join(
        f"{told.get(role, role)} {', '.join(sorted(counts))}" for role, counts in found["commits"].items()
    )
    return INTRODUCTION.format(
        **{name: done[name] for name in ("cells", "cells_planned", "units", "units_planned")},
        **{name: machine[name] for name in ("kind", "threads", "precision", "torch")},
        population=settings["population"],
        seeds=settings["seeds"],
        command=found["command"],
        cost=_cost(done),
        commits=f"Commits: {commits}." if commits else "",
        fixed=", ".join(f"`{name}`" for name in fixed),
        budget=settings["budget_share"],
    )


def _cost(done: Mapping[str, Any]) -> str:
    """What it took, and what is left of it; testing on the population left out."""
    text = f"So far it took {done['seconds'] / 3600:.1f} processor hours"
    if done["seconds_of_all"] is not None and done["units"] < done["units_planned"]:
        text += f", of about {done['seconds_of_all'] / 3600:.1f} in all"
    if done["seconds_of_suite"] is not None:
        text += f"; all cells with ten seeds would take about {done['seconds_of_suite'] / 3600:.0f}"
    return f"{text} (the population's share left out)."


def _bars(found: Mapping[str, Any]) -> str:
    """What was to be reached, and what was."""
    overall, verdicts, coverage = found["overall"], found["verdicts"], found["coverage"]
    rows: list[list[str]] = []

    def add(what: str, wanted: str, measured: str | None, kept: bool | None) -> None:
        word = "not decided yet" if kept is None else "yes" if kept else "**no**"
        rows.append([what, wanted, measured or "not measured yet", word])

    bars = overall["bars"] if overall else {}
    regret = f"{overall['mean_regret']['auto']:+.2f} points" if overall else None
    add("mean regret of `auto`", "at most 0.5 points", regret, bars.get("mean regret"))
    worst = ", ".join(f"{FEW[int(k)]}: {v:+.1f}" for k, v in overall["worst_by_shots"].items()) if overall else None
    wanted = "at most 4 points at 5 labels a class, 2 at 20 and all"
    add("worst regret of `auto`", wanted, worst, bars.get("worst regret"))
    time = "at most half of all fixed strategies'"
    share = (
        f"{overall['share_of_time']['mean']:.0%}, at most {overall['share_of_time']['worst']:.0%}" if overall else None
    )
    add("time of `auto`", time, share, bars.get("time"))
    beaten = f"{len(_beaten(overall))} of {len(found['settings']['fixed'])}" if overall else None
    name = "better than every fixed strategy"
    add("fixed strategies beaten both in the mean and in the worst cell", "all of them", beaten, bars.get(name))
    for side, what, wanted, bar in (
        ("negative", "negative transfer that is called negative", "at least 90 %", "negative found"),
        ("positive", "positive transfer that is called negative", "at most 5 %", "positive denied"),
    ):
        runs = verdicts[side]["runs"] if verdicts else 0
        called = f"{verdicts[side]['called'].get('negative', 0)} of {runs} runs" if runs else None
        add(what, wanted, called, verdicts["bars"][bar] if verdicts else None)
    for where, one in coverage.items():
        held = f"{one['share']:.1%} of {one['replicates']:,}" if one else None
        add(f"coverage of 95 % intervals, {where}", "92 to 98 %", held, one["bar"] if one else None)
    return _table(["", "wanted", "measured", "reached"], rows)


def _beaten(overall: Mapping[str, Any]) -> list[str]:
    means, worst = overall["mean_regret"], overall["worst_regret"]
    return [name for name in means if means["auto"] < means[name] and worst["auto"] < worst[name]]


def _strategies(found: Mapping[str, Any]) -> str:
    """Regret of every fixed strategy over the cells in which all of them are done, and of auto where it is done too."""
    standing, overall = found["fixed"], found["overall"]
    if standing is None:
        return "No cell has all fixed strategies yet."
    head = ["always", "mean regret", "worst regret", "the oracle in", "`auto` wins, ties, loses"]
    rows = []
    for name, one in standing["strategies"].items():
        record = overall["record"][name] if overall else None
        told = f"{record['win']}, {record['tie']}, {record['loss']}" if record else ""
        rows.append([f"`{name}`", f"{one['mean']:.2f}", f"{one['worst']:.1f}", f"{one['best_in']}", told])
    if overall:
        record = overall["record"]["the oracle"]
        told = f"against the oracle: {record['win']}, {record['tie']}, {record['loss']}"
        rows.append(
            ["**auto**", f"{overall['mean_regret']['auto']:.2f}", f"{overall['worst_regret']['auto']:.1f}", "", told]
        )
    about = f"Points, over the {standing['cells']} cells in which every fixed strategy has run with every seed"
    about += f"; `auto` over {overall['cells']}. " if overall else "; `auto` has not finished a cell yet. "
    return (
        about
        + "A win or a loss is a 95 % interval of the paired difference that leaves out 0.\n\n"
        + _table(head, rows)
    )


def _cells(found: Mapping[str, Any]) -> str:
    """One line a cell."""
    head = [
        "target",
        "labels a class",
        "source",
        "oracle",
        "its accuracy, %",
        "`auto`, %",
        "regret",
        "sealed by `auto`",
    ]
    head += ["time of `auto` / of all fixed", "true gap, points", "detectable", "verdicts"]
    rows = []
    for one in found["cells"]:
        row = [one["target"], FEW[one["shots"]], one["relation"]]
        if not one["fixed_finished"]:
            rows.append([*row, "{} of {} units so far".format(*one["units"]), *[""] * (len(head) - 4)])
            continue
        means = {name: statistics.fmean(values) for name, values in one["arms"].items()}
        best = max(means, key=lambda name: means[name])
        gap = f"{one['gap']:+.1f} (`{one['gap_of'][0]}` - `{one['gap_of'][1]}`)"
        row += [f"`{best}`", f"{means[best]:.1f}"]
        if not one["finished"]:
            rows.append([*row, "", "", "", "", gap, "", ""])
            continue
        auto = statistics.fmean(one["auto"])
        share = one["seconds"]["auto"] / one["seconds"]["fixed"]
        row += [f"{auto:.1f}", f"{means[best] - auto:+.1f}", _counted(one["chosen"]), f"{share:.0%}"]
        rows.append([*row, gap, f"{one['detectable']:.1f}", _counted(one["outcomes"])])
    return _table(head, rows)


def _counted(words: Sequence[str]) -> str:
    counts = {word: words.count(word) for word in dict.fromkeys(words)}
    return ", ".join(word if count == 1 else f"{count} x {word}" for word, count in counts.items())


def _learnt(found: Mapping[str, Any]) -> str:
    settings = found["settings"]
    targets = "\n".join(f"- **{name}**: {what}" for name, what in settings["targets"].items())
    return TARGETS.format(
        targets=targets, most=settings["most_a_class"], architecture=settings["architecture"], side=settings["side"]
    )


def _verdicts(found: Mapping[str, Any]) -> str:
    verdicts = found["verdicts"]
    if verdicts is None:
        return "No cell is finished yet."
    rows = []
    for side in ("negative", "positive"):
        one = verdicts[side]
        told = ", ".join(f"{word}: {count}" for word, count in one["called"].items()) or "none"
        rows.append([f"transfer is {side}", f"{one['runs']}", told])
    about = f"{verdicts['too_small_to_tell']} finished cells have a gap that is too small to be told."
    return f"{about}\n\n" + _table(["in truth", "runs", "what they said"], rows)


def _coverage(found: Mapping[str, Any]) -> str:
    rows = []
    for one in found["cells"]:
        for where, lines in one["coverage"].items():
            tried, held = (sum(line[name] for line in lines) for name in ("replicates", "held"))
            if not tried:
                continue
            below, above = (sum(line[name] for line in lines) for name in ("below", "above"))
            gap, half = (statistics.fmean(line[name] for line in lines) for name in ("gap", "half"))
            items = ", ".join(dict.fromkeys(str(line["items"]) for line in lines))
            row = [one["cell"], where, f"{tried:,} of {items} pictures", f"{held / tried:.1%}"]
            rows.append([*row, f"{below}, {above}", f"{gap:+.1f}", f"{half:.1f}"])
    if not rows:
        return "Nothing of this has been measured yet."
    head = ["cell", "kind", "intervals", "held the truth", "truth below, above", "true gap, points", "mean half width"]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
