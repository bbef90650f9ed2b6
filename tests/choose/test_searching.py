"""A search of settings within a rung: it finds what is better, repeats, resumes from the journal, needs its extra."""

import sys
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import small

from headstart.base.errors import MissingExtra
from headstart.base.progress import Silent
from headstart.base.vocabulary import Evidence
from headstart.choose import searching
from headstart.choose.planning import _Asked, _Work, trials
from headstart.choose.rungs import Rung
from headstart.choose.trial import Trial
from headstart.engine.journal import Journal
from headstart.features.frozen import Augmentation
from headstart.features.store import Store


@dataclass
class Stand:
    """As much of a ground as a search needs: one fold."""

    made: Any
    journal: Journal
    machine: Any = small.CPU
    report: Any = field(default_factory=Silent)
    metric: str = "log_loss"
    seed: int = 3

    @property
    def folds(self):
        return [(self.made.train, self.made.held)]

    @property
    def augmentation(self):
        return self.made.augmentation

    def setting(self, name, train, held, frozen=None, title=""):
        return replace(self.made, name=name, title=title)

    def with_augmentation(self, augmentation):
        return replace(self, made=replace(self.made, augmentation=augmentation))


def stand(tmp_path, name="run"):
    journal = Journal(tmp_path / name)
    journal.begin({"id": "x"})
    return Stand(small.setting(Store(tmp_path / "store"), small.CPU), journal)


OPTIONS = {"depth": 4, "rate": 0.003, "batch_size": 8, "weight_decay": 0.01, "views": 1, "statistics": "kept"}
ONE = Trial(
    Evidence("partial@4", "transfer", detail={"epochs": 4}), np.zeros((1, 4)), "partial", {**OPTIONS, "epochs": 3}
)


def test_a_search_begins_with_what_the_sweep_chose_and_takes_the_best(tmp_path):
    ground = stand(tmp_path)
    found = searching.search(ground, ONE, 5)
    rows = found.record["trials"]
    assert [row["trial"] for row in rows] == list(range(5)) and found.record["of"] == "partial@4"
    assert rows[0]["rate"] == 0.003 and rows[0]["batch_size"] == 8 and rows[0]["strength"] == 1.0
    whole = [row for row in rows if not row["pruned"]]
    assert found.settings["rate"] == min(whole, key=lambda row: row["loss"])["rate"]
    assert set(found.settings) == {"rate", "batch_size", "weight_decay", "views"} and 0 <= found.strength <= 2
    fits = [row["name"] for row in ground.journal.journal]
    assert len(fits) == len(rows) + len(whole), "a pruned trial trains once, another twice"
    assert not any(row["kept"] for row in ground.journal.journal)


def test_a_resumed_search_asks_the_same_and_trains_nothing_twice(tmp_path):
    ground = stand(tmp_path)
    first = searching.search(ground, ONE, 4)
    before = len(ground.journal.journal)
    again = searching.search(ground, ONE, 4)
    assert again.record["trials"] == first.record["trials"] and len(ground.journal.journal) == before
    afresh = searching.search(stand(tmp_path, "other"), ONE, 4)
    assert afresh.record["trials"] == first.record["trials"]


def test_without_optuna_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match="optuna"):
        searching.search(stand(tmp_path), ONE, 4)


def asked(cost, **options):
    work = _Work(items=100, train=80, held=20, folds=1)
    return [_Asked(Rung(name, "full", options), work, cost) for name in ("norm", "full")]


def test_there_are_trials_only_where_every_rung_has_all_it_wants():
    rungs = asked(1.0)
    all_of_it = {one.rung.name: one.most for one in rungs}
    assert trials(rungs, all_of_it, 1e6) == searching.MOST
    assert trials(rungs, all_of_it, 1.0) == 0
    assert trials(rungs, {**all_of_it, "full": 3}, 1e6) == 0
    assert trials(rungs[:1], all_of_it, 1e6) == 0, "one strategy was asked for, and nothing else"
    halved = [replace(one, goes_on=one.rung.name == "full") for one in rungs]
    assert trials(halved, all_of_it, 1e6) == 0


def test_the_views_of_a_setting_are_its_own():
    assert replace(ONE, augmentation=Augmentation(strength=0.5)).augmentation.strength == 0.5
