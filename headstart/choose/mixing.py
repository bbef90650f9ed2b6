"""After the climb: the best fine-tuned rung mixed with its own start, as far as the held-out items ask for it.

WiSE-FT (Wortsman et al., 2022, arXiv 2109.01903) costs a few passes over the held-out items and no training. The items
that choose a coefficient do not score it: each fold is predicted at the coefficient that the other folds chose, and
where there is one fold, each half at the one that the other half chose. What is sealed has the one that all chose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.base import discovery
from headstart.choose import trial
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.engine.drive import drive
from headstart.tune import wise

MIXED = ", mixed"
"""What a mixture's name adds to that of the rung it is mixed from."""
MIXES = wise.MIXES
"""Coefficients that are judged; at 1 it is the fine-tuned network itself."""


def mixed(ground: Ground, one: Trial) -> tuple[Trial, str]:
    """The rung at the best mixture of its start and its end, and what was found in words.

    The fine-tuned networks are taken from the journal, so that nothing is trained again.
    """
    outputs: dict[float, list[np.ndarray]] = {mix: [] for mix in MIXES}
    seconds = 0.0
    ground = ground if one.augmentation is None else ground.with_augmentation(one.augmentation)
    for fold in range(len(ground.folds)):
        setting = trial.setting_of(ground, one.fits, fold)
        plan = discovery.load("tune", one.strategy).plan(setting, **one.begun[fold])
        tuned = drive(plan, ground.journal, machine=ground.machine, report=ground.report)
        judging = wise.judge(setting, tuned, MIXES, label=one.strategy, detail={"rate": tuned.options["rate"]})
        found = drive(judging, ground.journal, machine=ground.machine, report=ground.report)
        for mix, outcome in found.items():
            outputs[mix].append(outcome.outputs)
            seconds += outcome.seconds
    whole = {mix: np.concatenate(parts) for mix, parts in outputs.items()}
    return _chosen(ground, one, whole, seconds)


def _chosen(ground: Ground, one: Trial, outputs: Mapping[float, np.ndarray], seconds: float) -> tuple[Trial, str]:
    parts = ground.held_folds if len(ground.folds) > 1 else np.arange(len(ground.held)) % 2
    apart = np.empty_like(outputs[1.0])
    for part in np.unique(parts):
        own = parts == part
        apart[own] = outputs[_best(ground, outputs, ~own)][own]
    mix = _best(ground, outputs, np.ones(len(parts), dtype=bool))
    predictions = ground.tempered(apart)
    name = f"{one.row.name}{MIXED}"
    row = trial.row_of(ground, name, "transfer", predictions, seconds)
    detail = {**one.row.detail, "options": {**one.options, "mix": mix}, "tried": _tried(ground, outputs)}
    row = replace(row, serving_ms=one.row.serving_ms, trainable=one.row.trainable, detail=detail)
    temperature = ground.task.temperature(outputs[mix], ground.targets[ground.held])
    found = replace(one, row=row, unfit="", predictions=predictions, temperature=temperature, mix=mix, curves=())
    return found, _why(one.row.name, mix)


def _why(name: str, mix: float) -> str:
    if mix == 0:
        return f"the held-out items prefer the network that {name} began with, mixed with none of what it became"
    if mix == 1:
        return f"the held-out items prefer {name} as it is, mixed with nothing of what it began with"
    share = f"{100 * mix:.0f} % of what {name} became and {100 * (1 - mix):.0f} % of what it began with"
    return f"the held-out items prefer {share}; nothing is trained for it"


def _best(ground: Ground, outputs: Mapping[float, np.ndarray], rows: np.ndarray) -> float:
    """The coefficient with the best score on some of the held-out items; of level ones the nearest to the start."""
    metric, targets = ground.task.metric(ground.metric), ground.targets[ground.held][rows]
    losses = {mix: metric.loss(ground.score(found[rows], targets)[metric.name]) for mix, found in outputs.items()}
    return min(losses, key=lambda mix: losses[mix])


def _tried(ground: Ground, outputs: Mapping[float, np.ndarray]) -> list[dict[str, Any]]:
    targets = ground.targets[ground.held]
    return [{"mix": mix, **ground.score(found, targets)} for mix, found in outputs.items()]
