"""The step plan: it fits the budget, is fair to scratch, and gives up the dearest first."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.choose.planning import LEAST_EPOCHS, SCRATCH_LIFE, _Asked, _Work, batch_size, halve, share, trials
from headstart.choose.rates import SWEEP
from headstart.choose.rungs import Rung

WORK = _Work(items=1000, train=800, held=200, folds=1)


@dataclass(frozen=True)
class Case:
    partial: float
    full: float
    scratch: float
    seconds: float


def asked(case, **options):
    return [
        _Asked(Rung("partial", "partial", options), WORK, case.partial),
        _Asked(Rung("full", "full"), WORK, case.full),
        _Asked(Rung("scratch", "scratch", kind="scratch"), WORK, case.scratch),
    ]


COST = st.floats(1e-3, 1e3)


@given(st.builds(Case, COST, COST, COST, st.floats(1, 1e5)))
def test_a_plan_fits_its_budget_and_never_cuts_scratch_short(case):
    rungs = asked(case)
    epochs = share(rungs, case.seconds)
    assert sum(one.seconds(epochs[one.rung.name]) for one in rungs) <= case.seconds * (1 + 1e-9)
    trained = [epochs[name] for name in ("partial", "full") if epochs[name]]
    assert all(count >= LEAST_EPOCHS for count in trained)
    if epochs["scratch"] and trained:
        assert epochs["scratch"] >= SCRATCH_LIFE * LEAST_EPOCHS
        assert epochs["scratch"] >= min(SCRATCH_LIFE * max(trained), rungs[2].wanted)


def test_with_time_enough_everything_gets_all_it_wants():
    rungs = asked(Case(0.1, 0.3, 0.3, 1e6))
    assert share(rungs, 1e6) == {one.rung.name: one.wanted for one in rungs}


def test_the_dearest_rung_is_given_up_first_and_scratch_last():
    case = Case(0.1, 100.0, 0.5, 100.0)
    epochs = share(asked(case), case.seconds)
    assert epochs["full"] == 0 and epochs["partial"] >= LEAST_EPOCHS and epochs["scratch"] >= 15


def test_without_time_for_scratch_the_others_still_train():
    case = Case(1.0, 2.0, 1000.0, 100.0)
    epochs = share(asked(case), case.seconds)
    assert epochs["scratch"] == 0 and epochs["partial"] >= LEAST_EPOCHS and epochs["full"] >= LEAST_EPOCHS


def test_without_any_time_nothing_trains_and_nothing_fails():
    assert set(share(asked(Case(10, 10, 10, 0.5)), 0.5).values()) == {0}
    assert set(share(asked(Case(10, 10, 10, 0.5)), -30.0).values()) == {0}


def test_epochs_that_the_user_set_are_kept_whatever_they_cost():
    epochs = share(asked(Case(10.0, 10.0, 10.0, 1.0), epochs=7), 1.0)
    assert epochs["partial"] == 7


@pytest.mark.parametrize(("items", "size"), [(10, 8), (100, 12), (160, 20), (5000, 32)])
def test_small_parts_get_small_batches(items, size):
    assert batch_size(items) == size


def test_scratch_alone_needs_no_more_epochs_than_any_other_strategy():
    rung = Rung("scratch", "scratch", kind="scratch")
    assert share([_Asked(rung, WORK, 1.0, compared=False)], 20.0)["scratch"] >= LEAST_EPOCHS
    assert share([_Asked(rung, WORK, 1.0, compared=True)], 20.0)["scratch"] == 0


def test_the_reason_for_giving_up_names_the_epochs_it_priced():
    rungs = asked(Case(1.0, 1.0, 1.0, 1.0))
    each = SWEEP + 1 + 1.2
    assert f"15 epochs need {15 * each:.0f} s" in rungs[2].entry(0)["status"]
    assert f"3 epochs need {3 * each:.0f} s" in rungs[0].entry(0)["status"]


def climbing(**costs):
    return [_Asked(Rung(name, "full"), WORK, cost) for name, cost in costs.items()]


def test_where_everything_fits_everything_is_measured():
    asked = climbing(norm=0.1, partial=0.2, full=0.3)
    halved, epochs, keep = halve(asked, 1e6)
    assert keep == 3 and all(one.goes_on for one in halved) and epochs == {one.rung.name: one.most for one in asked}


@given(st.lists(COST, min_size=2, max_size=6), st.floats(1, 1e4))
def test_halving_fits_the_budget_whichever_half_goes_on(costs, seconds):
    asked = climbing(**{f"rung{number}": cost for number, cost in enumerate(costs)})
    halved, epochs, keep = halve(asked, seconds)
    standing = [one for one in halved if epochs[one.rung.name]]
    if len(standing) < 2 or keep == len(standing):
        return
    assert keep == -(-len(standing) // 2) == sum(one.goes_on for one in standing)
    sweeps = sum(SWEEP * epochs[one.rung.name] * one.cost for one in standing)
    dearest = sorted(((WORK.folds + 1.2) * epochs[one.rung.name] * one.cost for one in standing), reverse=True)
    assert sweeps + sum(dearest[:keep]) <= seconds * (1 + 1e-9)


def test_where_one_rung_alone_has_room_to_the_end_more_can_be_swept():
    asked = climbing(norm=1.0, partial=1.1, full=1.2)
    alone = share(asked, 20.0)
    assert sum(count > 0 for count in alone.values()) == 1
    _, epochs, keep = halve(asked, 20.0)
    assert sum(count > 0 for count in epochs.values()) == 2 and keep == 1


def test_what_half_of_the_rungs_would_have_cost_becomes_epochs():
    asked = climbing(norm=1.0, bitfit=1.0, partial=1.0, full=1.0)
    everything = share(asked, 100.0)["full"]
    _, epochs, keep = halve(asked, 100.0)
    assert keep == 2 and epochs["full"] > everything


def test_settings_are_searched_where_held_out_items_can_choose_among_them():
    case = Case(0.01, 0.02, 0.02, 1e6)
    epochs = share(asked(case), case.seconds)
    assert trials(asked(case), epochs, case.seconds) > 0
    few = _Work(items=60, train=48, held=12, folds=5, sweep=5 * SWEEP)
    rungs = [_Asked(one.rung, few, one.cost) for one in asked(case)]
    assert trials(rungs, {one.rung.name: one.most for one in rungs}, case.seconds) == 0
