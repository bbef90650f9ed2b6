"""How many more labels: the learning curve of a probe over the development labels, and what doubling them would bring.

Ridge probes on stored features, fitted to stratified parts of the labels and judged by cross-validation, several times
over. It is the probe's curve: of a sealed model that is none, it is said what it would gain if its errors shrank as the
probe's do. Whatever is held out together (groups, near duplicates) is drawn together. The test part stays closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.base import scratch, seeds
from headstart.base.vocabulary import Interval
from headstart.choose.finish import Finished
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb
from headstart.data import groups
from headstart.data.printable import count
from headstart.measure import folds, learning_curve
from headstart.measure.arrays import Floats, Ints
from headstart.measure.learning_curve import Laws
from headstart.measure.metric import Metric
from headstart.tasks.task import Task
from headstart.tune import probe

LEAST = 40
"""Items, or groups of them, from which on a curve is measured."""
SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125)
"""Parts of what four folds of five hold, whose probes make the curve."""
A_STRATUM = 2
"""Labels of each class, or of each tenth of the numbers, below which a probe has not begun to learn."""
REPLICATES = 400
FOLDS = 5
MOST = 6_000
"""Items that the curve is measured on; of more, as many are drawn."""
UNSURE = 0.5
"""Share of the error now over which the gain's interval may stretch: any curve at all gains between 7 and 65 %."""
PLACES = 48
"""Sizes at which the fitted curve is kept, for its drawing."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A learning curve as it was measured.

    Attributes:
        sizes: (s,) labels that probes were fitted to.
        errors: (s,) what was measured: the score itself, or what a perfect one is above it.
        replicates: (r, s) bootstrap replicates over items and subsets.
    """

    sizes: Ints
    errors: Floats
    replicates: Floats

    def laws(self, seed: int) -> Laws:
        """The power laws that it leaves possible."""
        return learning_curve.laws(self.sizes, self.errors, self.replicates, seed=seed)


def of(ground: Ground, found: Climb, ended: Finished) -> dict[str, Any]:
    """What ``learning.json`` holds: see ``Run.learning``."""
    task, n = ground.task, len(ground.targets)
    metric = task.metric(task.stated(ground.metric))
    known = {"metric": metric.name, "title": metric.title, "percent": metric.percent, "labels": n}
    units = tied(ground)
    rows = _drawn(units, ground)
    strata = _strata(task, ground.targets[rows], np.unique(units[rows], return_inverse=True)[1])
    if len(strata) < LEAST or len(_shares(len(rows), strata)) < 3:
        what = count(len(strata), ground.dataset.modality.removesuffix("s"), ground.dataset.modality)
        return known | {"told": False, "why": f"{what} are too few to see how the error falls with their number"}
    features, read = _features(ground, found, rows)
    curve = measure(features, ground.targets[rows], task, metric, units=units[rows], seed=ground.seed)
    laws = curve.laws(ground.seed)
    wrong, gain, share = laws.at(n), laws.gain(n), laws.shrinkage(n)
    told = gain.high - gain.low <= UNSURE * wrong.value
    why = "" if told else "the curve is too noisy for its number of labels: it leaves nearly every course possible"
    return (
        known
        | {"told": told, "why": why, "by": f"a ridge probe on the features of {read}, in {FOLDS}-fold cross-validation"}
        | _measured(curve, metric, task, rows, strata)
        | {"curve": [{"labels": size} | _plain(_score(laws.at(size), metric)) for size in _places(curve, n)]}
        | {"now": _plain(_score(wrong, metric)), "doubled": _plain(_score(laws.at(2 * n), metric))}
        | {"gain": _plain(gain), "share": _plain(share), "slope": _slope(curve)}
        | {"sealed": _of_sealed(ended, metric, share)}
    )


def _measured(curve: Measured, metric: Metric, task: Task, rows: Ints, strata: Ints) -> dict[str, Any]:
    ends = np.quantile(curve.replicates, [0.025, 0.975], axis=0)
    errors = [Interval(float(e), float(low), float(high)) for e, low, high in zip(curve.errors, *ends, strict=True)]
    return {
        "sizes": curve.sizes.tolist(),
        "scores": [_plain(_score(error, metric)) for error in errors],
        "items": len(rows),
        "repeats": repeats(len(rows)),
    }


