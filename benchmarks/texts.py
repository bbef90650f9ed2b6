"""Few and many labelled texts: what ``headstart fit`` makes of them against TF-IDF with a logistic regression.

    python benchmarks/texts.py --data docstrings.csv            # 8 labels a class, 5 draws; all labels, 1 draw
    python benchmarks/texts.py --data docstrings.csv --report   # measure nothing; print what is done

The rival is scikit-learn's: TfidfVectorizer and LogisticRegression, with n-grams and C chosen by five-fold cross-
validation among the labelled texts. ``fit`` has all it has by default: the sentence encoder that the extra ``text``
installs, the ladder, a budget, and its own baselines, any of which it may seal. Both see the same labelled texts and
answer the same others. Draws are resumable: one that is in the results already is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import numpy as np
from scipy.stats import t as student
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import headstart
from benchmarks.provenance import commit
from headstart.base import files
from headstart.base.machine import here
from headstart.base.progress import Silent

RESULTS = Path(__file__).parent / "results" / "texts.json"
HELD = 0.2
"""Share of the texts of a class that is asked about where all others are labelled."""
Rows = tuple[np.ndarray, np.ndarray]


def read(path: Path) -> Rows:
    """Texts (n,) and their labels (n,)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array([row["text"] for row in rows], dtype=object), np.array([row["label"] for row in rows])


def drawn(labels: np.ndarray, each: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are labelled, ``each`` of a class or all but those held out, and rows that are asked about."""
    draw = np.random.default_rng([seed, 7])
    parts = [draw.permutation(np.flatnonzero(labels == name)) for name in np.unique(labels)]
    cuts = [len(part) - round(HELD * len(part)) if each is None else each for part in parts]
    known = np.concatenate([part[:cut] for part, cut in zip(parts, cuts, strict=True)])
    asked = np.concatenate([part[cut:] for part, cut in zip(parts, cuts, strict=True)])
    return draw.permutation(known), asked


def rival(texts: np.ndarray, labels: np.ndarray, known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Answers of TF-IDF with a logistic regression."""
    pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=1000))
    grid = {
        "tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
        "logisticregression__C": [0.1, 1.0, 10.0, 100.0, 1000.0],
    }
    found = GridSearchCV(pipeline, grid, cv=5, n_jobs=1).fit(texts[known], labels[known])
    return np.asarray(found.predict(texts[asked]))


def measured(rows: Rows, each: int | None, seed: int, budget: str) -> dict[str, Any]:
    """One draw."""
    texts, labels = rows
    known, asked = drawn(labels, each, seed)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="headstart-") as place:
        to = Path(place) / "model"
        given = {"budget": budget, "seed": seed, "pictures": False, "near_duplicates": False, "report": Silent()}
        model = headstart.fit(list(texts[known]), list(labels[known]), output=to, **given)
        seconds = time.perf_counter() - started
        ours = np.asarray(model.predict(list(texts[asked]))) == labels[asked]
        sealed = model.manifest.training["candidate"]
    theirs = rival(texts, labels, known, asked) == labels[asked]
    gap = ours.astype(float) - theirs
    return {
        "each": each,
        "seed": seed,
        "labelled": len(known),
        "asked": len(asked),
        "headstart": 100 * float(ours.mean()),
        "rival": 100 * float(theirs.mean()),
        "gap": 100 * float(gap.mean()),
        "error": 100 * float(gap.std(ddof=1) / math.sqrt(len(gap))),
        "sealed": sealed,
        "seconds": round(seconds, 1),
        "budget": budget,
        "commit": commit(),
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean gap of some draws, with its 95 % interval: over draws, or over the items of a single one."""
    gaps = np.array([row["gap"] for row in rows])
    if len(gaps) > 1:
        half = float(student.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps)))
    else:
        half = 1.96 * float(rows[0]["error"])
    mean = float(gaps.mean())
    return {"draws": len(rows), "gap": mean, "low": mean - half, "high": mean + half}


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is missing; write after each draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, help="a table with the columns text and label")
    parser.add_argument("--each", type=int, default=8, help="labels a class where there are few")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--budget", default="5m", help="of each fit")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    given = parser.parse_args(words)
    data = read(given.data)
    known = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    done = {(row["each"], row["seed"]): row for row in known}
    planned = [(given.each, seed) for seed in range(given.draws)] + [(None, 0)]
    for each, seed in [] if given.report else planned:
        if (each, seed) not in done:
            done[each, seed] = measured(data, each, seed, given.budget)
            print(done[each, seed], flush=True)
        rows = list(done.values())
        command = " ".join(["python", "benchmarks/texts.py", *sys.argv[1:]])
        by = {
            str(size): summary([row for row in rows if row["each"] == size]) for size in {row["each"] for row in rows}
        }
        about = {"command": command, "machine": here().kind, "texts": len(data[0]), "classes": len(set(data[1]))}
        files.write_json(RESULTS, {**about, "summary": by, "rows": rows})
    for size in dict.fromkeys(row["each"] for row in done.values()):
        found = summary([row for row in done.values() if row["each"] == size])
        what = "all labels" if size is None else f"{size} labels a class"
        print(
            f"{what}: {found['gap']:+.1f} points ({found['low']:+.1f} to {found['high']:+.1f}), {found['draws']} draws"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
