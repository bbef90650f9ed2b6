"""Does "twice the labels" come true: with half of the labels, foretell the score at all of them.

Each cell is a data set and a number of labels n. What is to be foretold is known: the mean score of the same probe at
n and at 2 n labels over several stratified draws, on all items that are not in the draw. Each draw of n labels then
foretells it from these labels alone, as ``headstart fit`` does, and is held against the truth: how often the 95 %
intervals of the gain and of the score at 2 n hold it, and how far off they are on average.

    python benchmarks/labels.py [--draws 10] [--quick]

Data: scikit-learn's digits, classes of the pattern generators, and discs whose radius, place (regression) or kind
(multilabel) is asked for; all through the embedded backbone, on whose last stage the probes read. Cells that are in the
results with the same settings already are not measured again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from headstart.backbones import catalogue
from headstart.choose import more_labels
from headstart.measure import learning_curve
from headstart.tasks import classification, multilabel, regression

RESULTS = Path(__file__).parent / "results" / "labels.json"
SIZES = (100, 240, 500)
TRUTHS = 10
Cell = tuple[str, np.ndarray, np.ndarray, Any, str]


def features(pictures: np.ndarray) -> np.ndarray:
    """Last-stage features of pictures (n, 3, 32, 32)."""
    backbone = catalogue.load("embedded/resnet10-procedural").eval()
    with torch.inference_mode():
        parts = [backbone(torch.from_numpy(pictures[i : i + 256])).numpy() for i in range(0, len(pictures), 256)]
    return np.concatenate(parts)


def digits() -> Iterator[Cell]:
    data = load_digits()
    small = torch.from_numpy((data.images * 255 / 16).astype(np.uint8))[:, None].float()
    large = torch.nn.functional.interpolate(small, size=32, mode="bilinear").round().byte()
    names = classification.learn([str(each) for each in range(10)])
    yield "digits", features(large.repeat(1, 3, 1, 1).numpy()), data.target, names, "accuracy"


def patterns() -> Iterator[Cell]:
    for family in ("strokes", "ifs", "contours"):
        render = importlib.import_module(f"headstart.pretrain.patterns.{family}").render
        pictures = np.concatenate([render(number, range(150), size=32, seed=77) for number in range(20)])
        names = classification.learn([f"{number:02d}" for number in range(20)])
        yield family, features(pictures), np.repeat(np.arange(20), 150), names, "accuracy"


def discs(number: int = 3000) -> Iterator[Cell]:
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:32, :32]
    pictures, about = np.zeros((number, 3, 32, 32), np.uint8), np.zeros((number, 3))
    for row in range(number):
        about[row] = rng.uniform(3, 9), *rng.uniform(9, 23, 2)
        ink = np.hypot(x - about[row, 1], y - about[row, 2]) < about[row, 0]
        one, other = rng.uniform(0, 255, (2, 3, 1, 1))
        pictures[row] = np.clip(np.where(ink, one, other) + rng.normal(0, 20, (3, 32, 32)), 0, 255)
    found = features(pictures)
    for column, name in enumerate(("radius", "place")):
        values = about[:, column]
        yield f"disc {name}", found, values, regression.learn(list(values), name=name).fitted(values), "rmse"
    truths = np.stack([about[:, 0] > 6, about[:, 1] > 16, about[:, 2] > 16], axis=1).astype(np.float32)
    yield "disc kinds", found, truths, multilabel.learn([("large", "low", "right")]), "mean_average_precision"


def drawn(task: Any, targets: np.ndarray, seed: int) -> np.ndarray:
    """All items in an order whose every beginning is stratified."""
    strata = np.unique(task.strata(targets), axis=0, return_inverse=True)[1].reshape(-1)
    return learning_curve.order(strata, seed=seed)


def truth(cell: Cell, labels: int) -> float:
    """The mean error at a number of labels."""
    _, x, y, task, name = cell
    metric, found = task.metric(name), []
    for draw in range(TRUTHS):
        order = drawn(task, y, 10_000 + draw)
        train, rest = order[:labels], order[labels:]
        answers = task.predictions(task.quick(x[train], y[train]).outputs(x[rest]))
        found.append(abs(more_labels.perfect(metric) - metric.score(answers, y[rest])))
    return float(np.mean(found))


def measured(cell: Cell, n: int, draws: int) -> dict[str, Any]:
    """One row of the results."""
    _, x, y, task, name = cell
    metric, started = task.metric(name), time.perf_counter()
    now, then = truth(cell, n), truth(cell, 2 * n)
    rows = []
    for draw in range(draws):
        chosen = drawn(task, y, draw)[:n]
        laws = more_labels.measure(x[chosen], y[chosen], task, metric, seed=draw).laws(draw)
        gain, score = laws.gain(n), laws.at(2 * n)
        told = gain.high - gain.low <= more_labels.UNSURE * laws.at(n).value
        rows.append(
            (told, gain.low <= now - then <= gain.high, score.low <= then <= score.high, gain.value, score.value)
        )
    told, gains, scores, value, error = np.mean(np.array(rows, dtype=float), axis=0)
    return {
        "metric": name,
        "labels": n,
        "draws": draws,
        "error": round(now, 5),
        "error_at_twice": round(then, 5),
        "gain": round(now - then, 5),
        "gain_foretold": round(float(value), 5),
        "error_foretold": round(float(error), 5),
        "told": round(float(told), 3),
        "gain_held": round(float(gains), 3),
        "score_held": round(float(scores), 3),
        "seconds": round(time.perf_counter() - started, 1),
    }


def summary(cells: dict[str, Any]) -> dict[str, Any]:
    """Over all cells: coverage, and the bias of gain and score in shares of the error."""
    rows = list(cells.values())
    mean = {key: round(float(np.mean([row[key] for row in rows])), 3) for key in ("told", "gain_held", "score_held")}
    gain = float(np.mean([(row["gain_foretold"] - row["gain"]) / row["error"] for row in rows]))
    score = float(np.mean([(row["error_foretold"] - row["error_at_twice"]) / row["error_at_twice"] for row in rows]))
    bias = {"gain_bias_in_errors": round(gain, 3), "error_bias_in_errors": round(score, 3)}
    return {"cells": len(rows), "draws": sum(row["draws"] for row in rows), **mean, **bias}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="three draws of the smallest size")
    given = parser.parse_args()
    draws, sizes = (3, SIZES[:1]) if given.quick else (given.draws, SIZES)
    cells: dict[str, Any] = json.loads(RESULTS.read_text())["cells"] if RESULTS.exists() and not given.quick else {}
    for make in (digits, patterns, discs):
        for cell in make():
            for n in sizes:
                key = f"{cell[0]}, {n} labels"
                if cells.get(key, {}).get("draws") != draws:
                    cells[key] = measured(cell, n, draws)
                print(key, cells[key], flush=True)
                if not given.quick:
                    RESULTS.write_text(json.dumps({"summary": summary(cells), "cells": cells}, indent=1) + "\n")
    print(summary(cells))


if __name__ == "__main__":
    main()
