"""How long the network from scratch trains: as long as is fair, and as the budget has room for."""

import numpy as np
import pytest

from headstart.base.vocabulary import Evidence
from headstart.choose import life
from headstart.choose.planning import SCRATCH_LIFE
from headstart.choose.rates import SWEEP
from headstart.choose.trial import Trial

ENTRY = {"options": {"epochs": 50}, "epoch_seconds": 0.1}


def one(strategy, **options):
    return Trial(Evidence(strategy, "transfer"), np.zeros((1, 2)), strategy, options)


def decide(best, *, left=1e6, budget=100.0, pace=1.0):
    return life.decide(ENTRY, best, pace=pace, left=left, budget=budget, fits=SWEEP + 1)


def test_five_times_the_epochs_that_the_winner_keeps_are_enough():
    assert decide(one("full", epochs=4)).epochs == 4 * SCRATCH_LIFE
    assert decide(one("full", epochs=40)).epochs == 50, "never more than planned"
    assert decide(one("probe")).epochs == decide(None).epochs == 50


def test_past_the_budget_an_unfair_life_is_given_up_with_its_price():
    found = decide(one("full", epochs=10), left=-100.0)
    assert found.epochs == 0 and found.why.startswith("over budget: 50 epochs need 21 s, and 0 s are left")


def test_beside_a_probe_it_is_only_shortened():
    found = decide(one("probe"), left=-15.0)
    assert 0 < found.epochs < 50 and not found.why
    assert decide(one("probe"), left=-1000.0).epochs == 0


def test_a_slow_machine_is_noticed():
    plan = {"rungs": {"full": {"options": {"epochs": 10}, "epoch_seconds": 1.0}}}
    planned = 10 * (SWEEP + 5)
    assert life.pace(plan, {"full": 3 * planned}, SWEEP + 5) == pytest.approx(3)
    assert life.pace(plan, {}, SWEEP + 5) == life.pace(plan, {"probe": 1.0}, SWEEP + 5) == 1.0
    assert decide(one("full", epochs=10), left=10.0, budget=20.0, pace=1.0).epochs == 0
    assert decide(one("full", epochs=10), left=20.0, budget=20.0, pace=1.0).epochs == 50
    assert decide(one("full", epochs=10), left=20.0, budget=20.0, pace=2.0).epochs == 0
