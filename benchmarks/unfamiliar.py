"""Which score tells unfamiliar pictures best, and how often it is wrong about familiar ones.

    python benchmarks/unfamiliar.py                # every cell that has no result yet, one after the other
    python benchmarks/unfamiliar.py --quick        # one seed of the digits

A cell is a target (digits 0 to 7; lower-case letters a to t; eight generated contours), labels a class (few, more), how
the winner was made (``probe``: everything frozen; ``full``: everything fine-tuned; ``pixels``: no network, the pixels
themselves) and a seed. Every score sees the same networks. Familiar pictures are fresh ones of the same classes; the
others are near (classes of the same kind that nobody labelled: digits 8 and 9, letters u to z, other contours) and far
(another alphabet, strokes, textures, photographs, noise, inverted pictures, blank ones).

As in the product, a score's line is drawn on held-out pictures by the network of their fold, one in a hundred
familiar pictures being allowed above it, and then held against the network that is fitted to all of them. Written down
for each score and kind of picture: the area under the ROC curve, the share of familiar pictures above the line that
catches 95 % of the others, and the share that the drawn line catches; and how many fresh familiar pictures cross it.
"""

from __future__ import annotations

import argparse
import json
import string
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import embedded
from benchmarks.provenance import commit
from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import discovery, files, hashes, seeds
from headstart.base.machine import here
from headstart.choose.unfamiliar import LOOSEST, RATE
from headstart.engine.drive import drive
from headstart.features import familiarity, inference
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.network import Features, Network
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.measure import alarm, folds, strangeness
from headstart.pretrain.patterns import contours, leaves, strokes
from headstart.tasks import classification
from headstart.tune.setting import Setting

RESULT = Path(__file__).parent / "results" / "unfamiliar.json"
BACKBONE = "embedded/resnet10-procedural"
TARGETS = ("digits", "lower case", "contours")
SIZES = (10, 40)
WINNERS = ("probe", "full", "pixels")
SEEDS = 3
FRESH, STRANGE = 400, 120
"""Familiar pictures that are tested, and strange ones of a kind, at most."""
FULL = {"rate": 1e-3, "epochs": 5, "batch_size": 32}
ONE_FOLD = 200
"""Items from which on there is one held-out fifth instead of five folds, as in the product."""
SIDE = 16
SIZE = 48

Pictures = list[np.ndarray]


@dataclass(frozen=True)
class Target:
    """Pictures (n, h, w, 3) with labels (n,), and strange pictures by kind."""

    pictures: Sequence[np.ndarray]
    labels: np.ndarray
    strange: Mapping[str, Pictures]


@dataclass(frozen=True)
class Seen:
    """What a network makes of pictures: features of several stages, of the last one, and logits."""

    stages: Sequence[np.ndarray]
    last: np.ndarray
    logits: np.ndarray


def patterns(room: Any, classes: Sequence[int], each: int) -> Pictures:
    """Generated pictures (48, 48, 3)."""
    return [one.transpose(1, 2, 0) for c in classes for one in room.render(c, range(each), size=SIZE, seed=11)]


def photographs(count: int) -> Pictures:
    """Squares of the photographs that come with scikit-learn."""
    rng, found = seeds.generator(0, "photographs"), []
    for number in range(count):
        whole = load_sample_images().images[number % 2]
        side = int(rng.integers(60, 240))
        top, left = int(rng.integers(whole.shape[0] - side)), int(rng.integers(whole.shape[1] - side))
        square = Image.fromarray(whole[top : top + side, left : left + side])
        found.append(np.asarray(square.resize((SIZE, SIZE), Image.Resampling.BOX)))
    return found


