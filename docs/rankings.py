"""The page about ranking backbones, made from what two benchmarks measured: no figure in it was typed by hand."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy.stats import weightedtau

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
NOTE = "<!-- Made from benchmarks/results by `make docs`; run the benchmarks instead of editing. -->"
COMBINED = "combination"
OURS = "headstart rank"

INTRODUCTION = """\
# Ranking pretrained networks

    headstart rank photos/

compares networks on up to 2,000 development items of your data without fine-tuning any. The leave-one-out loss of a
closed-form probe decides wherever the items can tell two networks apart (a paired bootstrap over the items, 95 %);
where they cannot, five votes do: reputation (published accuracy, then size), that loss, k-NN, shrinkage H-score and
LogME. What reputation alone would have chosen is always said, and so is a tie. `fit --backbone auto` chooses in the
same way."""

PUBLISHED = """\
## On published tables

A check of the combination, not of our features: the tables hold other people's scores and fine-tuned accuracies. Of
the five votes they have three, reputation (ImageNet top-1), LogME and the H-score in place of the shrunk one, and
their mean rank is the row `{combined}`. Nothing was fitted to these tables. `reputation` uses no item of the data set,
nor does `history`, which ranks by the mean rank on the *other* data sets of the table; it is no part of the product.
`chance` is a blind choice. Agreement is the weighted Kendall tau, regret is in points of accuracy behind the best
network of the table; both are means over the data sets.

How much there is to win: the two published truths, for the same ten networks on the same {shared} data sets, agree
with each other at a mean tau of only {ceiling:.2f} ({lowest} {low:.2f}, {highest} {high:.2f}). Differences of 0.05 to
0.1 between choosers mean nothing; the interval of each difference is given below its table. Where the networks of a
table differ mostly in size, as these do, reputation is hard to beat; it says nothing of networks without a published
accuracy, or of a data set that is far from ImageNet.

{broken}"""

BENCHMARK = """\
## On backbones of our own

{backbones} backbones made by `headstart pretrain` from sources that are not the targets (architecture and source in
their names; two learnt permuted labels), {shots} labels a class. The truth of a backbone is the better of a logistic
probe and of full fine-tuning with its rate sweep, on test pictures that nothing else sees, mean over {draws} draws of
the labelled pictures. {done} of {planned} cells are measured."""


def page() -> str:
    """docs/ranking.md."""
    published = json.loads((RESULTS / "published.json").read_text("utf-8"))
    parts = [NOTE, INTRODUCTION, *_own(), *_published(published)]
    return "\n\n".join(parts) + "\n"


def _published(data: Mapping[str, Any]) -> list[str]:
    ceiling = data["ceiling"]["datasets"]
    lowest, highest = min(ceiling, key=ceiling.get), max(ceiling, key=ceiling.get)
    flaws = "\n".join(f"- {text}" for text in data["broken"])
    lead = PUBLISHED.format(
        combined=COMBINED,
        shared=len(ceiling),
        ceiling=data["ceiling"]["mean"],
        lowest=lowest,
        low=ceiling[lowest],
        highest=highest,
        high=ceiling[highest],
        broken=f"Published numbers that cannot be right, kept as they are:\n\n{flaws}",
    )
    parts = [lead]
    for name, one in data["tables"].items():
        parts += [f"### {name}", f"{one['what'].capitalize()}.", _choosers(one["mean"])]
        if one["leads"]:
            told = ", ".join(_lead(other, lead) for other, lead in one["leads"].items())
            parts.append(f"Tau of the combination less that of another, with its 95 % interval over data sets: {told}.")
        parts.append(_by_dataset(one["datasets"]))
    sources = [f"- `{name}`: {one['what']}; {_source(one)}" for name, one in data["sources"].items()]
    return [*parts, f"Command: `{data['command']}`. Tables, in `benchmarks/published/`:", "\n".join(sources)]


def _source(one: Mapping[str, str]) -> str:
    return ", ".join(
        text for text in (one["where"], one["commit"] and f"commit {one['commit'][:12]}", one["paper"]) if text
    )


def _choosers(mean: Mapping[str, Mapping[str, float]]) -> str:
    order = sorted(mean, key=lambda name: -mean[name]["tau"])
    rows = [[_strong(name), f"{mean[name]['tau']:.3f}", f"{mean[name]['regret']:.2f}"] for name in order]
    return _table(["chooser", "tau", "regret, points"], rows)


def _by_dataset(each: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    choosers = [name for name in next(iter(each.values())) if name != "chance"]
    rows = [
        [_strong(name), *(f"{row[name]['tau']:.2f} / {row[name]['regret']:.1f}" for row in each.values())]
        for name in choosers
    ]
    return "Tau / regret on each data set:\n\n" + _table(["chooser", *each], rows)


def _lead(name: str, found: Mapping[str, float]) -> str:
    return f"{name} {found['value']:+.2f} [{found['low']:+.2f}, {found['high']:+.2f}]"


def _own() -> list[str]:
    """The section of benchmarks/ranking.py; nothing before it has a whole draw."""
    path = RESULTS / "ranking.json"
    data = json.loads(path.read_text("utf-8")) if path.exists() else {}
    targets = judged(data) if data else {}
    if not targets:
        return []
    asked = data["configuration"]
    lead = BENCHMARK.format(
        backbones=len(asked["backbones"]),
        shots=asked["labels_a_class"],
        draws=asked["draws"],
        done=data["done"],
        planned=data["planned"],
    )
    parts = [lead]
    for name, one in targets.items():
        parts += [f"### {name}", _told(one), _choosers(one["mean"]), _truth(one)]
    machine = data["machine"]
    parts.append(
        f"Command: `{data['command']}`. Commit {', '.join(_commits(data))}. Machine: {machine['kind']}, "
        f"{machine['threads']} thread, {machine['precision']}; seconds are the processor's, other work ran beside it."
    )
    return parts


def _commits(data: Mapping[str, Any]) -> list[str]:
    return sorted({cell["commit"] for cell in data["cells"].values()})


def judged(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Target -> what was found on its draws that are whole: truth, regret and cost."""
    cells, names = data["cells"], list(data["configuration"]["backbones"])
    found: dict[str, dict[str, Any]] = {}
    for target in dict.fromkeys(key.split("/")[0] for key in cells):
        draws = [
            draw
            for draw in range(data["configuration"]["draws"])
            if all(f"{target}/{draw}/{name}" in cells for name in ["ranking", *names])
        ]
        if draws:
            found[target] = _judged(cells, target, draws, names)
    return found


