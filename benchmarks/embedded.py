"""The gate of the embedded backbones: do weights made from patterns beat training from scratch where labels are few?

    python benchmarks/embedded.py                       # the final targets; every run on them is counted
    python benchmarks/embedded.py --development         # the development targets, as often as you like
    python benchmarks/embedded.py --summary             # what was found so far, nothing is measured

Final targets: scikit-learn's digits, and lower-case letters whose test pictures are in fonts that no labelled picture
has. Reported besides, never gated: the two photographs that come with scikit-learn, cut into small squares; labelled
ones from their left half, tested ones from their right half, a gutter between. {1, 5, 10, all} labels a class, ten
paired seeds (three with all labels, and for the photographs): in one seed every arm has the same labelled and the same
tested pictures.

Arms, all of them parts of the product: ``scratch`` (strategy scratch: the same network from random weights, its own
rate, five times the epochs), ``random`` (logistic regression on random features, norm statistics taken from the
pictures), ``frozen`` (strategy probe), ``tuned`` (strategy full), ``pixels`` (support vector machine). The two that
train by steps get their rate by the same rule: the best mean accuracy over tuning draws from pictures that are in no
measured draw, on a grid that is extended while its edge is best; these fits get half the epochs, as the product's own
sweep does.

The gate: the 95 % interval (Student's t over seeds) of tuned - scratch lies above 0 on both final targets at 10 shots
and fewer, and with all labels the mean loss is under 0.5 point. Every cell is written when it is done, by the digest of
the weights it was measured on; an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import string
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_images
from torch.optim.swa_utils import update_bn

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import embedded_development as development
from benchmarks.provenance import commit
from benchmarks.recipes import interval
from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import files, seeds
from headstart.base.discovery import load
from headstart.base.machine import here
from headstart.choose import planning
from headstart.data import images
from headstart.engine.drive import drive
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.tasks.classification import Classification
from headstart.tune import full, probe, scratch
from headstart.tune.finetune import GRID, sweep_epochs
from headstart.tune.setting import Setting
from tests.pretrain.heldout import scenes

RESULTS = Path(__file__).parent / "results"
ALL = 0
"""Stands for all labels."""
SHOTS = (1, 5, 10, ALL)
ARMS = ("pixels", "random", "frozen", "tuned", "scratch")
SEEDS, SEEDS_FEW = 10, 3
"""Paired draws; the few are with all labels, and for the photographs."""
TUNING_SEEDS, TUNING_SEEDS_ALL = 2, 1
RATES = {"tuned": (1e-4, 3.162e-4, 1e-3), "scratch": (1e-3, 3.162e-3, 1e-2)}
"""Where the search of each arm's rate begins."""
LONGER = planning.SCRATCH_LIFE
LOSS_ALLOWED = 0.5
FINAL = ("digits", "lower case")
REPORTED = ("photographs",)