@cache
def target(name: str) -> Target:
    """A target with everything that is strange to it."""
    digits, letters = embedded.digits("measured"), embedded.letters(string.ascii_lowercase, embedded.all_fonts(), 80, 5)
    if name == "contours":
        pictures, labels = patterns(contours, range(8), 100), np.repeat(np.arange(8), 100)
        near, other = patterns(contours, range(100, 130), 4), list(letters.pictures[::17])
    else:
        bank, known = (digits, 8) if name == "digits" else (letters, 20)
        mine = bank.labels < known
        pictures, labels = list(bank.pictures[mine]), bank.labels[mine]
        near, other = list(bank.pictures[~mine]), list((letters if name == "digits" else digits).pictures[::11])
    rng = seeds.generator(0, name)
    strange = {
        "near: classes nobody labelled": near,
        "another alphabet": other,
        "strokes": patterns(strokes, range(200, 230), 4),
        "textures": patterns(leaves, range(30), 4),
        "photographs": photographs(STRANGE),
        "noise": list(rng.integers(0, 256, (STRANGE, SIZE, SIZE, 3)).astype(np.uint8)),
        "inverted": [255 - pictures[int(i)] for i in rng.permutation(len(pictures))[:STRANGE]],
        "blank": [np.full((SIZE, SIZE, 3), shade, np.uint8) for shade in range(0, 256, 15)],
    }
    few = {kind: [each[int(i)] for i in rng.permutation(len(each))[:STRANGE]] for kind, each in strange.items()}
    return Target(pictures, np.asarray(labels), few)


def scores(reference: Seen, labels: np.ndarray, asked: Seen) -> dict[str, np.ndarray]:
    """Every score (n,) of what is asked about, given what is known."""
    found = {
        "nearest, several stages": strangeness.nearest(
            strangeness.side_by_side(reference.stages), strangeness.side_by_side(asked.stages)
        ),
        "nearest, last stage": strangeness.nearest(
            strangeness.side_by_side([reference.last]), strangeness.side_by_side([asked.last])
        ),
        "5th nearest, several stages": strangeness.nearest(
            strangeness.side_by_side(reference.stages), strangeness.side_by_side(asked.stages), k=5
        ),
        "Mahalanobis": strangeness.mahalanobis(reference.last, asked.last, labels),
        "relative Mahalanobis": strangeness.relative_mahalanobis(reference.last, asked.last, labels),
        "residual (ViM)": strangeness.residual(reference.last, asked.last),
    }
    if asked.logits.size:
        found |= {"energy": strangeness.energy(asked.logits), "max softmax": strangeness.unsureness(asked.logits)}
    return found


def network_seen(network: Network, pictures: Pictures) -> Seen:
    """Through a network."""
    backbone = network.backbone
    every = Features(backbone, range(1, backbone.depth + 1))
    parts = every.apart(inference.outputs(every, pictures, preprocessing=backbone.info.preprocessing))
    with torch.inference_mode():
        taps = torch.from_numpy(np.concatenate([parts[tap - 1] for tap in network.taps], axis=1))
        logits = network.head(taps).numpy()
    return Seen([parts[stage - 1] for stage in familiarity.stages_of(network)], parts[-1], logits)


def pixels_seen(pictures: Pictures) -> Seen:
    """Through nothing: small grey pictures."""
    small = [np.asarray(Image.fromarray(one).convert("L").resize((SIDE, SIDE))).ravel() for one in pictures]
    flat = np.stack(small).astype(np.float64) / 255 + 1e-3
    return Seen([flat], flat, np.zeros((len(flat), 0)))


def fitted(winner: str, pictures: Pictures, labels: np.ndarray, seed: int) -> Callable[[np.ndarray, str], Any]:
    """A function from training positions and a name to a function from pictures to what is seen of them."""
    if winner == "pixels":
        return lambda train, name: pixels_seen
    backbone: Backbone = catalogue.load(BACKBONE)
    task = classification.learn([str(each) for each in range(int(labels.max()) + 1)])
    store = Store(Path(tempfile.mkdtemp(prefix="headstart-")))
    digests = [hashes.of_bytes(one.tobytes()) for one in pictures]
    frozen = Frozen(backbone, Pixels(pictures, digests, backbone.info.preprocessing, store), store, here("float32"))
    plugin, options = discovery.load("tune", winner), FULL if winner == "full" else {}

    def fit(train: np.ndarray, name: str) -> Any:
        setting = Setting(
            frozen=frozen,
            targets=labels,
            outputs=len(task.names),
            train=train,
            held=np.array([], np.int64),
            task=task,
            score=lambda outputs, wanted: task.score(task.predictions(outputs), wanted),
            augmentation=Augmentation(flip=False),
            seed=seed,
            name=name,
        )
        network = drive(plugin.plan(setting, **options), machine=here("float32")).network
        return lambda asked: network_seen(network, asked)

    return fit