def _of_sealed(ended: Finished, metric: Metric, share: Interval) -> dict[str, Any] | None:
    """What the sealed model would gain if its held-out error shrank by the same share; None where it is a probe."""
    trial = ended.trial
    if (trial.strategy == "probe" and trial.row.kind == "transfer") or metric.name not in trial.row.scores:
        return None
    error = abs(perfect(metric) - trial.score(metric.name))
    gain = Interval(error * share.value, error * share.low, error * share.high)
    return {"candidate": trial.row.name, "kind": trial.row.kind, "gain": _plain(gain)}


def tied(ground: Ground) -> Ints:
    """(n,) number of what each development item is drawn with: its copies, its group, its near duplicates."""
    data = ground.dataset
    near = dict(enumerate(data.near.clusters))
    cluster = {position: number for number, members in near.items() for position in members}
    chosen = [int(position) for position in data.development]
    owners = [data.groups[position] if data.groups else None for position in chosen]
    names = groups.units(list(ground.digests), owners, [cluster.get(position) for position in chosen])
    return np.unique(np.asarray(names), return_inverse=True)[1].astype(np.int64).reshape(-1)


def _drawn(units: Ints, ground: Ground) -> Ints:
    """The items that the curve is measured on: all of them, or whole units up to ``MOST``."""
    if len(units) <= MOST:
        return np.arange(len(units))
    turn = seeds.generator(ground.seed, "labels", "drawn").permutation(int(units.max()) + 1)[units]
    kept = np.argsort(turn, kind="stable")[:MOST]
    return np.sort(kept).astype(np.int64)


def _features(ground: Ground, found: Climb, rows: Ints) -> tuple[np.ndarray, str]:
    """Features (m, d) that the best probe of the run read, and of which stages they are."""
    metric = ground.task.metric(ground.metric)
    probes = [one for one in found.trials if one.strategy == "probe" and one.row.kind == "transfer" and not one.frozen]
    best = min(probes, key=lambda one: metric.loss(one.score(metric.name)), default=None)
    stages = "last" if best is None else str(best.options.get("stages", "last"))
    parts = [ground.frozen.pooled(stage) for stage in probe.read_taps(ground.frozen.backbone, stages)]
    features = scratch.by_rows(len(rows), lambda some: np.concatenate([part[rows[some]] for part in parts], axis=1))
    ground.frozen.forget()
    return features, {"last": "the last stage", "all": "all stages"}.get(stages, f"stage {stages}")


def _places(curve: Measured, n: int) -> list[int]:
    ends = np.geomspace(float(curve.sizes.min()), 2.0 * n, PLACES)
    return sorted({round(float(size)) for size in ends} | {n})


def _slope(curve: Measured) -> float:
    """The share of the error that went away a doubling, over the upper quarter of the sizes."""
    upper = curve.sizes >= curve.sizes.max() / 4
    return round(learning_curve.steepness(curve.sizes[upper], curve.errors[upper]), 6)


def _score(error: Interval, metric: Metric) -> Interval:
    """An error as the score that it is short of perfection."""
    if not metric.higher:
        return error
    return Interval(*(perfect(metric) - each for each in (error.value, error.high, error.low)))


def _plain(found: Interval) -> dict[str, float]:
    return {name: round(each, 6) for name, each in found.as_dict().items()}


def repeats(n: int) -> int:
    """How often the folds and the subsets are drawn anew: often where there are few items, for there it is cheap."""
    return 6 if n <= 300 else 4 if n <= 800 else 2 if n <= 3000 else 1


def perfect(metric: Metric) -> float:
    """The score without any error."""
    return 1.0 if metric.higher else 0.0


