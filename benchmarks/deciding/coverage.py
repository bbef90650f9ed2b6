"""How often a 95 % interval for the gap of two trained models holds the true gap, which the population tells.

A test part: the two models of a cell and seed stay as they are (full fine-tuning, and training from scratch), and two
hundred test parts are drawn from the population. Cross-validation: two hundred fresh draws of the labelled pictures; on
each, a probe on the source's features and one on random features are fitted in the product's own five folds, their
out-of-fold answers give the interval, and what it should hold is the gap of the same two probes fitted on the whole
draw. Intervals and folds are the product's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import update_bn

from benchmarks.deciding import arms, cells, sources, targets
from benchmarks.deciding.arms import Bench
from benchmarks.deciding.cells import Unit
from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.base import seeds
from headstart.data import splitting
from headstart.measure import intervals
from headstart.measure import verdict as measured
from headstart.measure.linear import Linear
from headstart.tasks.classification import Classification

REPLICATES = 200
TESTED = 100
"""Pictures of a drawn test part."""
PAIR = ("full", "scratch")


def of_test_parts(unit: Unit, bench: Bench, replicates: int = REPLICATES) -> dict[str, Any] | None:
    """Coverage with both models fixed; None while one of them has not been trained."""
    first, second = PAIR
    found = [
        bench.results.get(Unit(first, unit.target, unit.shots, unit.source, unit.seed)),
        bench.results.get(Unit(second, unit.target, unit.shots, cells.NONE, unit.seed)),
    ]
    if any(each is None for each in found):
        return None
    count = len(targets.population_labels(unit.target, bench.size))
    right = [arms.right_of(each, count) for each in found if each is not None]
    draw = seeds.generator(unit.seed, "decision", unit.name)
    drawn = [draw.choice(count, min(TESTED, count // 4), replace=False) for _ in range(replicates)]
    rows = [(right[0][part], right[1][part]) for part in drawn]
    return _held(rows, [float((right[0] - right[1]).mean())] * replicates)


def of_folds(unit: Unit, bench: Bench, replicates: int = REPLICATES) -> dict[str, Any]:
    """Coverage over fresh draws of the labelled pictures, probes refitted on each."""
    known = catalogue.load(f"local:{sources.make(unit.source, bench.work)}").eval()
    blank = sources.untrained(seeds.derive(unit.seed, "random"))
    shown = targets.labelled(unit.target, unit.per_class, -1 % 2**31, "fresh")[0]
    update_bn(_batches(shown), blank)
    networks, tested = (known, blank.eval()), targets.population(unit.target, bench.size)
    asked = [features(network, tested[0]) for network in networks]
    rows, truths = [], []
    for number in range(replicates):
        pictures, labels = targets.labelled(unit.target, unit.per_class, number, "fresh")
        split = splitting.split(labels, arms.digests(pictures), [None] * len(labels), seed=number)
        draw = _Draw(labels, split.folds, number)
        pairs = [draw.probed(features(network, pictures)) for network in networks]
        rows.append((pairs[0][0], pairs[1][0]))
        shares = [_share(probe, each, tested[1]) for (_, probe), each in zip(pairs, asked, strict=True)]
        truths.append(shares[0] - shares[1])
    return _held(rows, truths)


def features(network: Backbone, pictures: np.ndarray) -> np.ndarray:
    """Pooled features (n, d) after the last stage."""
    with torch.inference_mode():
        return torch.cat([network(batch) for batch in _batches(pictures, 512)]).double().numpy()


def _batches(pictures: np.ndarray, size: int = 32) -> Sequence[torch.Tensor]:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).split(size)


@dataclass(frozen=True)
class _Draw:
    """Labelled pictures in the folds of a run with this seed."""

    labels: np.ndarray
    folds: splitting.Folds
    seed: int

    def probed(self, seen: np.ndarray) -> tuple[np.ndarray, Linear]:
        """Right or wrong (n,) out of fold by features (n, d), and the probe on all of them."""
        task = Classification(tuple(f"{label:02d}" for label in range(self.labels.max() + 1)))
        right, penalty = np.zeros(len(self.labels)), None
        for train, held in self.folds:
            # As in a run: the first fold chooses the penalty, the others and the refit take it over.
            linear, penalty = task.solve(seen[train], self.labels[train], penalty=penalty, weights=None, seed=self.seed)
            right[held] = linear.outputs(seen[held]).argmax(axis=1) == self.labels[held]
        return right, task.solve(seen, self.labels, penalty=penalty, weights=None, seed=self.seed)[0]


def _share(probe: Linear, asked: np.ndarray, wanted: np.ndarray) -> float:
    """Share of the population that a probe gets right, averaged over classes, for labelled pictures come evenly."""
    hit = probe.outputs(asked).argmax(axis=1) == wanted
    return float(np.mean([hit[wanted == label].mean() for label in np.unique(wanted)]))


def _held(rows: Sequence[tuple[np.ndarray, np.ndarray]], truths: Sequence[float]) -> dict[str, Any]:
    """How many of the intervals hold their truth, and what verdicts they would have been."""
    found = [intervals.mean_difference(a, b, seed=number) for number, (a, b) in enumerate(rows)]
    words = [measured.word(gain) for gain in found]
    return {
        "replicates": len(found),
        "items": len(rows[0][0]),
        "held": sum(gain.low <= truth <= gain.high for gain, truth in zip(found, truths, strict=True)),
        "below": sum(truth < gain.low for gain, truth in zip(found, truths, strict=True)),
        "above": sum(truth > gain.high for gain, truth in zip(found, truths, strict=True)),
        "gap": 100 * float(np.mean(truths)),
        "half": 50 * float(np.mean([gain.high - gain.low for gain in found])),
        "verdicts": {word: words.count(word) for word in ("positive", "tie", "negative")},
    }