def measure(name: str, size: int, winner: str, seed: int) -> dict[str, Any]:
    """One cell."""
    started, given = time.perf_counter(), target(name)
    rng = seeds.generator(seed, name, size)
    order = rng.permutation(len(given.labels))
    each = [order[given.labels[order] == label][:size] for label in range(int(given.labels.max()) + 1)]
    chosen = rng.permutation(np.concatenate(each))
    fresh = np.setdiff1d(order, chosen, assume_unique=True)[:FRESH]
    pictures, labels = [given.pictures[int(i)] for i in chosen], given.labels[chosen]
    splits = folds.stratified(labels, seed=seed)
    splits = splits if len(labels) < ONE_FOLD else splits[:1]
    fit = fitted(winner, pictures, labels, seed)
    held: dict[str, list[np.ndarray]] = {}
    count = min(len(train) for train, _ in splits)
    for fold, (train, out) in enumerate(splits):
        see = fit(train, f"fold{fold}/")
        known = rng.permutation(train)[:count]
        found = scores(_of(see, pictures, known), labels[known], _of(see, pictures, out))
        for score, values in found.items():
            held.setdefault(score, []).append(values)
    see = fit(np.arange(len(labels)), "refit/")
    known = rng.permutation(len(labels))[:count]
    reference = _of(see, pictures, known)
    familiar = scores(reference, labels[known], see([given.pictures[int(i)] for i in fresh]))
    strange = {kind: scores(reference, labels[known], see(items)) for kind, items in given.strange.items()}
    rows = {}
    for score, values in held.items():
        line = alarm.line(np.concatenate(values), RATE, loosest=LOOSEST)
        if line is None:
            continue
        rows[score] = {
            "expected": line.rate.value,
            "alarms": float((familiar[score] > line.at).mean()),
            "kinds": {kind: _told(familiar[score], found[score], line.at) for kind, found in strange.items()},
        }
    return {"scores": rows, "held_out": line.items if line else 0, "seconds": round(time.perf_counter() - started, 1)}


def _of(see: Any, pictures: Pictures, rows: np.ndarray) -> Seen:
    seen: Seen = see([pictures[int(i)] for i in rows])
    return seen


def _told(familiar: np.ndarray, strange: np.ndarray, line: float) -> dict[str, float]:
    return {
        "auroc": round(alarm.separation(familiar, strange), 4),
        "fpr95": round(alarm.false_alarms(familiar, strange), 4),
        "caught": round(float((strange > line).mean()), 4),
    }


def main() -> int:
    """Measure what is missing, writing after each cell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="one seed of the digits")
    quick = parser.parse_args().quick
    cells = [
        (name, size, winner, seed)
        for seed in range(1 if quick else SEEDS)
        for size in SIZES
        for winner in WINNERS
        for name in (TARGETS[:1] if quick else TARGETS)
    ]
    data: dict[str, Any] = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {"cells": {}}
    machine = here("float32")
    data["planned"] = len(TARGETS) * len(SIZES) * len(WINNERS) * SEEDS
    data["machine"] = {"kind": machine.kind, "commit": commit(), "backbone": BACKBONE, "rate": RATE, "fresh": FRESH}
    for name, size, winner, seed in cells:
        key = f"{name}/{size}/{winner}/{seed}"
        if key in data["cells"]:
            continue
        data["cells"][key] = measure(name, size, winner, seed)
        files.write_json(RESULT, data)
        print(f"{key}: {data['cells'][key]['seconds']} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
