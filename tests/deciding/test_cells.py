"""What is planned, and that a unit is measured once."""

import json

import pytest

from benchmarks import decision
from benchmarks.deciding import cells, sources, targets
from benchmarks.deciding.arms import Bench
from benchmarks.deciding.cells import Results, Unit
from headstart.base import discovery
from headstart.base.errors import DataError

UNIT = Unit("probe", "letters", 5, "patterns", 0)


def test_the_suite_has_every_target_at_every_number_of_labels_and_every_kind_of_source():
    assert len(cells.CELLS) >= 24 and len(cells.QUICK) == 8
    assert set(cells.QUICK) <= set(cells.CELLS)
    assert {(cell.target, cell.shots) for cell in cells.CELLS} == {(t, s) for t in cells.TARGETS for s in cells.SHOTS}
    assert {cell.relation for cell in cells.CELLS} == set(cells.RELATIONS)
    assert {cell.source for cell in cells.CELLS} <= set(sources.SOURCES)


def test_a_related_source_learnt_with_the_renderer_of_the_target_and_an_unrelated_one_did_not():
    for target in cells.TARGETS:
        family = targets.TARGETS[target].family
        related = targets.TARGETS[cells.Cell(target, 5, "related").source].family
        assert related == ("glyphs" if family == "digits" else family)
        assert targets.TARGETS[cells.Cell(target, 5, "unrelated").source].family not in (family, related)


def test_every_seed_has_every_strategy_once_and_what_needs_no_source_is_shared():
    planned = cells.planned(cells.QUICK, 3)
    assert len(planned) == len(set(planned))
    shared = cells.planned([cells.Cell("count", 0, "patterns"), cells.Cell("count", 0, "dead units")], 3)
    kinds = [unit.kind for unit in shared]
    assert kinds.count("scratch") == 3 and kinds.count("full") == 6 and kinds.count("auto") == 6


def test_fixed_strategies_come_first_seed_by_seed_and_auto_last():
    planned = cells.planned(cells.QUICK, 3)
    fixed = [unit for unit in planned if unit.kind in cells.FIXED]
    assert planned[: len(fixed)] == fixed
    assert [unit.seed for unit in fixed] == sorted(unit.seed for unit in fixed)
    autos = len(cells.QUICK) * 3
    assert {unit.kind for unit in planned[-autos:]} == {"auto"}


def test_only_small_drawn_targets_are_cross_validated_over_fresh_draws():
    assert cells.crossed(cells.Cell("letters", 20, "patterns"))
    assert not cells.crossed(cells.Cell("letters", 0, "patterns"))
    assert not cells.crossed(cells.Cell("digits", 5, "patterns"))


def test_names_are_different_and_fit_every_file_system():
    planned = cells.planned(cells.CELLS, cells.SEEDS)
    names = [unit.name for unit in planned]
    assert len(set(names)) == len(planned)
    assert all(name.replace("_", "").replace("-", "").replace("@", "").isalnum() for name in names)


def test_a_result_is_found_again_by_its_key_alone(tmp_path, monkeypatch):
    results = Results(tmp_path / "units")
    assert results.get(UNIT) is None
    results.put(UNIT, {"accuracy": 50.0, "commit": "one"})
    found = results.get(UNIT)
    assert found is not None and found["accuracy"] == 50.0
    monkeypatch.setattr(targets, "VERSION", targets.VERSION + 1)
    assert results.get(UNIT) is None


def test_a_strategy_with_other_defaults_is_measured_anew(tmp_path, monkeypatch):
    results, other = Results(tmp_path), Unit("full", "letters", 5, "patterns", 0)
    results.put(UNIT, {"accuracy": 50.0})
    results.put(other, {"accuracy": 50.0})
    plugin = discovery.load("tune", "full")
    monkeypatch.setitem(plugin.plan.__kwdefaults__, "decay", 0.123)
    assert results.get(UNIT) is not None and results.get(other) is None


def test_a_damaged_result_counts_as_none(tmp_path):
    results = Results(tmp_path)
    results.put(UNIT, {"accuracy": 50.0})
    path = tmp_path / f"{UNIT.name}.json"
    for damage in (path.read_text()[:20], "[]", "", json.dumps({"accuracy": 50.0})):
        path.write_text(damage)
        assert results.get(UNIT) is None


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """A bench whose measuring is counted, and is interrupted at the third unit."""
    measured = []

    def measure(unit, bench):
        measured.append(unit)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return {"accuracy": 1.0, "seconds": 0.0}

    monkeypatch.setattr(decision, "measure", measure)
    monkeypatch.setattr(decision, "commit", lambda: "one")
    return Bench(tmp_path), measured


def test_an_interrupted_run_loses_only_the_unit_that_was_running(counted):
    bench, measured = counted
    units = cells.planned(cells.QUICK, 3)[:6]
    with pytest.raises(KeyboardInterrupt):
        decision.run(bench, units, None, float("inf"))
    decision.run(bench, units, None, float("inf"))
    assert measured == [*units[:3], units[2], *units[3:]]
    decision.run(bench, units, None, float("inf"))
    assert len(measured) == 7


def test_a_unit_that_fails_is_told_and_left_out_and_the_others_go_on(counted, monkeypatch, capsys):
    bench, _ = counted
    units = cells.planned(cells.QUICK, 3)[:3]

    def measure(unit, bench):
        if unit == units[1]:
            raise DataError("no picture can be read")
        return {"accuracy": 1.0, "seconds": 0.0}

    monkeypatch.setattr(decision, "measure", measure)
    assert decision.run(bench, units, None, float("inf")) == 1
    assert [bench.results.get(unit) is None for unit in units] == [False, True, False]
    assert f"2/3 {units[1].name}: failed: no picture can be read" in capsys.readouterr().out


def test_redo_measures_again_what_another_commit_measured(counted, monkeypatch):
    bench, _ = counted
    units = [Unit("probe", "letters", 5, "patterns", 0), Unit("auto", "letters", 5, "patterns", 0)]
    decision.run(bench, units, "auto", float("inf"))
    monkeypatch.setattr(decision, "commit", lambda: "two")
    monkeypatch.setattr(decision, "measure", lambda unit, bench: {"accuracy": 2.0, "seconds": 0.0})
    decision.run(bench, units, "auto", float("inf"))
    assert [bench.results.get(unit)["commit"] for unit in units] == ["one", "two"]


def test_nothing_is_begun_when_the_time_is_up(counted):
    bench, measured = counted
    decision.run(bench, cells.planned(cells.QUICK, 3)[:2], None, 0.0)
    assert measured == []
