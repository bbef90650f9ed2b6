"""Where the budget allows: a search of the best fine-tuned rung's settings, by Optuna's Parzen estimator (TPE).

Akiba et al., Optuna (2019, arXiv 1907.10902). Each trial trains on the first fold for a quarter of the epochs; a trial
that successive halving does not prune trains for half of them, and the best settings are then measured on every fold
like any other rung. The sampler is seeded and told each result in turn, and every fit is in the journal, so that a
resumed or replayed run asks the same questions and gets the same answers.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from headstart.base import discovery, seeds
from headstart.base.errors import MissingExtra
from headstart.base.work import Plan
from headstart.choose import trial
from headstart.choose.ground import Ground
from headstart.choose.trial import Trial
from headstart.engine.drive import drive
from headstart.tune import finetune
from headstart.tune.setting import Setting

if TYPE_CHECKING:
    import optuna

FEWEST, MOST = 4, 20
"""Trials below which a search finds nothing, and beyond which it only fits the held-out items of one fold."""
SHARES = (0.25, 0.5)
"""Shares of the epochs that a trial trains for, one after the other; it may be pruned in between."""


@dataclass(frozen=True)
class Found:
    """What came of a search.

    Attributes:
        settings: the best ones.
        strength: of the training views, among them.
        record: every trial, for the run: its number, settings, loss, and whether it was pruned.
        seconds: spent.
    """

    settings: Mapping[str, Any]
    strength: float
    record: Mapping[str, Any]
    seconds: float


def available() -> bool:
    """Whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


def search(ground: Ground, one: Trial, trials: int) -> Found:
    """Search the settings of a fine-tuned candidate on the first fold.

    Raises:
        MissingExtra: without Optuna.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("optuna", "hpo") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seeds.derive(ground.seed, "search") % 2**31),
        pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
    )
    study.enqueue_trial(_known(one, ground.augmentation.strength))
    rows, spent = [], 0.0
    for number in range(trials):
        asked = study.ask()
        settings = dict(_asked(asked, one, ground))
        losses = []
        for loss, seconds in _steps(ground, one, settings, number):
            losses.append(loss)
            spent += seconds
            asked.report(loss, len(losses))
            if asked.should_prune():
                break
        pruned = len(losses) < len(SHARES)
        study.tell(asked, None if pruned else losses[-1], _state(pruned=pruned))
        rows.append({"trial": number, **settings, "loss": losses[-1], "pruned": pruned})
    whole = [row for row in rows if not row["pruned"]]
    best = min(whole, key=lambda row: row["loss"])
    settings = {name: best[name] for name in best if name not in ("trial", "loss", "pruned")}
    strength = float(settings.pop("strength"))
    record = {"of": one.row.name, "trials": rows, "best": best["trial"], "seconds": spent}
    return Found(settings, strength, record, spent)


def measured(ground: Ground, one: Trial, found: Found) -> Trial:
    """The candidate with the best settings that were found, on every fold."""
    moved = ground.with_augmentation(replace(ground.augmentation, strength=found.strength))
    options = {**one.options, "epochs": one.row.detail["epochs"], **found.settings}
    result = trial.of_strategy(moved, f"{one.row.name}, searched", one.strategy, options)
    return replace(result, augmentation=moved.augmentation)


def _state(*, pruned: bool) -> optuna.trial.TrialState:
    import optuna

    return optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE


def _known(one: Trial, strength: float) -> dict[str, Any]:
    """Where the search begins: at what the sweep chose."""
    names = ("rate", "batch_size", "weight_decay", "views", "dropout")
    return {name: one.options[name] for name in names if name in one.options} | {"strength": strength}


def _asked(asked: optuna.trial.Trial, one: Trial, ground: Ground) -> Iterator[tuple[str, Any]]:
    """One draw of every setting that the strategy has."""
    known = discovery.options(discovery.load("tune", one.strategy).plan)
    now = one.options
    yield "rate", asked.suggest_float("rate", finetune.GRID[0], finetune.GRID[-1], log=True)
    sizes = sorted({8, 16, 32, 64, int(now.get("batch_size", 32))})
    yield "batch_size", asked.suggest_categorical("batch_size", sizes)
    yield "weight_decay", asked.suggest_float("weight_decay", 1e-4, 0.3, log=True)
    if "views" in known:
        yield "views", asked.suggest_categorical("views", sorted({1, 4, 8, int(now.get("views", 4))}))
    if "dropout" in known:
        yield "dropout", asked.suggest_float("dropout", 0.0, 0.5)
    yield "strength", asked.suggest_float("strength", 0.0, max(2.0, ground.augmentation.strength))


def _steps(ground: Ground, one: Trial, settings: Mapping[str, Any], number: int) -> Iterator[tuple[float, float]]:
    """(loss, seconds) of a trial at each share of the epochs."""
    given = dict(settings)
    moved = ground.with_augmentation(replace(ground.augmentation, strength=given.pop("strength")))
    for share in SHARES:
        epochs = max(1, round(share * int(one.row.detail["epochs"])))
        named = trial.setting_of(moved, f"{one.row.name}, searched", 0)
        setting = replace(
            named, name=f"{named.name}trial{number}/", title=f"{one.row.name}, trial {number + 1} of its search"
        )
        losses: list[float] = []
        plan = discovery.load("tune", one.strategy).plan(setting, **{**one.options, **given, "epochs": epochs})
        tuned = drive(_forgotten(plan, setting, losses), ground.journal, machine=ground.machine, report=ground.report)
        yield min(losses[-1], 1e9), tuned.seconds


def _forgotten(plan: Plan, setting: Setting, losses: list[float]) -> Plan:
    """A plan none of whose weights are kept: of a trial only its loss counts."""
    fit = next(plan)
    try:
        while True:
            fit.name, fit.keep = f"{fit.name}-{fit.detail['epochs']}", False
            outcome = yield fit
            losses.append(finetune.loss(finetune.record(setting, outcome), setting))
            fit = plan.send(outcome)
    except StopIteration as stop:
        return stop.value