def measure(features: Any, targets: Any, task: Task, metric: Metric, *, units: Any = None, seed: int = 0) -> Measured:
    """The errors of ridge probes on growing parts of the items.

    Args:
        features: (n, d).
        targets: n of them, as the task reads them.
        task: what is predicted.
        metric: the score that the curve is of.
        units: (n,) whole numbers; items of one are drawn and held out together. Each for itself by default.
        seed: of folds, subsets and replicates.
    """
    n = len(targets)
    units = np.arange(n) if units is None else np.unique(np.asarray(units), return_inverse=True)[1].reshape(-1)
    strata = _strata(task, targets, units)
    shares = _shares(n, strata)
    sizes: list[Floats] = []
    scores: list[Floats] = []
    counts = _counts(units, seed)
    for draw in range(repeats(n)):
        pooled = [np.zeros((n, len(task.names))) for _ in shares]
        used = np.zeros(len(shares))
        for train, held in _folds(strata, units, seeds.derive(seed, "labels", draw)):
            for place, rows in enumerate(_parts(train, shares)):
                linear = task.quick(scratch.take(features, rows), targets[rows])
                pooled[place][held] = task.predictions(linear.outputs(features[held]))
                used[place] += len(rows) / FOLDS
        sizes.append(used)
        scores.append(np.stack([metric.prepare(each, targets)(counts) for each in pooled], axis=1))
    every = np.abs(perfect(metric) - np.stack(scores))
    whole, drawn = every[:, 0], every[:, 1:]
    lots = seeds.generator(seed, "labels", "subsets").integers(0, len(drawn), size=(REPLICATES, len(drawn)))
    replicates = drawn[lots, np.arange(REPLICATES)[:, None]].mean(axis=1)
    if metric.bounded:
        replicates = _open(replicates, len(strata), seed)
    return Measured(np.mean(sizes, axis=0).round().astype(np.int64), whole.mean(axis=0), replicates)


def held_out(features: Any, targets: Any, task: Task, *, units: Any, seed: int = 0) -> Floats:
    """Answers (n, K) of ridge probes to items that they were not fitted to, nor anything that is tied to them."""
    units = np.unique(np.asarray(units), return_inverse=True)[1].reshape(-1)
    strata = _strata(task, targets, units)
    answers = np.zeros((len(targets), len(task.names)))
    for train, held in _folds(strata, units, seeds.derive(seed, "held out")):
        linear = task.quick(scratch.take(features, np.sort(train)), targets[np.sort(train)])
        answers[held] = task.predictions(linear.outputs(features[held]))
    return answers


def _strata(task: Task, targets: Any, units: Ints) -> Ints:
    """(u,) what each unit counts for: the stratum of its first item."""
    each = np.unique(task.strata(targets), axis=0, return_inverse=True)[1].reshape(-1)
    return np.asarray(each[np.unique(units, return_index=True)[1]], dtype=np.int64)


def _counts(units: Ints, seed: int) -> Floats:
    """(1 + r, n) how often each item counts: once, and in each replicate as often as its unit was drawn."""
    number = int(units.max()) + 1
    draws = seeds.generator(seed, "labels", "items").integers(0, number, size=(REPLICATES, number))
    drawn = np.stack([np.bincount(row, minlength=number) for row in draws])
    return np.concatenate([np.ones((1, len(units))), drawn[:, units]]).astype(np.float64)


def _folds(strata: Ints, units: Ints, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """Training items, in an order whose every beginning is stratified, and held-out items."""
    members = [np.asarray(each) for each in np.split(np.argsort(units, kind="stable"), np.cumsum(np.bincount(units)))]
    for number, (train, held) in enumerate(folds.stratified(strata, folds=FOLDS, seed=seed)):
        turn = train[learning_curve.order(strata[train], seed=seeds.derive(seed, number))]
        yield np.concatenate([members[unit] for unit in turn]), np.concatenate([members[unit] for unit in held])


def _shares(n: int, strata: Ints) -> list[float]:
    """The parts that have enough of each stratum, largest first."""
    least = A_STRATUM * len(np.unique(strata)) / ((1 - 1 / FOLDS) * n)
    return [share for share in SHARES if share >= least]


def _parts(train: Ints, shares: Sequence[float]) -> list[Ints]:
    return [np.sort(train[: max(2, round(share * len(train)))]) for share in shares]


def _open(replicates: Floats, units: int, seed: int) -> Floats:
    """Replicates of a bounded error with two imagined items, each as likely wrong as right: no error is certainly 0."""
    wrong = seeds.generator(seed, "labels", "imagined").binomial(2, 0.5, size=(len(replicates), 1))
    return np.asarray((units * replicates + wrong) / (units + 2))