def _judged(cells: Mapping[str, Any], target: str, draws: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
    reached = {
        arm: {name: statistics.fmean(cells[f"{target}/{draw}/{name}"][arm] for draw in draws) for name in names}
        for arm in ("probe", "full")
    }
    truth = {name: max(reached["probe"][name], reached["full"][name]) for name in names}
    best = max(truth.values())
    tables = [cells[f"{target}/{draw}/ranking"] for draw in draws]
    said: dict[str, list[dict[str, float]]] = {}
    for one in tables:
        for chooser, order in _orders(one, names).items():
            # A score that is the same for several first ones cannot choose between them: they count in the mean.
            chosen = statistics.fmean(truth[name] for name in names if order[name] >= max(order.values()) - 1e-6)
            agreement = float(weightedtau([truth[name] for name in names], [order[name] for name in names]).statistic)
            said.setdefault(chooser, []).append({"tau": agreement, "regret": best - chosen})
    mean = {
        chooser: {what: statistics.fmean(row[what] for row in rows) for what in ("tau", "regret")}
        for chooser, rows in said.items()
        if len(rows) == len(draws)
    }
    mean["chance"] = {"tau": 0.0, "regret": best - statistics.fmean(truth.values())}
    others = {name: value for name, value in truth.items() if value < best} or truth
    nexts = [
        min((row for row in one["rows"] if row["backbone"] in others), key=lambda row: row["place"]) for one in tables
    ]
    tuning = [cells[f"{target}/{draw}/{name}"]["seconds"] for draw in draws for name in names]
    return {
        "draws": len(draws),
        "truth": truth,
        **reached,
        "mean": mean,
        "firsts": [next(row for row in one["rows"] if row["place"] == 1)["backbone"] for one in tables],
        "regret_without_best": statistics.fmean(max(others.values()) - others[row["backbone"]] for row in nexts),
        "ranking_seconds": statistics.fmean(one["seconds"]["processor"] for one in tables),
        "tuning_seconds": statistics.fmean(tuning),
        "dearest_seconds": max(tuning),
    }


def _orders(one: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Chooser -> backbone -> a number that is higher for a better one."""
    rows = {row["backbone"]: row for row in one["rows"]}
    found = {
        OURS: {name: -float(rows[name]["place"]) for name in names},
        "leave-one-out loss": {name: -rows[name]["loss"] for name in names},
        "leave-one-out accuracy": {name: rows[name]["accuracy"] for name in names},
        "reputation (size)": {name: float(rows[name]["parameters"]) for name in names},
    }
    singles = set.intersection(*(set(row["scores"]) for row in rows.values()))
    return found | {score: {name: rows[name]["scores"][score] for name in names} for score in sorted(singles)}


def _told(one: Mapping[str, Any]) -> str:
    ours = one["mean"][OURS]
    firsts = ", ".join(f"`{name}`" for name in dict.fromkeys(one["firsts"]))
    draws = "1 draw" if one["draws"] == 1 else f"{one['draws']} draws"
    return (
        f"The first choice ({firsts}; {draws}) is {ours['regret']:.2f} points behind the best; without the best, "
        f"the first among the others is {one['regret_without_best']:.2f} behind their best. Ranking all "
        f"{len(one['truth'])} took {one['ranking_seconds']:.1f} processor seconds; full fine-tuning took "
        f"{one['tuning_seconds']:.1f} for one backbone in the mean, {one['dearest_seconds']:.1f} at most."
    )


def _truth(one: Mapping[str, Any]) -> str:
    order = sorted(one["truth"], key=lambda name: -one["truth"][name])
    rows = [[name, f"{one['probe'][name]:.1f}", f"{one['full'][name]:.1f}"] for name in order]
    return "Accuracy in percent on the test pictures:\n\n" + _table(["backbone", "probe", "fine-tuned"], rows)


def _strong(name: str) -> str:
    return f"**{name}**" if name in (COMBINED, OURS) else name


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
