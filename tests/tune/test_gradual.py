"""Gradual unfreezing: one stage more each phase, proven phase by phase, repeated by its refit."""

from dataclasses import replace

import numpy as np
import pytest
import small
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.base.errors import BadOption, Interrupted, TrainingError
from headstart.engine.loop import train
from headstart.features.frozen import Augmentation
from headstart.features.store import Store
from headstart.tune import gradual


@pytest.fixture
def setting(tmp_path):
    return small.setting(Store(tmp_path / "store"), small.CPU)


def test_one_stage_more_in_each_phase():
    assert gradual.schedule(4, 20, 5) == [(1, 5), (2, 5), (3, 5), (4, 5)]
    assert gradual.schedule(3, 20, 2) == [(1, 2), (2, 2), (3, 16)]
    assert gradual.schedule(1, 7, 3) == [(1, 7)]


def test_with_fewer_epochs_than_stages_several_are_unfrozen_at_a_time():
    assert gradual.schedule(12, 3, 1) == [(4, 1), (8, 1), (12, 1)]
    assert gradual.schedule(5, 1, 1) == [(5, 1)]


@given(st.integers(1, 16), st.integers(1, 60), st.integers(1, 60))
def test_a_schedule_uses_its_epochs_and_ends_with_every_stage(stages, epochs, each):
    phases = gradual.schedule(stages, epochs, each)
    assert sum(length for _, length in phases) == epochs
    counts = [count for count, _ in phases]
    assert counts == sorted(set(counts)) and counts[0] >= 1 and counts[-1] == stages
    assert all(length >= 1 for _, length in phases)


@given(st.integers(1, 16), st.integers(1, 60), st.data())
def test_a_refit_repeats_the_phases_up_to_the_epoch_that_was_kept(stages, epochs, data):
    each = max(1, epochs // stages)
    whole = gradual.schedule(stages, epochs, each)
    kept = data.draw(st.integers(1, epochs))
    moving = next(count for count, upto in gradual._ends(whole) if kept <= upto)
    again = gradual.schedule(moving, kept, each)
    if epochs >= stages:
        assert again[:-1] == whole[: len(again) - 1] and again[-1][0] == moving
    assert sum(length for _, length in again) == kept


def test_what_is_not_unfrozen_yet_does_not_move(setting):
    backbone = setting.frozen.backbone
    plan = gradual.plan(setting, depth=1, epochs=4, rate=0.01, batch_size=8)
    fit = next(plan)
    assert [len({name.split(".")[1] for name in _suffix(phase)}) for phase in fit.phases] == [1, 2, 3, 4]
    two, fit.held_out = replace(fit.phases[1], epochs=1), None
    train(replace_phases(fit, [fit.phases[0], two]), machine=small.CPU)
    tail = {name: value for name, value in fit.model.state_dict().items() if name.startswith("suffix.")}
    start = backbone.copy().suffix(1).state_dict()
    moved = {name.split(".")[1] for name, value in tail.items() if not torch.equal(value, start[name[7:]])}
    assert moved == {"2", "3"}, "the two last of four stages"
    frozen = [name for name in tail if name.split(".")[1] in ("0", "1") and name.endswith("running_mean")]
    assert frozen, "and there are batch norms among what stayed"


def test_a_stage_that_moves_before_its_phase_is_noticed(setting):
    fit = next(gradual.plan(setting, depth=3, epochs=2, rate=0.01, batch_size=8))
    first = fit.phases[0]

    def meddling(model, batch):
        with torch.no_grad():
            next(model.suffix[0].parameters()).add_(1e-3)
        return first.objective(model, batch)

    with pytest.raises(TrainingError, match="frozen"):
        train(replace_phases(fit, [replace(first, objective=meddling), *fit.phases[1:]]), machine=small.CPU)


def test_the_store_keeps_the_lowest_cut_only(setting):
    seen = []
    real = setting.frozen.at
    setting.frozen.at = lambda depth, *rest: seen.append(depth) or real(depth, *rest)
    tuned = small.tune("gradual", setting, depth=2, epochs=6, rate=0.01, batch_size=8)
    assert seen == [2]
    assert not small.moved(setting.frozen.backbone, tuned.network.backbone) & set(setting.frozen.backbone.tensors(2))


def test_its_options_end_where_the_kept_epoch_was(setting):
    tuned = small.tune("gradual", setting, epochs=10, rate=0.01, batch_size=8)
    depth = setting.frozen.backbone.depth
    reached = next(c for c, upto in gradual._ends(gradual.schedule(depth, 10, 2)) if tuned.epoch <= upto)
    assert tuned.options["depth"] == depth - reached and tuned.options["each"] == 2
    everything = replace(setting, train=np.arange(len(setting.targets)), held=np.array([], dtype=np.int64), name="all/")
    refit = next(gradual.plan(everything, **tuned.options))
    assert sum(phase.epochs for phase in refit.phases) == tuned.epoch and len(refit.phases) == reached


@pytest.mark.parametrize("depth", [-1, 5, 9])
def test_a_cut_that_leaves_nothing_to_unfreeze_is_refused(setting, depth):
    with pytest.raises(BadOption, match="leaves no stage"):
        next(gradual.plan(setting, depth=depth))


def test_stopped_in_a_later_phase_it_ends_with_the_same_numbers(setting, tmp_path):
    given = replace(setting, augmentation=Augmentation(mixup=0.4))

    def fit():
        return next(gradual.plan(given, depth=2, epochs=6, rate=0.01, batch_size=8))

    whole, stopped, again = fit(), fit(), fit()
    train(whole, machine=small.CPU)
    stopped.stream = small.Stopping(stopped.stream, after=3 * len(stopped.stream) + 2)
    with pytest.raises(Interrupted):
        train(stopped, machine=small.CPU, checkpoint_at=tmp_path / "c")
    outcome = train(again, machine=small.CPU, checkpoint_at=tmp_path / "c")
    assert [row["phase"] for row in outcome.curve][::2] == [f"gradual@2, {n} of 3 stages" for n in (1, 2, 3)]
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


def _suffix(phase):
    return [name for group in phase.groups for name in group.names if name.startswith("suffix.")]


def replace_phases(fit, phases):
    fit.phases = phases
    return fit
