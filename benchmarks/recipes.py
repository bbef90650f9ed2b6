"""What moves the needle in pretraining on patterns: one factor changed at a time, the same small budget for each.

    python benchmarks/recipes.py --list
    python benchmarks/recipes.py                      # every variant that has no result yet, one after the other
    python benchmarks/recipes.py --only base contrast-0

Each variant is the base recipe with one thing changed, pretrained through the engine on the same number of views, and
then asked by the development targets alone: upper-case letters, Greek letters, scenes of two objects (see
benchmarks/embedded_development.py). Digits and lower-case letters are the final targets and are not opened here. Two
arms at five labels a class, product parts both: logistic regression on frozen features, and strategy ``full`` at a
fixed rate and number of epochs. All variants see the same draws of the labelled pictures, so gains over the base are
paired; the interval (Student's t over draws) is that of the draws and not of pretraining, whose spread the repeated
base (other seeds) shows.

A finished variant is a row of benchmarks/results/recipes.json; an interrupted one goes on from its checkpoint.
"""

from __future__ import annotations

import argparse
import json
import statistics
import string
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import embedded_development as development
from benchmarks.provenance import commit
from headstart.backbones.chain import Backbone
from headstart.base import files
from headstart.base.machine import cache_folder, here
from headstart.data import images
from headstart.engine.drive import drive
from headstart.engine.journal import Journal
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.measure import logistic
from headstart.pretrain import procedural
from headstart.pretrain.mixture import SHARES
from headstart.pretrain.procedural import Recipe
from headstart.tasks.classification import Classification
from headstart.tune import full
from headstart.tune.setting import Setting
from tests.pretrain.heldout import scenes

RESULTS = Path(__file__).parent / "results" / "recipes.json"
BATCH, EPOCHS = 128, 10
SHOTS, PROBES, TUNED = 5, 10, 3
"""Labels a class, draws of them for the probe, and for fine-tuning (the first of the same draws)."""
TUNING: dict[str, Any] = {"rate": 1e-3, "epochs": 20, "batch_size": 32}


def base(views: int) -> Recipe:
    """The recipe that every variant differs from in one thing."""
    steps = max(1, views // (BATCH * EPOCHS))
    return Recipe(classes=512, instances=24, size=32, batch=BATCH, steps=steps, epochs=EPOCHS, ramp=4, average=0.99)


def shares(**changed: float) -> tuple[tuple[str, float], ...]:
    """The mixture with some shares changed; a family whose share is 0 is left out."""
    return tuple((family, share) for family, share in {**SHARES, **changed}.items() if share)


def alone(family: str) -> tuple[tuple[str, float], ...]:
    """One family and nothing else."""
    return ((family, 1.0),)


VARIANTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "base": ("the base: 512 classes, six families, contrastive term 0.3, BatchNorm, 32 px", {}, 0),
    "contrast-0": ("no contrastive term", {"contrast": 0.0}, 0),
    "contrast-1": ("contrastive term 1.0", {"contrast": 1.0}, 0),
    "longer": ("twice the views", {"epochs": 2 * EPOCHS, "ramp": 8}, 0),
    "strokes-heavy": ("strokes 60 % of the classes", {"shares": shares(strokes=1.0)}, 0),
    "no-strokes": ("no strokes", {"shares": shares(strokes=0.0)}, 0),
    "groupnorm": ("GroupNorm in 8 groups", {"groups": 8}, 0),
    "size-48": ("48 px", {"size": 48}, 0),
    "classes-1024": ("1,024 classes", {"classes": 1024}, 0),
    "base, seed 1": ("the base from another seed", {}, 1),
    "ifs-only": ("iterated function systems only", {"shares": alone("ifs")}, 0),
    "contours-only": ("contours only", {"shares": alone("contours")}, 0),
    "strokes-only": ("strokes only", {"shares": alone("strokes")}, 0),
    "smoothing-0": ("no label smoothing", {"smoothing": 0.0}, 0),
    "rate-0.2": ("peak rate 0.2", {"rate": 0.2}, 0),
    "no-ramp": ("full augmentation from the start", {"ramp": 0}, 0),
    "classes-256": ("256 classes", {"classes": 256}, 0),
    "classes-2048": ("2,048 classes", {"classes": 2048}, 0),
    "smoothing-0.2": ("label smoothing 0.2", {"smoothing": 0.2}, 0),
    "wider": ("widths 64-128-256-512 (4.9 million parameters)", {"widths": (64, 128, 256, 512)}, 0),
    "base, seed 2": ("the base from a third seed", {}, 2),
}
"""Name -> (what is different, the changed fields of the recipe, seed of pretraining)."""


def targets(size: int) -> dict[str, development.Target]:
    """The development targets as a network of this input size sees them."""
    return {
        "upper case": development.letters(string.ascii_uppercase, 1, size),
        "Greek": development.letters(development.GREEK, 2, size),
        "scenes": scenes(development.PER_CLASS, 3, size),
    }


