"""One strategy in one cell with one seed, measured: the model that it ends in, on the whole population.

Everything that trains is ``headstart.fit`` or a baseline of the product. Seconds are processor seconds of one thread,
also for the product's own clock while it runs: on a machine that others use, the same budget then buys the same work.
Each unit has a store of its own, so that none finds what another one computed. Views are never mirrored, for whether
that is harmless would be judged on features of a source, and then from scratch would not be without it.
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch.optim.swa_utils import update_bn

import headstart
from benchmarks.deciding import cells, sources, targets
from benchmarks.deciding.cells import Results, Unit
from headstart.backbones import folder
from headstart.base import discovery, hashes, seeds
from headstart.base.errors import TrainingError
from headstart.base.progress import Silent
from headstart.choose import planning
from headstart.data import dataset
from headstart.data.dataset import Dataset
from headstart.data.opening import open_source
from headstart.features.reading import load_each

ENDLESS = 36_000
"""Budget of a fixed strategy in seconds: never the limit."""
AS_THEY_ARE = {"augmentation.flip": False}


@dataclass(frozen=True)
class Bench:
    """Where units are measured.

    Attributes:
        work: folder of the sources and of the results.
        size: pictures of a generated population.
    """

    work: Path
    size: int = targets.POPULATION

    @property
    def results(self) -> Results:
        """The finished units."""
        return Results(self.work / "units")


@lru_cache(maxsize=1)
def population(target: str, size: int) -> targets.Pictures:
    """The population of one target at a time."""
    return targets.population(target, size)


@contextmanager
def apart(work: Path) -> Iterator[Path]:
    """A folder for one unit, where headstart's cache is too, and a clock that counts what this process computes."""
    (work / "running").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work / "running") as place:
        cache = {"HEADSTART_CACHE": str(Path(place) / "cache")}
        with patch.dict(os.environ, cache), patch("time.perf_counter", time.process_time):
            yield Path(place)


def measure(unit: Unit, bench: Bench) -> dict[str, Any] | None:
    """The result of a unit; None if it needs others that have none yet."""
    budget = _budget(unit, bench.results) if unit.kind == cells.AUTO else ENDLESS
    if budget is None:
        return None
    pictures, labels = targets.labelled(unit.target, unit.per_class, unit.seed)
    given = {f"{label:02d}": list(pictures[labels == label]) for label in range(targets.TARGETS[unit.target].classes)}
    asked, tested = cells.FIXED.get(unit.kind, {}), population(unit.target, bench.size)
    with apart(bench.work) as place:
        started, wall = time.process_time(), time.time()
        if "baseline" in asked:
            model: Any = _Baseline(str(asked["baseline"]), given, unit.seed)
            about = {"items": len(labels), "chosen": unit.kind}
        else:
            try:
                model = _fit(unit, given, place, bench.work, budget)
                about = _about(model, len(labels))
            except TrainingError as error:
                # A strategy that collapses has no model to seal; whoever always takes it is left with a constant.
                model, about = _Constant(len(given)), {"items": len(labels), "chosen": "none", "failed": error.what}
        spent = {"seconds": time.process_time() - started, "wall": time.time() - wall}
        right = np.asarray(model.predict_proba(list(tested[0]))).argmax(axis=1) == tested[1]
    if unit.kind == cells.AUTO:
        about["budget"] = budget
    return {**scored(right, tested[1]), **about, **{name: round(value, 2) for name, value in spent.items()}}


