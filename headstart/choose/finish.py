"""The end of a run: three models refitted on all development items, the test part opened once, the verdict.

The three are fixed before the test part is opened: the best transferred model, the best of the same network without
its source, and the best model without a network. Whichever of them was best on validation is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.base import discovery, files, hashes, seeds
from headstart.base.errors import HeadstartError, TrainingError
from headstart.base.machine import cache_folder
from headstart.base.manifest import plain
from headstart.choose import unfamiliar
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb, preferred
from headstart.choose.planning import RANDOM_COPIES, SCRATCH_LIFE
from headstart.choose.trial import Trial, fit_baseline
from headstart.choose.unfamiliar import Watch
from headstart.choose.verdict import Comparison, conclude
from headstart.engine.drive import drive
from headstart.features import inference
from headstart.features.familiarity import Watched
from headstart.features.network import Network
from headstart.tune import wise

ROLES: dict[str, tuple[str, ...]] = {"transfer": ("transfer",), "scratch": ("scratch",), "baseline": ("baseline",)}


@dataclass
class Finished:
    """What is sealed, and what is said of it.

    Attributes:
        trial: the winner.
        network: its network; None if a baseline won.
        predictor: the baseline; None if a network won.
        verdict: plain data: sentence, outcome, gap, tests.
        predictions: (m, K) of the winner on the items that the verdict is about.
        watch: what tells it unfamiliar items.
        strangeness: (m,) of the test items by it; None where there are none, or nothing tells it.
    """

    trial: Trial
    network: Network | None = None
    predictor: Any = None
    verdict: Mapping[str, Any] = field(default_factory=dict)
    predictions: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    watch: Watch = field(default_factory=Watch)
    strangeness: np.ndarray | None = None


def finish(ground: Ground, found: Climb) -> Finished:
    """Refit, open the test part, conclude.

    Raises:
        TrainingError: when no candidate was measured, naming why.
    """
    task = ground.task
    chosen = {role: found.best(task, ground.metric, kinds) for role, kinds in ROLES.items()}
    standing = {role: one for role, one in chosen.items() if one is not None}
    if not standing:
        why = "; ".join(f"{row.name}: {row.status}" for row in found.rows)
        raise TrainingError(
            f"Nothing could be measured ({why})",
            next_move="a longer --budget, or another --strategy or rate",
        )
    winner = preferred([one for one in standing.values() if not one.unfit], task, ground.metric)
    if winner is None:
        raise _nothing_fits(found)
    role_of_winner = next(role for role, one in standing.items() if one is winner)
    models = {role: _refit(ground, role, one) for role, one in standing.items()}
    watch = unfamiliar.watch(ground, standing[role_of_winner], models[role_of_winner])
    openings = _count_opening(ground) if len(ground.dataset.test) else 0
    watched = {role_of_winner: watch}
    tested, predictions, targets, strangeness = _test(ground, found, standing, models, watched)
    comparison = Comparison(
        metric=task.metric(task.stated(ground.metric)),
        winner=role_of_winner,
        trials=standing,
        predictions=predictions,
        targets=targets,
        tested=tested,
        scratch_is_fair=_fair(found, standing),
        without_network=ground.frozen.backbone.is_absent,
        noun=ground.dataset.modality,
        seed=ground.seed,
    )
    verdict = conclude(comparison)
    verdict["tests"] = {role: plain(task.intervals(predictions[role], targets, seed=ground.seed)) for role in standing}
    verdict["tests"]["winner"] = verdict["tests"][role_of_winner]
    verdict["items"] = len(targets)
    verdict["openings"] = openings
    # With these, two runs on the same items can be compared pair by pair later on.
    kept = {role: np.asarray(each, dtype=np.float32) for role, each in predictions.items()}
    ground.journal.keep("predictions", {**kept, "targets": targets})
    model = models[role_of_winner]
    network, predictor = (model, None) if isinstance(model, Network) else (None, model)
    own = predictions[role_of_winner]
    return Finished(standing[role_of_winner], network, predictor, verdict, own, watch, strangeness)


def _nothing_fits(found: Climb) -> TrainingError:
    why = "; ".join(f"{one.row.name}: {one.unfit}" for one in found.trials if one.unfit)
    return TrainingError(
        f"Nothing that was measured may be sealed ({why})",
        next_move="a larger --max-latency or --max-size, or a smaller --backbone; --resume keeps what was computed",
    )


def _refit(ground: Ground, role: str, one: Trial) -> Any:
    """The candidate on train + validation, with the options that validation chose."""
    everything = np.arange(len(ground.items))
    if role == "baseline":
        room = discovery.load("baselines", one.strategy)
        return fit_baseline(ground, room, everything, seeds.derive(ground.seed, "baseline", "refit"))
    none = np.array([], dtype=np.int64)
    title = f"the final {one.row.name}"
    ground = ground if one.augmentation is None else ground.with_augmentation(one.augmentation)
    setting = ground.setting(f"refit/{one.row.name}/", everything, none, one.frozen, title)
    plan = discovery.load("tune", one.strategy).plan(setting, **one.options)
    if one.mix is not None:
        plan = wise.mixed(setting, plan, one.mix)
    tuned = drive(plan, ground.journal, machine=ground.machine, report=ground.report)
    if tuned.diverged:
        raise TrainingError(
            f"{one.row.name} diverged when it was refitted on all development {ground.dataset.modality}",
            next_move="a lower rate (--strategy NAME --set strategy.rate=...), or another --seed",
        )
    return tuned.network


def _test(
    ground: Ground,
    found: Climb,
    standing: Mapping[str, Trial],
    models: Mapping[str, Any],
    watched: Mapping[str, Watch],
) -> tuple[bool, dict[str, np.ndarray], np.ndarray, np.ndarray | None]:
    """Predictions of each model on the test part, or out of fold where there is none; and how strange its items are."""
    dataset, strangeness = ground.dataset, None
    if not len(dataset.test):
        given = {role: _out_of_fold(ground, found, role) for role in standing}
        return False, given, ground.targets[ground.held], None
    items = [dataset.items[int(i)] for i in dataset.test]
    given = {}
    for role, one in standing.items():
        model = models[role]
        if isinstance(model, Network):
            watch = watched.get(role, Watch())
            outputs = inference.outputs(
                model if watch.known is None or watch.line is None else Watched(model, watch.known, watch.line.at),
                items,
                preprocessing=model.backbone.info.preprocessing,
                modality=dataset.modality,
                precision=ground.machine.precision,
                report=ground.report,
            )
            if outputs.shape[1] > model.width:
                outputs, strangeness = outputs[:, : model.width], outputs[:, model.width]
            given[role] = ground.task.predictions(outputs, one.temperature)
        else:
            given[role] = model.predict(items)
    targets = dataset.targets[dataset.test]
    return True, {role: ground.task.settled(each, targets) for role, each in given.items()}, targets, strangeness


def _out_of_fold(ground: Ground, found: Climb, role: str) -> np.ndarray:
    """What choosing a candidate of a role is worth: each fold is predicted by the one that the other folds chose.

    Stating the chosen candidate's own score on the items that chose it would flatter the role with most candidates.
    """
    folds, targets = ground.held_folds, ground.targets[ground.held]
    able = [one for one in found.trials if one.row.kind in ROLES[role] and one.row.status == "measured"]
    metric = ground.task.metric(ground.metric)
    result = np.empty_like(able[0].predictions, dtype=np.float64)
    for fold in np.unique(folds):
        own = folds == fold
        losses = [metric.loss(metric.score(one.predictions[~own], targets[~own])) for one in able]
        result[own] = able[int(np.argmin(losses))].predictions[own]
    return result


def _fair(found: Climb, standing: Mapping[str, Trial]) -> bool:
    """True if scratch had a fair life: of the same kind as the transferred model, and long enough.

    A probe is compared with the same probes on three random copies. A fine-tuned network needs a trained one beside it
    that had five times the epochs it keeps itself, or that patience ended because it had settled.
    """
    transfer = standing.get("transfer")
    measured = [one for one in found.trials if one.row.kind == "scratch" and one.row.status == "measured"]
    if transfer is None or not measured:
        return False
    if transfer.strategy == "probe":
        return any(one.row.detail.get("initialisations", 0) >= RANDOM_COPIES for one in measured)
    needed = SCRATCH_LIFE * int(transfer.options.get("epochs", 1))
    trained = [one for one in measured if one.strategy == "scratch"]
    return any(int(one.row.detail["epochs"]) >= needed or _settled(one) for one in trained)


def _settled(one: Trial) -> bool:
    """True if every fold was ended by patience before its epochs were used up."""
    return bool(one.curves) and all(len(curve) < int(one.row.detail["epochs"]) for curve in one.curves)


def _count_opening(ground: Ground) -> int:
    """How often this test part was opened on this machine, this run included; a resumed run counts once."""
    dataset = ground.dataset
    name = hashes.of_texts(sorted(dataset.digests[int(i)] for i in dataset.test))
    path = cache_folder() / "openings" / f"{name[:32]}.json"
    try:
        opened = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        opened = []
    run = ground.journal.config["id"]
    if run not in opened:
        opened.append(run)
        try:
            files.write_json(path, opened)
        except HeadstartError as error:
            ground.report.say(f"That the test part was opened could not be noted: {error.what}")
    return len(opened)
