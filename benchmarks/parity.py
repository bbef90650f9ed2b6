"""Does the machinery cost accuracy? ``full`` against a plain float32 PyTorch loop, paired, seed by seed.

    python benchmarks/parity.py --seeds 20

Both arms fine-tune the same backbone from the same probed head, on the same pictures, in the same batch order, for the
same epochs at the same rate. The first arm is the product: strategy ``full`` through the chain of stages, the store and
the engine, in the precision that is native here. The second is what one writes by hand: ``backbone.module``, AdamW,
warm-up, cosine, a ``for`` loop, float32. Each seed draws its own ten training pictures of every digit; accuracy is on
all the others. The result is the mean paired difference with its 95 % interval (Student's t over seeds).

Every seed is written to benchmarks/results/parity.json when it is done; a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.provenance import commit
from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import files
from headstart.base.machine import here
from headstart.data import images
from headstart.engine.drive import drive
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.network import Network
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.features.streams import Training
from headstart.tasks.classification import Classification
from headstart.tune import full
from headstart.tune.setting import Setting
from headstart.tune.start import from_probe

RESULTS = Path(__file__).parent / "results" / "parity.json"
LIMIT = 1.0
"""Largest loss of test accuracy, in points, that the 95 % interval may leave open."""


def settings(arguments: argparse.Namespace, backbone: Backbone) -> Iterator[tuple[Setting, np.ndarray]]:
    """One setting and its test positions for each seed; the backbone and the pictures are shared."""
    digits = load_digits()
    items = list(np.round(digits.images * 255 / 16).astype(np.uint8))
    targets = digits.target.astype(np.int64)
    machine = here("auto", "cpu")
    with tempfile.TemporaryDirectory() as folder:
        digests = [images.digest(item) for item in items]
        pixels = Pixels(items, digests, backbone.info.preprocessing, Store(Path(folder)))
        frozen = Frozen(backbone, pixels, Store(Path(folder)), machine)
        for seed in range(arguments.seeds):
            train = draw(targets, arguments.per_class, seed)
            yield (
                Setting(
                    frozen=frozen,
                    targets=targets,
                    outputs=10,
                    train=train,
                    held=np.zeros(0, dtype=np.int64),
                    task=Classification(tuple(map(str, range(10)))),
                    score=lambda outputs, targets: {},
                    augmentation=Augmentation(flip=False, strength=0.0),
                    seed=seed,
                ),
                np.setdiff1d(np.arange(len(targets)), train),
            )


def draw(targets: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Positions of ``per_class`` training pictures of every class."""
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(np.flatnonzero(targets == digit), per_class, replace=False) for digit in range(10)]
    return np.sort(np.concatenate(chosen))


def product(setting: Setting, arguments: argparse.Namespace) -> nn.Module:
    """The first arm: strategy ``full`` as the product runs it, one rate for all stages."""
    plan = full.plan(
        setting,
        rate=arguments.rate,
        epochs=arguments.epochs,
        batch_size=arguments.batch,
        decay=1.0,
        weight_decay=arguments.weight_decay,
    )
    return drive(plan, machine=setting.frozen.machine).network


def by_hand(setting: Setting, arguments: argparse.Namespace) -> nn.Module:
    """The second arm: the loop one writes by hand, float32 throughout."""
    preprocessing = setting.frozen.backbone.info.preprocessing
    mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std).view(1, 3, 1, 1)
    backbone, head = from_probe(setting)()
    model = nn.Sequential(backbone.module, head).train().requires_grad_(True)
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": arguments.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=arguments.rate)
    # The order alone is borrowed, so that both arms see the same batches.
    order = Training(
        setting.frozen.at(0, 1, setting.augmentation),
        setting.train,
        setting.targets,
        batch_size=arguments.batch,
        seed=setting.draw("full", "stream"),
        augment=False,
    )
    steps, step = len(order) * arguments.epochs, 0
    warm = int(0.1 * steps)
    for epoch in range(arguments.epochs):
        for batch in order.batches(epoch):
            inputs = (setting.frozen.pixels[batch.index].float() / 255 - mean) / std
            for group in optimiser.param_groups:
                rising = (step + 1) / (warm + 1)
                falling = 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
                group["lr"] = arguments.rate * (rising if step < warm else falling)
            loss = F.cross_entropy(model(inputs), torch.from_numpy(setting.targets[batch.index]))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            step += 1
    return Network(backbone, head)


