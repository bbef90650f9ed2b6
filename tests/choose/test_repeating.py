"""The foremost candidates on further draws of the folds: who meets, what decides, what is kept and said."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones import catalogue
from headstart.base.machine import here
from headstart.base.progress import Silent
from headstart.base.run import Run
from headstart.base.vocabulary import Evidence, Interval
from headstart.choose import ground, ladder, repeating, trial
from headstart.choose.account import Account
from headstart.choose.ground import Ground
from headstart.choose.ladder import Climb
from headstart.choose.mixing import MIXED
from headstart.choose.planning import Clock
from headstart.choose.trial import Trial
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.engine.journal import Journal
from headstart.features.store import Store

NET = "embedded/resnet10-procedural"


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Ground:
    """Thirty pictures in three classes, cross-validated."""
    folder = tmp_path_factory.mktemp("few")
    data = dataset.build(open_source(str(write_shapes(folder / "shapes", per_class=10))))
    journal = Journal(folder / "run")
    journal.begin({"id": "x"})
    given = {"machine": here("float32", "cpu"), "store": Store(folder / "store"), "report": Silent()}
    return ground.prepare(data, catalogue.load(NET), metric=None, journal=journal, **given)


def made(few: Ground, name: str, right: float, *, strategy: str = "partial", **given: object) -> Trial:
    """A candidate that gives the truth a probability, and another one to every fifth item."""
    truth = few.targets[few.held]
    shares = np.where(np.arange(len(truth)) % 5 == 0, 1 - right, right)
    predictions = np.full((len(truth), 3), ((1 - shares) / 2)[:, None])
    predictions[np.arange(len(truth)), truth] = shares
    loss = float(-np.log(shares).mean())
    scores = {metric: Interval(loss, loss, loss) for metric in ("log_loss", "accuracy")}
    row = Evidence(name, "transfer", scores, 3.0, detail={"epochs": 4})
    return Trial(row, predictions, strategy, **given)  # type: ignore[arg-type]


def test_those_meet_that_cannot_be_told_from_the_best_and_both_ways_are_there(few: Ground) -> None:
    probes = [made(few, f"probe {n}", 0.8 + n / 1000, strategy="probe") for n in range(6)]
    tuned = made(few, "tuned", 0.79)
    hopeless = replace(made(few, "hopeless", 0.5), predictions=np.full((30, 3), 0.01))
    met = repeating.foremost(few, [*probes, tuned, hopeless])
    assert len(met) == repeating.MOST and {"tuned"} < {one.row.name for one in met}
    assert "hopeless" not in {one.row.name for one in met}
    assert repeating.foremost(few, [tuned]) == [] == repeating.foremost(few, [])
    assert repeating.foremost(replace(few, again=()), [*probes, tuned]) == [], "one fold, one draw"
    baseline = replace(tuned, row=replace(tuned.row, kind="baseline"))
    assert repeating.foremost(few, [tuned, baseline]) == []


def test_as_many_draws_as_a_share_of_the_budget_pays_for(few: Ground) -> None:
    probe, tuned = made(few, "probe", 0.8, strategy="probe"), made(few, "tuned", 0.8)
    assert repeating.draws(few, [probe, tuned], Clock(math.inf)) == len(few.again) == 4
    assert repeating.draws(few, [probe, tuned], Clock(60.0)) == 2, "9 seconds, of which a draw takes 3 and 1"
    assert repeating.draws(few, [probe, tuned], Clock(1e-3)) == 0


def test_the_mean_over_all_draws_decides_and_a_mixture_moves_along(few: Ground) -> None:
    lucky, steady = made(few, "lucky", 0.8), made(few, "steady", 0.85)
    third = made(few, "third", 0.87)
    mixed = replace(made(few, f"steady{MIXED}", 0.84), mix=0.5)
    climb = Climb([lucky, steady, third, mixed])
    assert climb.best(few.task, "log_loss", ("transfer",)) is lucky
    metric = few.task.metric("log_loss")
    losses = {"lucky": (0.9, 0.9), "steady": (0.5, 0.6)}
    climb.trials = repeating.settled(few, climb.trials, losses)
    known = {one.row.name: one for one in climb.trials}
    assert known["lucky"].mean_loss(metric) == pytest.approx((lucky.loss(metric) + 1.8) / 3)
    assert known["third"].again == (), "it did not meet"
    apart = mixed.loss(metric) - steady.loss(metric)
    assert known[f"steady{MIXED}"].again == pytest.approx((0.5 + apart, 0.6 + apart))
    best = climb.best(few.task, "log_loss", ("transfer",))
    assert best is known[f"steady{MIXED}"]
    said = repeating.said(few, climb.trials, best)
    assert said.startswith("30 held-out items cannot tell 2 candidates apart") and "3 draws of the folds" in said
    assert said.index("steady 0.") < said.index("lucky 0.") and said.endswith(f"steady{MIXED} is taken")


def test_a_candidate_is_measured_anew_with_its_settings_and_the_journal_remembers(few: Ground) -> None:
    one = trial.of_strategy(few, "probe", "probe", {})
    losses = repeating.repeat(few, [one], 2)["probe"]
    metric = few.task.metric(few.metric)
    assert len({one.loss(metric), *losses}) == 3, "other folds, other losses"
    again = trial.of_strategy(replace(few, folds=few.again[0]), "by hand", "probe", one.options)
    assert again.loss(metric) == losses[0]
    rows = len(few.journal.journal)
    assert repeating.repeat(few, [one], 2)["probe"] == losses and len(few.journal.journal) == rows


def test_a_climb_over_few_items_says_it_and_a_resumed_one_repeats_it(few: Ground, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run")
    journal.begin({"id": "x"})
    # Nothing can be learnt from such labels, so that nothing can be told apart.
    fresh = replace(few, journal=journal, targets=np.random.default_rng(0).permutation(few.targets))
    climbed = []
    for seconds in (1e6, 1e-3):
        found = Climb(journal=journal, account=Account(fresh))
        for name, options in (("probe stage 1", {"stages": "1"}), ("probe stage 2", {"stages": "2"})):
            found.add(trial.of_strategy(fresh, name, "probe", options))
        ladder._repeat(fresh, dict(journal.plan), found, Clock(seconds))
        climbed.append(found)
    assert journal.plan["draws"] == 4, "the second climb had no time, and follows the plan of the first"
    first, second = [[(one.row.name, one.again) for one in found.trials] for found in climbed]
    assert first == second and all(len(again) == 4 for _, again in first)
    assert [Run(tmp_path / "run").ladder["draws"]] == climbed[0].notes == climbed[1].notes

    replayed = Journal(tmp_path / "replayed")
    replayed.begin({"id": "y", "replay": "x"})
    found = Climb(climbed[0].trials[:])
    ladder._repeat(replace(fresh, journal=replayed), {}, found, Clock(1e6))
    assert replayed.plan["draws"] == 0 and found.notes == [], "a plan from before has no draws, and a replay adds none"
