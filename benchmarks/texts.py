"""Few and many labelled texts: what ``headstart fit`` makes of them against TF-IDF with a logistic regression.

    python examples/docstrings.py demo
    python benchmarks/texts.py --data demo/docstrings.csv            # 8 labels a class, 5 draws; all labels, 1 draw
    python benchmarks/texts.py --data demo/docstrings.csv --quick    # 1 draw, a minute a fit; nothing is kept
    python benchmarks/texts.py --data demo/docstrings.csv --report   # measure nothing; print what is done

The rival is scikit-learn's: TfidfVectorizer and LogisticRegression, with n-grams and C chosen by five-fold cross-
validation among the labelled texts. ``fit`` has all it has by default: the sentence encoder that the extra ``text``
installs, the ladder, a budget, and its own baselines, any of which it may seal. Both see the same labelled texts and
answer the same others: those of a fifth of the files, no text of which is labelled. Draws are resumable: one that is in
the results already, of the same texts and with the same budget, is not measured again.

The full run takes half an hour on two idle cores: six fits that may take five minutes each, and what they predict.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
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
from headstart.base import files, hashes
from headstart.base.machine import here
from headstart.base.progress import Silent

RESULTS = Path(__file__).parent / "results" / "texts.json"
HELD = 0.2
"""Share of the files whose texts are asked about."""
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def read(path: Path) -> Rows:
    """Texts (n,), their labels (n,), and the files that they are from (n,): each its own where none is told."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = np.array([row["text"] for row in rows], dtype=object)
    origins = np.array([row.get("file") or str(number) for number, row in enumerate(rows)])
    return texts, np.array([row["label"] for row in rows]), origins


def drawn(labels: np.ndarray, origins: np.ndarray, each: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are labelled, ``each`` of a class or all of them, and rows that are asked about: of other files."""
    draw = np.random.default_rng([seed, 7])
    names = draw.permutation(np.unique(origins))
    held = np.isin(origins, names[: round(HELD * len(names))])
    parts = [draw.permutation(np.flatnonzero((labels == name) & ~held))[:each] for name in np.unique(labels)]
    return draw.permutation(np.concatenate(parts)), np.flatnonzero(held)


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
    texts, labels, origins = rows
    known, asked = drawn(labels, origins, each, seed)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="headstart-") as place:
        to = Path(place) / "model"
        given = {"budget": budget, "seed": seed, "pictures": False, "groups": list(origins[known]), "report": Silent()}
        model = headstart.fit(list(texts[known]), list(labels[known]), output=to, **given)
        answers = np.array([one.label for one in model.predict(list(texts[asked]))])
        seconds = time.perf_counter() - started
        sealed = model.manifest.training["candidate"]
    started = time.perf_counter()
    right = [answers == labels[asked], rival(texts, labels, known, asked) == labels[asked]]
    gap = right[0].astype(float) - right[1]
    return {
        "each": each,
        "seed": seed,
        "labelled": len(known),
        "asked": len(asked),
        "headstart": 100 * float(right[0].mean()),
        "rival": 100 * float(right[1].mean()),
        "gap": 100 * float(gap.mean()),
        "error": 100 * float(gap.std(ddof=1) / math.sqrt(len(gap))),
        "sealed": sealed,
        "headstart_seconds": round(seconds, 1),
        "rival_seconds": round(time.perf_counter() - started, 1),
        "budget": budget,
        "data": digest(rows),
        "machine": here().kind,
        "commit": commit(),
    }


def digest(rows: Rows) -> str:
    """Which texts, labels and files these are."""
    return hashes.of_texts([str(each) for part in rows for each in part])[:16]


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
    parser.add_argument("--quick", action="store_true", help="1 draw of few labels, a minute a fit; keep nothing")
    given = parser.parse_args(words)
    data = read(given.data)
    if given.quick:
        row = measured(data, given.each, 0, "60s")
        print(json.dumps(row, indent=2))
        told([row])
        print("One quick draw: it shows that the comparison runs, and is no result.")
        return 0
    known = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.exists() else []
    done = {key(row): row for row in known}
    planned = [(given.each, seed) for seed in range(given.draws)] + [(None, 0)]
    for each, seed in [] if given.report else planned:
        wanted = key({"each": each, "seed": seed, "budget": given.budget, "data": digest(data)})
        if wanted not in done:
            done[wanted] = measured(data, each, seed, given.budget)
            print(json.dumps(done[wanted]), flush=True)
            keep(list(done.values()), data)
    told([row for row in done.values() if row["data"] == digest(data) and row["budget"] == given.budget])
    return 0


def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a draw the same as another one."""
    return tuple(row[name] for name in ("each", "seed", "budget", "data"))


def keep(rows: Sequence[dict[str, Any]], data: Rows) -> None:
    """Write what is done."""
    # Of a path only the file's name: the folder is whoever measured's own.
    words = [Path(word).name if Path(word).exists() else word for word in sys.argv[1:]]
    command = " ".join(["python", "benchmarks/texts.py", *words])
    mine = [row for row in rows if row["data"] == digest(data)]
    by = {
        str(size): summary([row for row in mine if row["each"] == size])
        for size in dict.fromkeys(row["each"] for row in mine)
    }
    about = {"command": command, "texts": len(data[0]), "classes": len(set(data[1]))}
    files.write_json(RESULTS, {**about, "summary": by, "rows": list(rows)})


def told(rows: Sequence[dict[str, Any]]) -> None:
    """Print the gaps."""
    for size in dict.fromkeys(row["each"] for row in rows):
        found = summary([row for row in rows if row["each"] == size])
        what = "all labels" if size is None else f"{size} labels a class"
        print(
            f"{what}: {found['gap']:+.1f} points ({found['low']:+.1f} to {found['high']:+.1f}), {found['draws']} draws"
        )


if __name__ == "__main__":
    sys.exit(main())