def accuracy(model: nn.Module, setting: Setting, test: np.ndarray) -> float:
    """Accuracy in percent on the test positions, float32."""
    model.eval()
    right = 0
    with torch.inference_mode():
        for start in range(0, len(test), 256):
            index = test[start : start + 256]
            outputs = model(setting.frozen.pixels[index])
            right += int((outputs.argmax(1).numpy() == setting.targets[index]).sum())
    return 100 * right / len(test)


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Mean paired difference in points of accuracy with its two-sided 95 % interval."""
    gaps = [row["full"] - row["plain"] for row in rows]
    mean = statistics.fmean(gaps)
    half = student.ppf(0.975, len(gaps) - 1) * statistics.stdev(gaps) / math.sqrt(len(gaps)) if len(gaps) > 1 else 100.0
    return {
        "seeds": len(gaps),
        "full": statistics.fmean(row["full"] for row in rows),
        "plain": statistics.fmean(row["plain"] for row in rows),
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "loss_bound": -(mean - half),
    }


def resume(arguments: argparse.Namespace, configuration: dict[str, Any]) -> list[dict[str, Any]]:
    """The seeds that an earlier run of the same configuration finished."""
    if arguments.again or not RESULTS.exists():
        return []
    before = json.loads(RESULTS.read_text(encoding="utf-8"))
    return before["rows"] if before["configuration"] == configuration else []


def main() -> int:
    """Measure what is missing; exit code 1 if the bound does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--backbone", default="embedded/resnet10-procedural")
    parser.add_argument("--per-class", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--again", action="store_true", help="measure all seeds again")
    arguments = parser.parse_args()
    configuration = {name: value for name, value in vars(arguments).items() if name not in ("seeds", "again")}
    machine = here("auto", "cpu")
    backbone = catalogue.load(arguments.backbone)
    # Other weights under the same name would be another measurement.
    configuration |= {"precision": machine.precision, "weights": backbone.digest()}
    rows = resume(arguments, configuration)
    done = {row["seed"] for row in rows}
    for setting, test in settings(arguments, backbone):
        if setting.seed in done:
            continue
        row: dict[str, Any] = {"seed": setting.seed, "commit": commit()}
        for name, arm in (("full", product), ("plain", by_hand)):
            started = time.perf_counter()
            torch.manual_seed(setting.seed)
            model = arm(setting, arguments)
            row[f"{name}_seconds"] = round(time.perf_counter() - started, 2)
            row[name] = accuracy(model, setting, test)
        rows.append(row)
        print(f"seed {setting.seed:2d}: full {row['full']:.2f} %, plain {row['plain']:.2f} %")
        files.write_json(
            RESULTS,
            {
                "question": "accuracy of strategy full minus accuracy of a plain float32 loop, in points, paired",
                "command": " ".join(["python", "benchmarks/parity.py", *sys.argv[1:]]),
                "machine": machine.as_dict() | {"torch": torch.__version__},
                "configuration": configuration,
                "summary": summary(rows),
                "rows": rows,
            },
        )
    total = summary(rows)
    holds = total["loss_bound"] < LIMIT
    print(
        f"full - plain = {total['difference']:+.2f} points, 95 % interval {total['low']:+.2f} to {total['high']:+.2f},"
        f" over {total['seeds']} seeds: a loss of {LIMIT:g} point is {'ruled out' if holds else 'NOT ruled out'}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
