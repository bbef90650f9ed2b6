"""What the product's combination of scores would have got on published tables, beside each score and reputation alone.

    python benchmarks/published_rankings.py

The tables (benchmarks/published/, retyped numbers with their sources) hold scores of pretrained networks and what
fine-tuning gave. Of the votes that ``headstart rank`` takes they have three: reputation (ImageNet top-1 accuracy, then
size), LogME and the H-score in place of the shrinkage H-score; the leave-one-out loss and k-NN are in none. Their mean
rank is what is checked: ``measure.consensus.mean_ranks``, as it is, with nothing fitted to these tables. ``history`` is
no part of the product: it ranks by the mean rank on the other data sets and shows how far an order that is the same for
every data set gets. Agreement is the weighted Kendall tau (scipy.stats.weightedtau, as in the papers); regret is the
best accuracy of the table less that of the network in the first place, in points.

Results: benchmarks/results/published.json, and from it docs/ranking.md.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import rankdata, weightedtau

sys.path.insert(0, str(Path(__file__).parents[1]))
from headstart.base import files
from headstart.measure import consensus, intervals

TABLES = Path(__file__).parent / "published"
RESULTS = Path(__file__).parent / "results" / "published.json"
COMBINED, PRIOR, HISTORY = "combination", "reputation", "history"
VOTES = ("h_score", "logme")
CLASSES = {"dtd": 47}
"""Of data sets whose H-scores are checked against their bound, C - 1."""

Values = dict[str, dict[str, float]]
"""Data set -> model -> value."""


def read(name: str, column: str) -> Values:
    """A column of a table."""
    found: Values = {}
    with (TABLES / name).open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["dataset"], {})[row["model"]] = float(row[column])
    return found


def columns(name: str) -> list[str]:
    """The scores of a table."""
    with (TABLES / name).open(newline="", encoding="utf-8") as stream:
        return [each for each in next(csv.reader(stream)) if each not in ("dataset", "model", "accuracy")]


def reputations() -> dict[str, tuple[float, float]]:
    """Model -> ImageNet top-1 accuracy, parameters."""
    with (TABLES / "imagenet.csv").open(newline="", encoding="utf-8") as stream:
        return {row["model"]: (float(row["top1"]), float(row["parameters"])) for row in csv.DictReader(stream)}


def tau(truth: Sequence[float], found: Sequence[float]) -> float:
    """Weighted Kendall tau of two orders; higher is better in both."""
    return float(weightedtau(truth, found).statistic)


def regret(truth: Sequence[float], found: Sequence[float]) -> float:
    """Points that the first of an order is behind the best; the mean over those that share the first place."""
    best = np.flatnonzero(np.asarray(found) == max(found))
    return float(max(truth) - np.mean([truth[i] for i in best]))


def orders(models: Sequence[str], scores: Mapping[str, Mapping[str, float]]) -> dict[str, list[float]]:
    """What each chooser says of the models of one data set, higher is better."""
    found = {name: [values[model] for model in models] for name, values in scores.items()}
    known = reputations()
    if not all(model in known for model in models):
        return found
    believed = [float(sum(known[other] < known[model] for other in models)) for model in models]
    found[PRIOR] = believed
    votes = [found[name] for name in VOTES if name in found]
    if len(votes) == len(VOTES):
        found[COMBINED] = [-float(rank) for rank in consensus.mean_ranks([believed, *votes])]
    return found


def history(truth: Values, left_out: str, models: Sequence[str]) -> list[float]:
    """The mean rank on the other data sets, higher is better."""
    others = [[each[model] for model in models] for name, each in truth.items() if name != left_out]
    return [float(rank) for rank in np.mean([rankdata(each) for each in others], axis=0)]


def judged(truth: Values, scores: Mapping[str, Values]) -> dict[str, dict[str, dict[str, float]]]:
    """Data set -> chooser -> agreement and regret."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, accuracies in truth.items():
        given = {score: values[name] for score, values in scores.items() if name in values}
        if scores and not given:
            continue
        models = [model for model in accuracies if all(model in values for values in given.values())]
        said = orders(models, given)
        said[HISTORY] = history(truth, name, models)
        reached = [accuracies[model] for model in models]
        found[name] = {
            chooser: {"tau": tau(reached, order), "regret": regret(reached, order)} for chooser, order in said.items()
        }
        found[name]["chance"] = {"tau": 0.0, "regret": max(reached) - statistics.fmean(reached)}
    return found