@dataclass(frozen=True)
class Bank:
    """All pictures of a target.

    Attributes:
        pictures: (n, h, w, 3) uint8.
        labels: (n,) class indices.
        sides: (n,) what decides on which side of a split a picture lies: its font, its half, or itself.
        tested: share of the sides that is tested.
    """

    pictures: np.ndarray
    labels: np.ndarray
    sides: np.ndarray
    tested: float

    def draw(self, shots: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions of labelled pictures, ``shots`` a class, and of tested ones, no side on both sides."""
        rng = seeds.generator(seed, "split")
        kinds = rng.permutation(np.unique(self.sides))
        tested = np.isin(self.sides, kinds[: max(1, round(self.tested * len(kinds)))])
        rows = []
        for label in range(int(self.labels.max()) + 1):
            own = rng.permutation(np.flatnonzero((self.labels == label) & ~tested))
            rows.append(own[: shots or len(own)])
        return np.concatenate(rows), np.flatnonzero(tested)


def letters(alphabet: str, fonts: list[str], per_class: int, seed: int) -> Bank:
    """Letters in many fonts; test pictures come in fonts of their own."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(alphabet)), per_class)
    font = rng.integers(len(fonts), size=len(labels))
    size = development.SIZE
    drawn = [
        development._letter(alphabet[int(label)], fonts[int(f)], rng, size)
        for label, f in zip(labels, font, strict=True)
    ]
    return Bank(np.stack(drawn).transpose(0, 2, 3, 1), labels, font, 0.4)


def all_fonts() -> list[str]:
    """Every font of matplotlib that has plain lower-case letters, the old TeX ones too."""
    folder = Path(development.fonts()[0]).parent
    tex = [folder / f"{name}.ttf" for name in ("cmb10", "cmmi10", "cmr10", "cmss10", "cmtt10")]
    return development.fonts() + [str(path) for path in tex]


def digits(part: str) -> Bank:
    """scikit-learn's digits, 8 x 8 pixels; a quarter of them is for tuning rates, the others are measured on."""
    data = load_digits()
    chosen = np.random.default_rng(7).permutation(len(data.target))
    quarter = len(chosen) // 4
    rows = np.sort(chosen[:quarter] if part == "tuning" else chosen[quarter:])
    grey = np.round(data.images[rows] * 255 / 16).astype(np.uint8)
    return Bank(np.repeat(grey[..., None], 3, 3), data.target[rows].astype(np.int64), np.arange(len(rows)), 0.4)


def photographs(part: str, per_class: int = 60, side: int = 64) -> Bank:
    """Squares of two photographs; the class is which photograph and which quarter of its height. Half decides side."""
    rng = np.random.default_rng(11 if part == "tuning" else 12)
    pictures, labels, halves = [], [], []
    for number, photo in enumerate(load_sample_images().images):
        height, width = photo.shape[:2]
        band, reach = height // 4, (width - side) // 2
        for quarter in range(4):
            for half in (0, 1):
                for _ in range(per_class):
                    top = quarter * band + rng.integers(band - side + 1)
                    left = half * (reach + side) + rng.integers(reach - side + 1)
                    pictures.append(photo[top : top + side, left : left + side])
                    labels.append(4 * number + quarter)
                    halves.append(half)
    return Bank(np.stack(pictures), np.array(labels), np.array(halves), 0.5)


@cache
def bank(target: str, part: str) -> Bank:
    """The pictures of a target: "measured" ones, or "tuning" ones, which are others."""
    seed = 1 if part == "measured" else 2
    if target == "digits":
        return digits(part)
    if target == "photographs":
        return photographs(part)
    if target == "lower case":
        return letters(string.ascii_lowercase, all_fonts(), 100, 30 + seed)
    if target == "upper case":
        return letters(string.ascii_uppercase, all_fonts(), 100, 10 + seed)
    if target == "Greek":
        return letters(development.GREEK, development.fonts(), 100, 20 + seed)
    pictures, labels = scenes(100, 40 + seed)
    return Bank(pictures.transpose(0, 2, 3, 1), labels, np.arange(len(labels)), 0.4)


class Bench:
    """The arms over one target's pictures, with one backbone.

    Args:
        backbone: the embedded one.
        target: a name that ``bank`` knows.
        part: "measured" or "tuning".
        folder: of the store.
    """

    def __init__(self, backbone: Backbone, target: str, part: str, folder: Path) -> None:
        self.bank, self.backbone = bank(target, part), backbone
        self.items = [np.ascontiguousarray(picture) for picture in self.bank.pictures]
        self.store, self.machine = Store(folder), here("auto", "cpu")
        digests = [images.digest(item) for item in self.items]
        self.pixels = Pixels(self.items, digests, backbone.info.preprocessing, self.store)
        self.frozen = Frozen(backbone.copy(), self.pixels, self.store, self.machine)

    def accuracy(self, arm: str, shots: int, seed: int, rate: float | None, *, sweep: bool = False) -> float:
        """Percent right of the tested pictures; with the epochs of a sweep or of a final fit."""
        taught, tested = self.bank.draw(shots, seed)
        if arm == "pixels":
            outputs = self._pixels(taught, tested, seed)
        else:
            outputs = self._network(arm, taught, tested, seed=seed, rate=rate, sweep=sweep)
        return 100 * float((outputs.argmax(1) == self.bank.labels[tested]).mean())

    def _pixels(self, taught: np.ndarray, tested: np.ndarray, seed: int) -> np.ndarray:
        labels = self.bank.labels
        task = Classification(tuple(map(str, range(int(labels.max()) + 1))))
        fitted = load("baselines", "pixels_svm").fit(
            [self.items[i] for i in taught], labels[taught], task, seed, modality="images"
        )
        found: np.ndarray = fitted.predict([self.items[i] for i in tested])
        return found

    def _network(
        self, arm: str, taught: np.ndarray, tested: np.ndarray, *, seed: int, rate: float | None, sweep: bool
    ) -> np.ndarray:
        frozen = self._random(taught, seed) if arm == "random" else self.frozen
        setting = Setting(
            frozen=frozen,
            targets=self.bank.labels,
            outputs=int(self.bank.labels.max()) + 1,
            train=taught,
            held=np.zeros(0, np.int64),
            task=Classification(tuple(map(str, range(int(self.bank.labels.max()) + 1)))),
            score=lambda outputs, targets: {},
            augmentation=Augmentation(flip=False),
            seed=seed,
        )
        batch = planning.batch_size(len(taught))
        epochs = max(8, min(40, planning.STEPS // max(1, round(len(taught) / batch))))
        longer = LONGER * epochs
        if sweep:
            epochs, longer = sweep_epochs(epochs), sweep_epochs(longer)
        plans: dict[str, Callable[[], Any]] = {
            "random": lambda: probe.plan(setting),
            "frozen": lambda: probe.plan(setting),
            "tuned": lambda: full.plan(setting, rate=rate, epochs=epochs, batch_size=batch),
            "scratch": lambda: scratch.plan(setting, rate=rate, epochs=longer, batch_size=batch),
        }
        network = drive(plans[arm](), machine=self.machine).network.eval()
        with torch.inference_mode():
            parts = [network(self.pixels[part]).float() for part in np.array_split(tested, max(1, len(tested) // 256))]
        return torch.cat(parts).numpy()

    def _random(self, taught: np.ndarray, seed: int) -> Frozen:
        """A random copy of the network, whose norms have seen the labelled pictures."""
        copy = self.backbone.fresh(seeds.derive(seed, "random"))
        rows = np.random.default_rng(seed).permutation(taught)[:512]
        update_bn((self.pixels[part] for part in np.array_split(rows, max(1, len(rows) // 32))), copy)
        return Frozen(copy.eval(), self.pixels, self.store, self.machine)


class Record:
    """The results file: cells by version of the weights, and how often final targets were opened."""

    def __init__(self, path: Path, backbone: Backbone) -> None:
        self.path, self.version = path, backbone.digest()[:16]
        self.data: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self.data.setdefault("openings", [])
        self.own = self.data.setdefault("versions", {}).setdefault(self.version, {})
        self.own |= {"backbone": backbone.info.name, "source": backbone.info.source}
        self.own.setdefault("rates", {})
        self.own.setdefault("cells", {})

    def write(self) -> None:
        """Everything, whole or not at all."""
        self.data["question"] = (
            "accuracy in percent with few labels: embedded weights against the same net from scratch"
        )
        self.data["machine"] = here("auto", "cpu").as_dict() | {"torch": torch.__version__}
        files.write_json(self.path, self.data)

    def opened(self) -> None:
        """Count one more run on the final targets."""
        before = [one for one in self.data["openings"] if one["version"] == self.version]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        words = " ".join(["python", "benchmarks/embedded.py", *sys.argv[1:]])
        self.data["openings"].append(
            {"version": self.version, "at": now, "commit": commit(), "command": words, "continues": bool(before)}
        )
        self.write()

    def values(self, target: str, shots: int, arm: str) -> dict[int, float]:
        """Accuracy of every seed that is done."""
        found = {seed: self.own["cells"].get(key(target, shots, arm, seed)) for seed in range(SEEDS)}
        return {seed: cell["accuracy"] for seed, cell in found.items() if cell is not None}


def key(target: str, shots: int, arm: str, last: int | str) -> str:
    """Name of a cell."""
    return f"{target} | {shots or 'all'} | {arm} | {last}"


def best_rate(record: Record, bench: Bench, target: str, shots: int, arm: str) -> float:
    """The rate with the best mean accuracy over the tuning draws; the grid grows while its edge is best."""
    tried = record.own["rates"].setdefault(key(target, shots, arm, "rates"), {})
    grid = [min(GRID, key=lambda known, rate=rate: abs(np.log(known / rate))) for rate in RATES[arm]]  # type: ignore[misc]
    while True:
        for rate in grid:
            if f"{rate:g}" not in tried:
                draws = range(TUNING_SEEDS if shots else TUNING_SEEDS_ALL)
                tried[f"{rate:g}"] = statistics.fmean(
                    bench.accuracy(arm, shots, 1000 + seed, rate, sweep=True) for seed in draws
                )
                record.write()
        best = max(grid, key=lambda rate: tried[f"{rate:g}"])
        place = GRID.index(best)
        beyond = place - 1 if best == min(grid) else place + 1 if best == max(grid) else None
        if beyond is None or not 0 <= beyond < len(GRID) or GRID[beyond] in grid:
            return best
        grid.append(GRID[beyond])


def missing(record: Record, targets: tuple[str, ...]) -> Iterator[tuple[str, int, str, int]]:
    """The cells that are still to be measured, the cheap arms first."""
    for target in targets:
        for shots in SHOTS:
            for arm in ARMS:
                for seed in range(SEEDS if shots and target not in REPORTED else SEEDS_FEW):
                    if key(target, shots, arm, seed) not in record.own["cells"]:
                        yield target, shots, arm, seed


def measure(record: Record, backbone: Backbone, targets: tuple[str, ...], most: int | None) -> None:
    """Every missing cell, or the first ``most``."""
    with tempfile.TemporaryDirectory() as folder:
        benches: dict[tuple[str, str], Bench] = {}

        def bench(target: str, part: str) -> Bench:
            if (target, part) not in benches:
                benches[target, part] = Bench(backbone, target, part, Path(folder))
            return benches[target, part]

        for target, shots, arm, seed in list(missing(record, targets))[:most]:
            steps = arm in RATES
            rate = best_rate(record, bench(target, "tuning"), target, shots, arm) if steps else None
            started = time.perf_counter()
            accuracy = bench(target, "measured").accuracy(arm, shots, seed, rate)
            cell = {"accuracy": round(accuracy, 3), "seconds": round(time.perf_counter() - started, 2)}
            record.own["cells"][key(target, shots, arm, seed)] = cell | ({"rate": rate} if steps else {})
            record.write()
            print(f"{key(target, shots, arm, seed):<36}{accuracy:6.1f} %  {cell['seconds']:6.1f} s", flush=True)


def gain(record: Record, target: str, shots: int) -> dict[str, float] | None:
    """Paired difference tuned - scratch over the seeds that both arms have."""
    tuned, plain = record.values(target, shots, "tuned"), record.values(target, shots, "scratch")
    both = sorted(tuned.keys() & plain.keys())
    return {**interval([tuned[s] - plain[s] for s in both]), "seeds": len(both)} if len(both) > 1 else None


def summarise(record: Record, targets: tuple[str, ...]) -> bool | None:
    """Print and keep the table; whether the gate holds, None while cells of it are missing."""
    table, holds = [], list[bool | None]()
    for target in targets:
        for shots in SHOTS:
            row: dict[str, Any] = {"target": target, "shots": shots or "all"}
            for arm in ARMS:
                values = list(record.values(target, shots, arm).values())
                row[arm] = interval(values) if len(values) > 1 else None
            row["gain"] = gain(record, target, shots)
            table.append(row)
            cells = [f"{arm} {row[arm]['mean']:.1f} ± {row[arm]['half']:.1f}" for arm in ARMS if row[arm]]
            told = f"; tuned - scratch {row['gain']['mean']:+.1f} ± {row['gain']['half']:.1f}" if row["gain"] else ""
            print(f"{target:<12}{row['shots']!s:>4} shots: {', '.join(cells)}{told}")
            if target in FINAL:
                holds.append(_holds(row["gain"], shots))
    gate = False if False in holds else None if None in holds or not holds else True
    record.own["summary"], record.own["gate"] = table, gate
    record.write()
    return gate


def _holds(found: dict[str, float] | None, shots: int) -> bool | None:
    if found is None or found["seeds"] < (SEEDS if shots else SEEDS_FEW):
        return None
    return found["mean"] > -LOSS_ALLOWED if shots == ALL else found["mean"] - found["half"] > 0


def main() -> int:
    """Measure what is missing; exit code 1 if the gate fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--backbone", default="embedded/resnet10-procedural")
    parser.add_argument("--development", action="store_true", help="the development targets instead of the final ones")
    parser.add_argument("--only", nargs="+", metavar="TARGET", help="some of these targets")
    parser.add_argument("--most", type=int, help="stop after this many cells")
    parser.add_argument("--summary", action="store_true", help="measure nothing")
    given = parser.parse_args()
    backbone = catalogue.load(given.backbone)
    # With one label a class scikit-learn wonders whether classes are meant at all.
    warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
    record = Record(RESULTS / ("embedded_development.json" if given.development else "embedded.json"), backbone)
    targets = ("upper case", "Greek", "scenes") if given.development else (*FINAL, *REPORTED)
    if given.only:
        if unknown := set(given.only) - set(targets):
            parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(targets)}")
        targets = tuple(given.only)
    if not given.summary:
        if not given.development and next(missing(record, targets), None) is not None:
            record.opened()
        measure(record, backbone, targets, given.most)
    gate = summarise(record, targets)
    if given.development:
        return 0
    print({True: "The gate holds.", False: "The gate FAILS.", None: "The gate is not decided yet."}[gate])
    return 1 if gate is False else 0


if __name__ == "__main__":
    sys.exit(main())