def draw(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the labelled pictures, and of those that are asked."""
    rng = np.random.default_rng(100 + seed)
    order = [rng.permutation(np.flatnonzero(labels == label)) for label in range(int(labels.max()) + 1)]
    taught = np.concatenate([each[:SHOTS] for each in order])
    return taught, np.concatenate([each[development.TAUGHT :] for each in order])


def ask(backbone: Backbone) -> dict[str, dict[str, list[float]]]:
    """Target -> arm -> accuracies in percent, one a draw."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, (pictures, labels) in targets(backbone.info.preprocessing.size).items():
        items = [np.ascontiguousarray(picture.transpose(1, 2, 0)) for picture in pictures]
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            pixels = Pixels(items, [images.digest(item) for item in items], backbone.info.preprocessing, store)
            frozen = Frozen(backbone.copy(), pixels, store, here("auto", "cpu"))
            found[name] = {
                "frozen": [probe(frozen, labels, seed) for seed in range(PROBES)],
                "fine-tuned": [tune(frozen, labels, seed) for seed in range(TUNED)],
            }
    return found


def probe(frozen: Frozen, labels: np.ndarray, seed: int) -> float:
    """Logistic regression on the features after the last stage."""
    taught, asked = draw(labels, seed)
    features = frozen.pooled(frozen.backbone.depth)
    classes = int(labels.max()) + 1
    linear = logistic.fit(features[taught], labels[taught], classes=classes, penalty=1.0, standardise=True)
    return 100 * float((linear.outputs(features[asked]).argmax(1) == labels[asked]).mean())


def tune(frozen: Frozen, labels: np.ndarray, seed: int) -> float:
    """Strategy ``full`` from a probed head; nothing is chosen by the pictures that are asked."""
    taught, asked = draw(labels, seed)
    setting = Setting(
        frozen=frozen,
        targets=labels,
        outputs=int(labels.max()) + 1,
        train=taught,
        held=np.zeros(0, np.int64),
        task=Classification(tuple(map(str, range(int(labels.max()) + 1)))),
        score=lambda outputs, targets: {},
        augmentation=Augmentation(flip=False),
        seed=seed,
    )
    network = drive(full.plan(setting, **TUNING), machine=frozen.machine).network.eval()
    right = 0
    with torch.inference_mode():
        for part in np.array_split(asked, max(1, len(asked) // 256)):
            right += int((network(frozen.pixels[part]).argmax(1).numpy() == labels[part]).sum())
    return 100 * right / len(asked)


def interval(values: list[float]) -> dict[str, float]:
    """Mean and half width of its two-sided 95 % interval."""
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return {"mean": round(statistics.fmean(values), 2), "half": round(float(half), 2)}


def measure(name: str, recipe: Recipe, seed: int, work: Path) -> dict[str, Any]:
    """Pretrain one variant, or go on with it, and ask it."""
    journal = Journal(work / f"{name}-{recipe.digest[:12]}".replace(", ", "-").replace(" ", "-"))
    journal.path.mkdir(parents=True, exist_ok=True)
    started, processor = time.perf_counter(), time.process_time()
    made = drive(procedural.follow(recipe, name, seed=seed), journal, machine=here("auto", "cpu"))
    spent = {"wall": round(time.perf_counter() - started, 1), "processor": round(time.process_time() - processor, 1)}
    return {
        "what": VARIANTS[name][0],
        "seed": seed,
        "recipe_sha256": recipe.digest,
        "changed": dict(VARIANTS[name][1]),
        "views": recipe.views,
        "parameters": made.backbone.info.parameters,
        "seconds": spent,
        "cross_entropy": [round(row["cross_entropy"], 3) for row in made.card["curve"]],
        "scores": ask(made.backbone),
    }


def main() -> int:
    """Measure what is missing, writing after each variant."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--views", type=int, default=120_000)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the variants and stop")
    parser.add_argument("--work", type=Path, default=cache_folder() / "recipes", help="checkpoints of unfinished ones")
    given = parser.parse_args()
    if given.list:
        print("\n".join(f"{name:<16}{what}" for name, (what, _, _) in VARIANTS.items()))
        return 0
    configuration = {"views": given.views, "shots": SHOTS, "probes": PROBES, "tuned": TUNED, "tuning": TUNING}
    before = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    rows = before.get("variants", {}) if before.get("configuration") == configuration else {}
    for name in given.only or VARIANTS:
        _, changed, seed = VARIANTS[name]
        recipe = replace(base(given.views), **changed)
        if rows.get(name, {}).get("recipe_sha256") == recipe.digest:
            continue
        row = measure(name, recipe, seed, given.work)
        rows[name] = row | {"commit": commit(), "code_sha256": procedural.code_digest()}
        files.write_json(
            RESULTS,
            {
                "question": "accuracy in percent at five labels a class on the development targets, by recipe",
                "command": " ".join(["python", "benchmarks/recipes.py", *sys.argv[1:]]),
                "machine": here("auto", "cpu").as_dict() | {"torch": torch.__version__},
                "configuration": configuration,
                "variants": rows,
            },
        )
        for target, arms in row["scores"].items():
            told = ", ".join(f"{arm} {interval(v)['mean']:.1f} ± {interval(v)['half']:.1f}" for arm, v in arms.items())
            print(f"{name:<16}{target:<12}{told}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
