"""Units are measured through the product, by the processor's clock, apart from each other."""

import os
import time

import numpy as np
import pytest

from benchmarks.deciding import arms, cells, coverage, sources, targets
from benchmarks.deciding.arms import Bench
from benchmarks.deciding.cells import Unit
from headstart.base.errors import TrainingError


def test_what_was_right_survives_being_written():
    right = np.random.default_rng(0).random(1003) < 0.7
    labels = np.arange(1003) % 5
    found = arms.scored(right, labels)
    assert np.array_equal(arms.right_of(found, 1003), right.astype(float))
    assert found["accuracy"] == pytest.approx(100 * right.mean())
    assert found["balanced"] == pytest.approx(100 * np.mean([right[labels == label].mean() for label in range(5)]))


def test_a_unit_has_a_cache_of_its_own_and_a_clock_that_stands_still_while_others_work(tmp_path):
    before = os.environ["HEADSTART_CACHE"]
    with arms.apart(tmp_path) as place:
        assert os.environ["HEADSTART_CACHE"].startswith(str(place))
        started = time.perf_counter()
        time.sleep(0.3)
        assert time.perf_counter() - started < 0.1
    assert os.environ["HEADSTART_CACHE"] == before and not place.exists()
    started = time.perf_counter()
    time.sleep(0.05)
    assert time.perf_counter() - started >= 0.05


def test_auto_waits_for_every_fixed_strategy_and_gets_its_share_of_their_time(tmp_path):
    bench, auto = Bench(tmp_path), Unit(cells.AUTO, "count", 5, "patterns", 0)
    for number, kind in enumerate(cells.FIXED, start=1):
        assert arms.measure(auto, bench) is None
        source = cells.NONE if kind in cells.SOURCELESS else "patterns"
        bench.results.put(Unit(kind, "count", 5, source, 0), {"seconds": 2.0 * number})
    total = sum(2.0 * number for number in range(1, len(cells.FIXED) + 1))
    assert arms._budget(auto, bench.results) == pytest.approx(cells.BUDGET_SHARE * total)


def test_a_strategy_that_ends_without_a_model_is_worth_a_constant(tmp_path, monkeypatch):
    def fit(*given, **named):
        raise TrainingError("Nothing could be measured")

    monkeypatch.setattr(arms.headstart, "fit", fit)
    found = arms.measure(Unit("full", "size", 5, sources.RANDOM, 0), Bench(tmp_path, size=100))
    assert found["accuracy"] == 20.0 and found["failed"] == "Nothing could be measured"


def test_intervals_from_a_known_population_hold_its_gap(tmp_path):
    """Two models that get 70 % and 60 % right independently: 95 % intervals of drawn test parts hold the gap."""
    bench, unit = Bench(tmp_path, size=6000), Unit(cells.COVERAGE, "size", 5, "patterns", 0)
    assert coverage.of_test_parts(unit, bench) is None
    labels, rng = targets.population_labels("size", 6000), np.random.default_rng(0)
    right = [rng.random(len(labels)) < share for share in (0.7, 0.6)]
    for kind, source, each in zip(coverage.PAIR, ("patterns", cells.NONE), right, strict=True):
        bench.results.put(Unit(kind, "size", 5, source, 0), arms.scored(each, labels))
    found = coverage.of_test_parts(unit, bench, replicates=200)
    assert found["gap"] == pytest.approx(100 * (right[0].mean() - right[1].mean()))
    assert 0.91 < found["held"] / 200 <= 1.0
    assert found["held"] + found["below"] + found["above"] == 200
    assert found["half"] == pytest.approx(196 * np.sqrt((0.7 * 0.3 + 0.6 * 0.4) / coverage.TESTED), rel=0.15)
    assert sum(found["verdicts"].values()) == 200


def test_a_wrong_interval_is_found_out(tmp_path, monkeypatch):
    bench, unit = Bench(tmp_path, size=6000), Unit(cells.COVERAGE, "size", 5, "patterns", 0)
    labels, rng = targets.population_labels("size", 6000), np.random.default_rng(0)
    for kind, source, share in zip(coverage.PAIR, ("patterns", cells.NONE), (0.7, 0.6), strict=True):
        bench.results.put(Unit(kind, "size", 5, source, 0), arms.scored(rng.random(len(labels)) < share, labels))
    plain = coverage.intervals.mean_difference

    def narrow(a, b, **given):
        found = plain(a, b, **given)
        return type(found)(found.value, (found.low + found.value) / 2, (found.high + found.value) / 2)

    monkeypatch.setattr(coverage.intervals, "mean_difference", narrow)
    assert coverage.of_test_parts(unit, bench)["held"] < 0.85 * coverage.REPLICATES


@pytest.mark.slow
def test_units_are_measured_from_the_labels_to_the_population(tmp_path, monkeypatch):
    monkeypatch.setitem(sources.TAUGHT, "kinds of shape", (10, {"epochs": 1}))
    bench = Bench(tmp_path, size=300)
    for kind, source in (("pixels_svm", cells.NONE), ("random features", cells.NONE), ("probe", "kinds of shape")):
        unit = Unit(kind, "size", 5, source, 0)
        found = arms.measure(unit, bench)
        count = len(targets.population_labels("size", 300))
        assert found["accuracy"] == pytest.approx(100 * arms.right_of(found, count).mean())
        assert found["seconds"] > 0 and found["items"] == 25
        # A fifth is right by chance; features of a network that has seen nothing may do no better with five labels.
        assert found["accuracy"] > (24 if kind == "pixels_svm" else 12)
        again = arms.measure(unit, bench)
        assert again["right"] == found["right"], "the same unit gives the same model"
    crossed = coverage.of_folds(Unit(cells.CROSSED, "size", 5, "kinds of shape", 0), bench, replicates=5)
    assert crossed["replicates"] == 5 and crossed["items"] == 25
    assert not list((tmp_path / "running").iterdir())
