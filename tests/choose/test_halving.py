"""Which rungs go on after their sweeps, and that a rung that goes on trains nothing twice."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import small

from headstart.base.progress import Silent
from headstart.choose import halving
from headstart.choose.halving import Look, because, dropped, why
from headstart.choose.rungs import Rung
from headstart.engine.drive import drive
from headstart.engine.journal import Journal
from headstart.features.store import Store
from headstart.tasks import classification
from headstart.tune import partial


@dataclass
class Stand:
    """As much of a ground as a look needs: one fold."""

    made: Any
    journal: Journal
    machine: Any = small.CPU
    report: Any = field(default_factory=Silent)
    metric: str = "log_loss"
    task: Any = field(default_factory=lambda: classification.learn(["a", "b"]))

    @property
    def folds(self):
        return [(self.made.train, self.made.held)]

    def setting(self, name, train, held, frozen=None, title=""):
        return self.made


@pytest.fixture
def stand(tmp_path):
    journal = Journal(tmp_path / "run")
    journal.begin({"id": "x"})
    return Stand(small.setting(Store(tmp_path / "store"), small.CPU, name="partial@4/fold0/"), journal)


OPTIONS = {"depth": 4, "epochs": 2, "batch_size": 8}


def test_a_look_sweeps_the_rate_and_trains_nothing_to_the_end(stand):
    found = halving.look(stand, Rung("partial@4", "partial"), OPTIONS)
    fits = [row["name"] for row in stand.journal.journal]
    assert found.fits == len(fits) >= 3 and all("/sweep-" in name for name in fits)
    assert found.loss == min(row["scores"]["log_loss"] for row in stand.journal.journal)
    assert found.seconds > 0 and stand.journal.begun("partial@4") and not stand.journal.begun("partial@4", kept=True)


def test_a_rung_that_goes_on_takes_its_sweep_over(stand):
    looked = halving.look(stand, Rung("partial@4", "partial"), OPTIONS)
    tuned = drive(partial.plan(stand.made, **OPTIONS), stand.journal, machine=small.CPU)
    fits = [row["name"] for row in stand.journal.journal]
    assert len(fits) == looked.fits + 1 and "/final-" in fits[-1] and stand.journal.begun("partial@4", kept=True)
    again = halving.look(stand, Rung("partial@4", "partial"), OPTIONS)
    assert (again.loss, again.fits) == (looked.loss, looked.fits) and len(stand.journal.journal) == len(fits)
    assert np.isfinite(tuned.outputs).all()


def test_a_rung_whose_rate_is_given_cannot_be_dropped(stand):
    assert halving.look(stand, Rung("partial@4", "partial"), {**OPTIONS, "rate": 0.01}).loss == -math.inf


def test_the_worse_half_is_dropped_and_of_equal_ones_the_cheaper_stays():
    looks = [Look("a", 0.5, 1, 3), Look("b", 0.2, 1, 3), Look("c", 0.5, 1, 3), Look("d", math.inf, 1, 3)]
    assert set(dropped(looks, 2)) == {"c", "d"}
    assert not dropped(looks, 4)


def test_the_reasons_name_both_scores(stand):
    looks = [Look("a", 0.5, 1, 3), Look("b", 0.2, 1, 3), Look("c", math.inf, 1, 3)]
    said = why(stand, looks[0], looks, 1)
    assert "log loss 0.500, where b has log loss 0.200; 1 of 3 go on" in said and "first fold" not in said
    assert "0.200" in because(stand, looks[1], looks, 1)
    assert "at no rate" in why(stand, looks[2], looks, 1)
    by_accuracy = Stand(stand.made, stand.journal, metric="accuracy")
    assert "accuracy 90.0 %" in because(by_accuracy, Look("a", -0.9, 1, 3), [Look("a", -0.9, 1, 3)], 1)
