"""Does the ranking name the backbone that fine-tuning would have proved best, for less than fine-tuning one takes?

    python benchmarks/ranking.py                      # every cell that has no result yet, one after the other
    python benchmarks/ranking.py --targets digits     # those of one target
    python benchmarks/ranking.py --list

Twelve backbones of different architectures and sources are made here (letters, Greek letters, scenes of two objects,
generated patterns, letters with permuted labels, letters without labels) and compared on targets none of them has seen,
with a few labels a class. The truth is what fine-tuning reaches: of every backbone a logistic probe and the strategy
``full`` with its rate sweep, the pictures of a validation part choosing, judged on a population of test pictures that
neither sees; the better of the two means over the draws of labelled pictures stands for the backbone. Ranking and
fine-tuning are timed in processor seconds on one thread; the ranking starts with an empty store.

Every cell is a row of benchmarks/results/ranking.json, written when it is done; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import shutil
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import embedded_development as development
from benchmarks.provenance import commit
from headstart.api.backbones import pretrain_backbone
from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import files
from headstart.base.machine import cache_folder, here, use_threads
from headstart.base.progress import Silent
from headstart.choose import candidates, ranking, scoring
from headstart.data import dataset, images
from headstart.data.opening import open_source
from headstart.engine.drive import drive
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.measure import logistic
from headstart.tasks.classification import Classification
from headstart.tune import full
from headstart.tune.setting import Setting
from tests.pretrain.heldout import scenes

RESULTS = Path(__file__).parent / "results" / "ranking.json"
SIZE, SHOTS, VALIDATED, DRAWS, EPOCHS = 32, 20, 4, 2, 12
"""Pixels, labels a class, how many of these choose epoch and rate, draws of what is labelled, epochs of ``full``."""
SINGLE = (*scoring.SHOWN, "h_score", "parc", "sfda", "linear_probe")
"""Scores that are computed besides, to be set beside the combination."""
SMALL = "embedded/resnet10-16-32-64-128"
OURS = "embedded/resnet10-procedural"
BACKBONES: dict[str, tuple[str, str, str]] = {
    "resnet10t-letters": ("supervised", "letters", "timm/resnet10t"),
    "resnet10t-scenes": ("supervised", "scenes", "timm/resnet10t"),
    "resnet10t-permuted": ("supervised", "permuted", "timm/resnet10t"),
    "mobilenetv3-letters": ("supervised", "letters", "timm/mobilenetv3_small_050"),
    "mobilenetv3-scenes": ("supervised", "scenes", "timm/mobilenetv3_small_050"),
    "small-resnet-greek": ("supervised", "greek", SMALL),
    "small-resnet-permuted": ("supervised", "permuted", SMALL),
    "small-resnet-unlabelled": ("selfsup", "letters", SMALL),
    "efficientnet-letters": ("supervised", "letters", "timm/test_efficientnet"),
    "convnext-greek": ("supervised", "greek", "timm/test_convnext"),
    "byobnet-greek": ("supervised", "greek", "timm/test_byobnet"),
    "shipped-patterns": ("", "", OURS),
}
"""Name -> (method of pretraining, its source, architecture)."""

Pictures = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """A target with some of its pictures labelled."""

    pictures: list[np.ndarray]
    labels: np.ndarray
    taught: np.ndarray
    validated: np.ndarray
    asked: np.ndarray


def sources() -> dict[str, Pictures]:
    """What backbones are trained on."""
    letters, greek = (
        development.letters(string.ascii_uppercase, 11, SIZE),
        development.letters(development.GREEK, 12, SIZE),
    )
    shuffled = np.random.default_rng(13).permutation(letters[1])
    return {"letters": letters, "greek": greek, "scenes": scenes(90, 14, SIZE), "permuted": (letters[0], shuffled)}


def digits() -> Pictures:
    """Handwritten digits, 1,797 of them, in three equal channels."""
    data = load_digits()
    grey = [np.asarray(Image.fromarray((one * 255 / 16).astype(np.uint8)).resize((SIZE, SIZE))) for one in data.images]
    return np.repeat(np.stack(grey)[:, None], 3, axis=1), data.target.astype(np.int64)


def lower_case() -> Pictures:
    """Rendered lower-case letters, 45 a class for each of three seeds."""
    parts = [development.letters(string.ascii_lowercase, seed, SIZE) for seed in (21, 22, 23)]
    return np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])


TARGETS: dict[str, Callable[[], Pictures]] = {"digits": digits, "lower case": lower_case}


def draw(target: Pictures, seed: int) -> Draw:
    """The labelled pictures, of which some validate; all others are asked."""
    pictures, labels = target
    rng = np.random.default_rng(100 + seed)
    order = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return Draw(
        [np.ascontiguousarray(one.transpose(1, 2, 0)) for one in pictures],
        labels,
        np.concatenate([each[VALIDATED:SHOTS] for each in order]),
        np.concatenate([each[:VALIDATED] for each in order]),
        np.concatenate([each[SHOTS:] for each in order]),
    )


def made(name: str, work: Path) -> str:
    """The full name of a backbone; trained now if it was not before."""
    method, source, architecture = BACKBONES[name]
    if not method:
        return architecture
    to = work / "backbones" / name
    if not (to / "backbone.json").exists():
        settings: dict[str, Any] = {"architecture": architecture, "size": SIZE, "epochs": 8}
        settings |= {"patience": 0} if method == "supervised" else {}
        shutil.rmtree(to, ignore_errors=True)
        pretrain_backbone(method, to, written(source, work), settings=settings)
    return f"local:{to}"


def written(source: str, work: Path) -> Path:
    """The source as a folder of pictures."""
    folder = work / "sources" / source
    if not folder.exists():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        for number, (picture, label) in enumerate(zip(*sources()[source], strict=True)):
            (part / f"class{label:02d}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.transpose(1, 2, 0)).save(part / f"class{label:02d}" / f"{number:05d}.png")
        part.rename(folder)
    return folder


def tuned(backbone: Backbone, given: Draw) -> dict[str, float]:
    """Accuracy in percent of a probe and of full fine-tuning on the pictures that are asked, and what each took."""
    use_threads(1)
    classes = int(given.labels.max()) + 1
    labelled = np.concatenate([given.taught, given.validated])
    with tempfile.TemporaryDirectory() as folder:
        digests = [images.digest(one) for one in given.pictures]
        store = Store(Path(folder))
        pixels = Pixels(given.pictures, digests, backbone.info.preprocessing, store)
        frozen = Frozen(backbone, pixels, store, here("float32", "cpu"))
        features = frozen.pooled(backbone.depth)
        linear = logistic.fit(
            features[labelled], given.labels[labelled], classes=classes, penalty=1.0, standardise=True
        )
        right = linear.outputs(features[given.asked]).argmax(1) == given.labels[given.asked]
        task = Classification(tuple(map(str, range(classes))))
        setting = Setting(
            frozen=frozen,
            targets=given.labels,
            outputs=classes,
            train=given.taught,
            held=given.validated,
            task=task,
            score=lambda outputs, targets: task.score(task.predictions(outputs), targets),
            watch="log_loss",
            minimise=True,
            augmentation=Augmentation(flip=False),
        )
        started = time.process_time()
        found = drive(full.plan(setting, epochs=EPOCHS), machine=frozen.machine)
        seconds = time.process_time() - started
        network, hits = found.network.eval(), 0
        with torch.inference_mode():
            for part in np.array_split(given.asked, max(1, len(given.asked) // 256)):
                hits += int((network(frozen.pixels[part]).argmax(1).numpy() == given.labels[part]).sum())
    return {
        "probe": 100 * float(right.mean()),
        "full": 100 * hits / len(given.asked),
        "rate": found.options["rate"],
        "seconds": round(seconds, 2),
    }


def ranked(names: dict[str, str], given: Draw) -> dict[str, Any]:
    """What the ranking says, from the labelled pictures alone."""
    use_threads(1)
    labelled = np.sort(np.concatenate([given.taught, given.validated]))
    words = [f"class {given.labels[i]:02d}" for i in labelled]
    data = dataset.build(open_source([given.pictures[i] for i in labelled], words), near_duplicates=False)
    data = replace(data, parts=np.full(len(data), "train"))
    with tempfile.TemporaryDirectory() as folder:
        started, processor = time.perf_counter(), time.process_time()
        chosen, notes = candidates.find(list(names.values()))
        found, _ = ranking.compare(
            data,
            chosen,
            machine=here("float32", "cpu"),
            store=Store(Path(folder)),
            report=Silent(),
            scores=(),
            notes=notes,
        )
        wall, processor = time.perf_counter() - started, time.process_time() - processor
        # The scores that decide nothing are not the ranking's cost.
        beside, _ = ranking.compare(
            data, chosen, machine=here("float32", "cpu"), store=Store(Path(folder)), report=Silent(), scores=SINGLE
        )
    short = {full_name: name for name, full_name in names.items()}
    singles = {row.name: row.scores for row in beside.rows}
    rows = [
        {
            "backbone": short[row.name],
            "place": row.place,
            "tied": row.tied,
            "beats_next": row.beats_next,
            "loss": row.loss,
            "accuracy": row.score,
            "parameters": row.parameters,
            "scores": dict(singles[row.name]),
        }
        for row in found.rows
    ]
    told = {"wall": round(wall, 2), "processor": round(processor, 2)}
    return {"rows": rows, "by_prior": short[found.by_prior], "items": found.items, "seconds": told}


def cells(targets: list[str]) -> Iterator[tuple[str, int, str]]:
    """(target, draw, backbone), and the empty name for the ranking, which comes first."""
    for target, seed in itertools.product(targets, range(DRAWS)):
        for name in ("", *BACKBONES):
            yield target, seed, name


def configuration() -> dict[str, Any]:
    """What a result depends on; another one makes the results of before worthless."""
    return {
        "size": SIZE,
        "labels_a_class": SHOTS,
        "of_them_validating": VALIDATED,
        "draws": DRAWS,
        "epochs": EPOCHS,
        "backbones": {name: list(words) for name, words in BACKBONES.items()},
    }


def keep(done: dict[str, Any]) -> None:
    """Write what there is."""
    planned = len(list(cells(list(TARGETS))))
    machine = here("float32", "cpu").as_dict() | {"threads": 1, "python": platform.python_version()}
    files.write_json(
        RESULTS,
        {
            "question": "regret in points of accuracy of the backbone that the ranking puts first",
            "command": "python benchmarks/ranking.py",
            "done": len(done),
            "planned": planned,
            "machine": machine | {"torch": torch.__version__},
            "configuration": configuration(),
            "cells": done,
        },
    )


def main() -> int:
    """Measure what is missing, writing after each cell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--list", action="store_true", help="print the cells and stop")
    parser.add_argument("--work", type=Path, default=cache_folder() / "ranking", help="backbones and pictures")
    given = parser.parse_args()
    if given.list:
        print("\n".join(" / ".join(map(str, cell)) for cell in cells(given.targets)))
        return 0
    before = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    done = before.get("cells", {}) if before.get("configuration") == configuration() else {}
    names = {name: made(name, given.work) for name in BACKBONES}
    known = {target: TARGETS[target]() for target in given.targets}
    for target, seed, name in cells(given.targets):
        key = f"{target}/{seed}/{name or 'ranking'}"
        if key in done:
            continue
        drawn = draw(known[target], seed)
        row = tuned(catalogue.load(names[name]), drawn) if name else ranked(names, drawn)
        done[key] = row | {"commit": commit()}
        keep(done)
        shown = {word: value for word, value in row.items() if word != "rows"}
        print(key, shown, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
