"""How near source and target are, measured on what the run has computed already; nothing is extracted for it.

Probe strength by stage, (score - chance) / (1 - chance), from ridge probes in five-fold cross-validation: leaving out
one item alone would have its copies on both sides, and of pure noise it says less than chance.
What the pretraining is worth to a probe, over the same one on a random copy of the network and over the best model
without a network. The slope of the learning curve. And, where the backbone brings statistics of its own source, three
distances on its last stage, each beside what as many items of the source itself come to. The test part stays closed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.backbones.statistics import Statistics
from headstart.base import seeds
from headstart.base.vocabulary import Interval
from headstart.choose import more_labels
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb
from headstart.choose.trial import Trial
from headstart.measure import frechet, intervals, learning_curve, mmd, proxy_distance, strength
from headstart.measure.arrays import Ints

MOST = 1_000
"""Items that probe strength is measured on; of more, as many are drawn by class."""
LEAST = 20
"""Items below which neither strength nor a distance is worth its interval."""
LEVEL = 0.005
"""Strength by which a deeper stage may fall behind and still count as the best."""


def of(ground: Ground, found: Climb) -> dict[str, Any]:
    """What ``similarity.json`` holds: see ``Run.similarity``."""
    units = more_labels.tied(ground)
    rows = _drawn(ground)
    metric = ground.task.metric(ground.task.points)
    known: dict[str, Any] = {"score": metric.name, "title": metric.title, "items": len(rows)}
    if len(rows) < LEAST:
        return known | {"distances": {"missing": f"{len(rows)} items are too few to compare"}}
    stages = _stages(ground, rows, units)
    best = strength.peak([each["value"] for each in stages], LEVEL)
    last = np.asarray(ground.frozen.pooled(ground.frozen.backbone.depth)[rows])
    return (
        known
        | {"probe_strength": {end: stages[best][end] for end in ("value", "low", "high")}}
        | {"best_stage": stages[best]["stage"], "stages": stages}
        | {"over_random": _over(ground, found, _random(found)), "over_raw": _over(ground, found, _raw(ground, found))}
        | {"slope": _slope(ground, rows, last)}
        | {"distances": _distances(ground, last)}
    )


def _drawn(ground: Ground) -> Ints:
    """The items that are looked at, the same share of every class."""
    strata = np.unique(ground.task.strata(ground.targets), axis=0, return_inverse=True)[1].reshape(-1)
    turn = learning_curve.order(strata, seed=seeds.derive(ground.seed, "similarity"))
    return np.sort(turn[:MOST])


def _stages(ground: Ground, rows: Ints, units: Ints) -> list[dict[str, Any]]:
    """Probe strength after every stage, on answers to items that the probe was not fitted to."""
    task, targets = ground.task, ground.targets[rows]
    metric = task.metric(task.points)
    chance = metric.score(np.tile(task.constant(targets), (len(rows), 1)), targets)
    found = []
    for stage, name in enumerate(ground.frozen.backbone.info.stages, 1):
        features = np.asarray(ground.frozen.pooled(stage)[rows])
        answers = more_labels.held_out(features, targets, task, units=units[rows], seed=ground.seed)
        score = intervals.bootstrap(metric, answers, targets, seed=ground.seed)
        found.append({"stage": stage, "name": name} | _plain(strength.strength(score, chance)))
    ground.frozen.forget()
    return found


def _over(ground: Ground, found: Climb, other: Trial | None) -> dict[str, Any] | None:
    """The gain of the last-stage probe over another candidate on the held-out items; None where one is missing."""
    probe = next((one for one in found.trials if one.row.kind == "transfer" and _reads_last(one)), None)
    if probe is None or other is None:
        return None
    metric, targets = ground.task.metric(ground.task.points), ground.targets[ground.held]
    gain = intervals.gain(metric, probe.predictions, other.predictions, targets, seed=ground.seed)
    return _plain(gain) | {"against": other.row.name}


def _reads_last(one: Trial) -> bool:
    return one.strategy == "probe" and str(one.options.get("stages", "last")) == "last"


def _random(found: Climb) -> Trial | None:
    """The same probe on a random copy of the network."""
    return next((one for one in found.trials if one.row.kind == "scratch" and _reads_last(one)), None)


def _raw(ground: Ground, found: Climb) -> Trial | None:
    """The best model without a network."""
    return found.best(ground.task, ground.metric, ["baseline"])


def _slope(ground: Ground, rows: Ints, features: np.ndarray) -> float | None:
    targets = ground.task.ideal(ground.targets[rows])
    strata = np.unique(ground.task.strata(ground.targets[rows]), axis=0, return_inverse=True)[1].reshape(-1)
    return round(learning_curve.slope(features, targets, strata, seed=ground.seed), 6)


def _distances(ground: Ground, features: np.ndarray) -> dict[str, Any]:
    source: Statistics | None = ground.frozen.backbone.statistics
    if source is None:
        why = f"{ground.frozen.backbone.info.name} brings no statistics of its source"
        return {"missing": why}
    return distances(source, features, precision=ground.machine.precision, seed=ground.seed)


def distances(source: Statistics, features: Any, *, precision: str = "float32", seed: int = 0) -> dict[str, Any]:
    """Three distances between a source and a target's last-stage features (n, d), as plain data.

    As many items of each are compared, at most as many as the source kept. The Fréchet distance is in units of the
    source's own variance; beside it stands what that many other items of the source come to.
    """
    draw = seeds.generator(seed, "similarity", "distances")
    number = min(len(features), len(source.sample))
    own = np.asarray(source.sample[np.sort(draw.permutation(len(source.sample))[:number])], dtype=np.float64)
    target = np.asarray(features[np.sort(draw.permutation(len(features))[:number])], dtype=np.float64)
    unit = source.moments.variance or 1.0
    far, itself = (frechet.to_items(source.moments, each) / unit for each in (target, own))
    apart = mmd.test(own, target, seed=seed)
    proxy = proxy_distance.measure(own, target, seed=seed)
    found: dict[str, Any] = {
        "items": number,
        "frechet": {"value": far, "source_itself": itself, "excess": far - itself},
        "mmd": {"value": apart.value, "noise": apart.noise, "p": apart.p},
        "proxy_a": {**proxy.distance.as_dict(), "error": proxy.error},
    }
    rounded = {name: _rounded(each) if isinstance(each, dict) else each for name, each in found.items()}
    rounded["proxy_a"]["saturated"] = proxy.saturated
    return rounded if precision == source.precision else rounded | {"precisions": [source.precision, precision]}


def _rounded(values: dict[str, float]) -> dict[str, Any]:
    return {name: round(float(each), 6) for name, each in values.items()}


def _plain(found: Interval) -> dict[str, float]:
    return _rounded(found.as_dict())