def summary(each: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Chooser -> means over the data sets."""
    choosers = list(next(iter(each.values())))
    return {
        chooser: {what: statistics.fmean(row[chooser][what] for row in each.values()) for what in ("tau", "regret")}
        for chooser in choosers
    }


def leads(each: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """How much higher the combination's tau is than another chooser's, over data sets, with its 95 % interval."""
    rows = list(each.values())
    if COMBINED not in rows[0]:
        return {}
    own = [row[COMBINED]["tau"] for row in rows]
    others = {name: [row[name]["tau"] for row in rows] for name in rows[0] if name not in (COMBINED, "chance")}
    return {name: intervals.mean_difference(own, theirs, bounded=False).as_dict() for name, theirs in others.items()}


def table(truth: Values, scores: Mapping[str, Values], what: str, files_: Sequence[str]) -> dict[str, object]:
    """One comparison."""
    each = judged(truth, scores)
    return {"what": what, "files": list(files_), "datasets": each, "mean": summary(each), "leads": leads(each)}


def broken() -> list[str]:
    """Published numbers that cannot be right, found by rule."""
    found = []
    for name, bound in CLASSES.items():
        high = {model: value for model, value in read("tllib.csv", "h_score")[name].items() if value > bound - 1}
        if high:
            values = ", ".join(f"{value:g}" for value in high.values())
            found.append(f"tllib.csv, {name}: H-scores of {values} exceed their bound of {bound - 1}")
    nce, logme = read("tllib.csv", "nce"), read("tllib.csv", "logme")
    found += [f"tllib.csv, {name}: the column of NCE is a copy of LogME's" for name in nce if nce[name] == logme[name]]
    return found


def main() -> int:
    """Compare, and write."""
    tllib, first, second = (read(f"{name}.csv", "accuracy") for name in ("tllib", "sfda_group1", "sfda_group2"))
    spider = {name: read("modelspider_scores.csv", name) for name in columns("modelspider_scores.csv")}
    own = {name: read("tllib.csv", name) for name in columns("tllib.csv")}
    shared = {
        name: [[one[name][model] for model in tllib[name]] for one in (tllib, first)] for name in tllib if name in first
    }
    ceiling = {name: tau(*pair) for name, pair in shared.items()}
    result = {
        "question": "agreement with fine-tuning, and regret of the first choice, of the combination and of each score",
        "command": "python benchmarks/published_rankings.py",
        "sources": json.loads((TABLES / "sources.json").read_text("utf-8")),
        "ceiling": {"datasets": ceiling, "mean": statistics.fmean(ceiling.values())},
        "broken": broken(),
        "tables": {
            "Model-Spider's scores, TLlib's fine-tuning": table(
                tllib, spider, "ten supervised networks, eight data sets", ("modelspider_scores.csv", "tllib.csv")
            ),
            "Model-Spider's scores, SFDA's fine-tuning": table(
                first, spider, "the same scores, another truth", ("modelspider_scores.csv", "sfda_group1.csv")
            ),
            "TLlib's scores, TLlib's fine-tuning": table(
                tllib, own, "ten supervised networks, eight data sets", ("tllib.csv",)
            ),
            "Reputation alone, SFDA's fine-tuning": table(
                first, {}, "eleven supervised networks, eleven data sets, no scores", ("sfda_group1.csv",)
            ),
            "Self-supervised networks, SFDA's fine-tuning": table(
                second, {}, "twelve ResNet-50 of the same size, eleven data sets, no scores", ("sfda_group2.csv",)
            ),
        },
    }
    files.write_json(RESULTS, result)
    for name, one in result["tables"].items():  # type: ignore[attr-defined]
        print(name)
        for chooser, row in sorted(one["mean"].items(), key=lambda item: -item[1]["tau"]):
            print(f"  {chooser:<14}tau {row['tau']:6.3f}   regret {row['regret']:5.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