def scored(right: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Percent right, in all and averaged over classes, and which of them, eight to a byte."""
    by_class = [right[labels == label].mean() for label in np.unique(labels)]
    packed = base64.b64encode(np.packbits(right).tobytes()).decode("ascii")
    return {"accuracy": 100 * float(right.mean()), "balanced": 100 * float(np.mean(by_class)), "right": packed}


def right_of(result: Mapping[str, Any], count: int) -> np.ndarray:
    """Which of ``count`` tested pictures a unit's model got right (count,), as numbers 0 and 1."""
    bits = np.frombuffer(base64.b64decode(result["right"]), np.uint8)
    return np.unpackbits(bits, count=count).astype(np.float64)


def _budget(unit: Unit, results: Results) -> float | None:
    """The share of the fixed strategies' seconds; None while one of them is missing."""
    total = 0.0
    for kind in cells.FIXED:
        source = cells.NONE if kind in cells.SOURCELESS else unit.source
        found = results.get(Unit(kind, unit.target, unit.shots, source, unit.seed))
        if found is None:
            return None
        total += found["seconds"]
    return cells.BUDGET_SHARE * total


def _fit(unit: Unit, given: Mapping[str, list[np.ndarray]], place: Path, work: Path, budget: float) -> Any:
    """``headstart.fit`` as the unit wants it."""
    asked = dict(cells.FIXED.get(unit.kind, {"strategy": cells.AUTO}))
    strategy = str(asked.pop("strategy"))
    settings = asked if strategy == "probe" else {**asked, **AS_THEY_ARE}
    source = sources.make(sources.RANDOM if unit.source == cells.NONE else unit.source, work)
    if unit.kind == "random features":
        source = _random(developed(given, unit.seed), unit.seed, place / "random")
    if unit.kind == "scratch":
        settings["strategy.epochs"] = _life(developed(given, unit.seed))
    return headstart.fit(
        given,
        output=place / "model",
        backbone=f"local:{source}",
        strategy=strategy,
        budget=budget,
        seed=unit.seed,
        baselines=unit.kind == cells.AUTO,
        precision="float32",
        near_duplicates=False,
        settings=settings,
        pictures=False,
    )


def developed(given: Mapping[str, list[np.ndarray]], seed: int) -> Dataset:
    """The labelled pictures, split as ``fit`` splits them."""
    table = open_source(given, None)
    return dataset.build(table, task="classification", seed=seed, near_duplicates=False, report=Silent())


def _life(data: Dataset) -> int:
    """Epochs that the ladder would give to training from scratch where time is no matter."""
    taught = len(data.folds[0][0])
    steps = max(1, round(taught / planning.batch_size(taught)))
    return planning.SCRATCH_LIFE * max(8, min(40, planning.STEPS // steps))


def _random(data: Dataset, seed: int, to: Path) -> Path:
    """A network with random weights whose norms have seen the development pictures, as the ladder's copies have."""
    network = sources.untrained(seeds.derive(seed, "random"))
    shown = [data.items[int(row)] for row in data.development]
    inputs = np.stack([np.asarray(each) for each in load_each(shown, network.info.preprocessing)])
    update_bn(torch.from_numpy(inputs).split(32), network)
    folder.write_folder(network.eval(), to, {"method": "none"})
    return to


class _Constant:
    """What is left when nothing could be trained: the first class, whatever is asked."""

    def __init__(self, classes: int) -> None:
        self.row = np.eye(classes)[0]

    def predict_proba(self, items: list[np.ndarray]) -> np.ndarray:
        """Certainty (n, C) of the first class."""
        return np.tile(self.row, (len(items), 1))


class _Baseline:
    """A model without a network, fitted on what ``fit`` would develop on."""

    def __init__(self, name: str, given: Mapping[str, list[np.ndarray]], seed: int) -> None:
        data, room = developed(given, seed), discovery.load("baselines", name)
        rows = data.development
        items = [data.items[int(row)] for row in rows]
        drawn = seeds.derive(seed, "baseline", "refit")
        self.fitted = room.fit(items, data.targets[rows], data.task, drawn, modality=data.modality)

    def predict_proba(self, items: list[np.ndarray]) -> np.ndarray:
        """Probabilities (n, C)."""
        return self.fitted.predict(items)


def _about(model: Any, items: int) -> dict[str, Any]:
    """What a sealed model says of how it came about."""
    training, verdict = model.manifest.training, model.verdict
    kept = ("outcome", "gap", "tested", "items", "winner", "models", "metric")
    return {
        "items": items,
        "chosen": training["candidate"],
        "options": training["options"],
        "verdict": {name: verdict.get(name) for name in kept},
        "measured": {row.name: row.status for row in model.evidence},
    }


def digests(pictures: np.ndarray) -> list[str]:
    """SHA-256 of each picture."""
    return [hashes.of_bytes(np.ascontiguousarray(picture).tobytes()) for picture in pictures]
