"""Rates that are chosen by all folds: they try the same ones, and no fold is judged at a rate of its own choice."""

from types import SimpleNamespace

import numpy as np
import pytest
import small

from headstart.base.progress import Silent
from headstart.choose import halving, mixing, rates, trial
from headstart.choose.ground import Ground
from headstart.choose.rungs import Rung
from headstart.engine.journal import Journal
from headstart.features.store import Store

OPTIONS = {"depth": 4, "epochs": 4, "batch_size": 8}
NAME = "partial@4"


def ground(place, *, per_class=8, folds=4, seed=0):
    """Digits of three classes, cross-validated."""
    made = small.setting(Store(place / "store"), small.CPU, per_class=per_class, classes=3)
    journal = Journal(place / "run")
    journal.begin({"id": "x"})
    rows = np.random.default_rng(seed).permutation(len(made.targets))
    parts = [np.sort(part) for part in np.array_split(rows, folds)]
    pixels = made.frozen.pixels
    return Ground(
        dataset=SimpleNamespace(modality="images"),
        items=tuple(pixels.items),
        digests=tuple(pixels.digests),
        targets=made.targets,
        folds=[(np.setdiff1d(rows, part), part) for part in parts],
        frozen=made.frozen,
        task=made.task,
        metric="log_loss",
        weights=None,
        augmentation=made.augmentation,
        journal=journal,
        machine=small.CPU,
        seed=seed,
        report=Silent(),
    )


@pytest.fixture(scope="module")
def climbed(tmp_path_factory):
    stand = ground(tmp_path_factory.mktemp("few"))
    return stand, trial.of_strategy(stand, NAME, "partial", OPTIONS)


def _sweeps(stand, fold):
    return [row for row in stand.journal.journal if f"/fold{fold}/" in row["name"] and "/sweep-" in row["name"]]


def _rate(row):
    return row["name"].rpartition("/sweep-")[2]


def test_every_fold_tries_the_same_rates_and_trains_to_the_end_once(climbed):
    stand, _ = climbed
    tried = [[_rate(row) for row in _sweeps(stand, fold)] for fold in range(4)]
    assert len(tried[0]) >= 3 and all(each == tried[0] for each in tried)
    assert sum(row["kept"] for row in stand.journal.journal) == 4


def test_a_fold_is_judged_at_the_rate_that_the_others_chose(climbed):
    stand, found = climbed
    targets, parts = stand.targets[stand.held], stand.held_folds
    settings = [trial.setting_of(stand, NAME, fold) for fold in range(4)]
    steps = rates.sweep(stand, settings, "partial", OPTIONS).steps

    def best(rows):
        losses = [stand.score(step.outputs[rows], targets[rows])["log_loss"] for step in steps]
        return steps[int(np.argmin(losses))].options

    for fold in range(4):
        wanted = best(parts != fold)
        assert found.begun[fold]["rate"] == wanted["rate"]
        assert found.begun[fold]["statistics"] == wanted["statistics"]
    assert found.options["rate"] == best(parts >= 0)["rate"], "what is sealed has the rate that all chose"
    assert [row["rate"] for row in found.row.detail["tried"]] == [step.options["rate"] for step in steps]


def test_what_a_fold_says_of_its_own_items_cannot_move_its_rate(climbed):
    stand, _ = climbed
    settings = [trial.setting_of(stand, NAME, fold) for fold in range(4)]
    found = rates.sweep(stand, settings, "partial", OPTIONS)
    own = stand.held_folds == 2
    truth = np.eye(3, dtype=np.float32)[stand.targets[stand.held]] * 20
    flattered = [
        rates.Step(step.options, np.where(own[:, None], truth if i == 0 else -truth, step.outputs), step.row, 0.0, 0.0)
        for i, step in enumerate(found.steps)
    ]
    assert rates.Sweep(flattered).best(stand, without=2) == found.best(stand, without=2)
    assert rates.Sweep(flattered).best(stand, without=1) == found.steps[0].options


def test_nothing_is_trained_twice_by_a_look_a_mixture_or_a_resumed_run(climbed):
    stand, found = climbed
    before = len(stand.journal.journal)
    looked = halving.look(stand, Rung(NAME, "partial"), OPTIONS)
    again = trial.of_strategy(stand, NAME, "partial", OPTIONS)
    assert len(stand.journal.journal) == before
    assert np.array_equal(again.predictions, found.predictions) and again.options == found.options
    assert looked.fits == len(_sweeps(stand, 0))
    assert looked.loss == min(row["log_loss"] for row in found.row.detail["tried"])
    mixed, _ = mixing.mixed(stand, found)
    since = [row["name"] for row in stand.journal.journal[before:]]
    assert since and all("/mix-" in name for name in since), "it mixes what was trained, each fold at its own rate"
    assert mixed.fits == NAME


def test_a_rate_that_is_given_is_not_swept(tmp_path):
    stand = ground(tmp_path, folds=3)
    found = trial.of_strategy(stand, NAME, "partial", {**OPTIONS, "rate": 0.01})
    assert len(stand.journal.journal) == 3 and found.options["rate"] == 0.01
    assert all(options["rate"] == 0.01 for options in found.begun)


def test_a_fold_with_many_items_chooses_alone(tmp_path, monkeypatch):
    stand = ground(tmp_path, folds=3)
    assert rates.together(stand.folds) and rates.cost(stand.folds) == 3 * rates.SWEEP
    monkeypatch.setattr(rates, "FEW", 8)
    assert not rates.together(stand.folds) and rates.cost(stand.folds) == rates.SWEEP
    found = trial.of_strategy(stand, NAME, "partial", OPTIONS)
    assert len(_sweeps(stand, 0)) >= 3 and not _sweeps(stand, 1)
    assert found.begun[0] == OPTIONS and found.begun[1]["rate"] == found.options["rate"]


def test_one_split_is_swept_on_its_validation_part(tmp_path):
    stand = ground(tmp_path, folds=3)
    assert not rates.together(stand.folds[:1]) and rates.cost(stand.folds[:1]) == rates.SWEEP


def test_a_rate_that_diverges_on_one_fold_cannot_be_chosen(climbed):
    stand, _ = climbed
    truth = np.eye(3, dtype=np.float32)[stand.targets[stand.held]]
    row = {"diverged": False, "collapsed": False}
    good = rates.Step({"rate": 1.0}, truth, row, 0.5, 0.0)
    better = rates.Step({"rate": 2.0}, 5 * truth, {**row, "diverged": True}, np.inf, 0.0)
    assert rates.Sweep([better, good]).best(stand) == {"rate": 1.0}
    assert rates.Sweep([rates.Step({"rate": 3.0}, None, {**row, "diverged": True}, np.inf, 0.0), good]).best(
        stand, without=0
    ) == {"rate": 1.0}
