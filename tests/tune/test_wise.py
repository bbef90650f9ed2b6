"""WiSE-FT: exact ends, the coefficient that validation likes best, and a refit that keeps it."""

from dataclasses import replace

import numpy as np
import pytest
import small
import torch

from headstart.base import discovery
from headstart.base.work import Outcome
from headstart.engine.drive import drive
from headstart.engine.journal import Journal
from headstart.engine.loop import train
from headstart.features.network import Network, Tail
from headstart.features.store import Store
from headstart.tune import wise
from headstart.tune.start import from_probe

FEW = {"epochs": 3, "rate": 0.01, "batch_size": 8}


@pytest.fixture
def setting(tmp_path):
    return small.setting(Store(tmp_path / "store"), small.CPU)


def same(a, b):
    first, second = a.state_dict(), b.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_ends_are_exactly_the_two_networks(setting):
    start = Network(*from_probe(setting)())
    assert same(small.tune("wise", setting, mix=0.0, **FEW).network, start)
    plan = wise.plan(setting, mix=1.0, **FEW)
    fit = next(plan)
    trained = train(fit, machine=small.CPU)
    end = {name: value.clone() for name, value in fit.model.state_dict().items()}
    judging = plan.send(trained)
    assert not judging.phases and judging.detail["mix"] == 1.0
    judged = train(judging, machine=small.CPU)
    with pytest.raises(StopIteration) as stop:
        plan.send(judged)
    found = stop.value.value.network
    tail = Tail(found.backbone.suffix(0), found.head).state_dict()
    assert tail.keys() == end.keys() and all(torch.equal(tail[name], value) for name, value in end.items())
    assert np.array_equal(judged.outputs, trained.outputs) and not same(found, start)


def test_between_the_ends_weights_and_statistics_lie_on_the_line():
    start = {"w": torch.tensor([0.0, 2.0]), "running_var": torch.tensor([1.0]), "count": torch.tensor(3)}
    end = {"w": torch.tensor([1.0, -2.0]), "running_var": torch.tensor([2.0]), "count": torch.tensor(9)}
    found = wise.between(start, end, 0.25)
    assert torch.allclose(found["w"], torch.tensor([0.25, 1.0])) and found["running_var"] == 1.25
    assert found["count"] == 9 and wise.between(start, end, 0.0)["count"] == 3


def test_the_coefficient_is_the_one_with_the_best_held_out_score(setting):
    tuned = small.tune("wise", setting, **FEW)
    tried = {row["mix"]: row["log_loss"] for row in tuned.tried if "mix" in row}
    assert tuple(tried) == wise.MIXES
    assert tried[tuned.options["mix"]] == min(tried.values())
    assert setting.score(tuned.outputs, setting.targets[setting.held])["log_loss"] == pytest.approx(min(tried.values()))


def answered(setting, loss_of):
    """Run the plan against made-up scores of its mixtures; returns the coefficient it ends with."""
    plan = wise.plan(setting, **FEW)
    fit, n = next(plan), len(setting.held)
    outputs = np.eye(4, dtype=np.float32)[np.arange(n) % 4]
    try:
        while True:
            value = loss_of(fit.detail["mix"]) if not fit.phases else 1.0
            fit = plan.send(Outcome(fit.name, 1, 3, {"log_loss": value}, outputs, [], 1.0, 10))
    except StopIteration as stop:
        return stop.value.options["mix"]


def test_of_level_mixtures_the_nearest_to_the_start_is_taken(setting):
    assert answered(setting, lambda mix: abs(mix - 0.4)) == 0.4
    assert answered(setting, lambda mix: 1.0) == 0.0
    assert answered(setting, lambda mix: max(0.3, mix) if mix != 0.3 else 0.3) in (0.0, 0.1, 0.2, 0.3)


def test_the_refit_uses_the_coefficient_and_judges_nothing(setting):
    everything = replace(setting, train=np.arange(len(setting.targets)), held=np.array([], dtype=np.int64), name="all/")
    plan = wise.plan(everything, mix=0.3, **FEW)
    fit = next(plan)
    with pytest.raises(StopIteration) as stop:
        plan.send(Outcome(fit.name, 3, 3, {}, None, [], 1.0, 10))
    assert stop.value.value.options["mix"] == 0.3
    start = Network(*from_probe(everything)()).state_dict()
    for name, value in stop.value.value.network.state_dict().items():
        assert torch.equal(value, start[name]), "the engine never trained it, so every mixture is the start"


def test_without_held_out_items_and_a_coefficient_it_is_a_half(setting):
    everything = replace(setting, train=np.arange(len(setting.targets)), held=np.array([], dtype=np.int64), name="all/")
    assert small.tune("wise", everything, epochs=1, rate=0.01, batch_size=8).options["mix"] == wise.UNJUDGED


def test_the_prefix_is_that_of_the_source(setting):
    tuned = small.tune("wise", setting, depth=3, mix=0.5, **FEW)
    found = small.moved(setting.frozen.backbone, tuned.network.backbone)
    assert found and not found & set(setting.frozen.backbone.tensors(3))


def test_a_resumed_plan_recalls_its_mixtures(setting, tmp_path):
    journal = Journal(tmp_path / "run")
    first = drive(wise.plan(setting, **FEW), journal, machine=small.CPU)
    rows = len(journal.journal)
    again = drive(wise.plan(setting, **FEW), journal, machine=small.CPU)
    assert len(journal.journal) == rows == 1 + len(wise.MIXES)
    assert np.array_equal(first.outputs, again.outputs) and same(first.network, again.network)


@pytest.mark.parametrize(
    ("strategy", "net"), [("norm", small.backbone), ("full", small.backbone), ("lora", small.transformer)]
)
def test_the_result_of_any_strategy_can_be_mixed_with_its_start(strategy, net, tmp_path):
    setting = small.setting(Store(tmp_path / "store"), small.CPU, net=net())
    options = {"rate": 0.003, "epochs": 2, "batch_size": 8}
    tuned = small.tune(strategy, setting, **options)
    found = drive(wise.judge(setting, tuned, (0.0, 0.5, 1.0), label=strategy, detail={}), machine=small.CPU)
    probed = small.tune("probe", setting)
    assert np.abs(found[0.0].outputs - probed.outputs).max() <= 1e-3 * np.abs(probed.outputs).max()
    assert np.abs(found[1.0].outputs - tuned.outputs).max() <= 1e-3 * np.abs(tuned.outputs).max()
    plan = discovery.load("tune", strategy).plan(setting, **options)
    network = drive(wise.mixed(setting, plan, 0.5), machine=small.CPU).network
    with torch.inference_mode():
        direct = network.eval()(setting.frozen.pixels[setting.held]).numpy()
    assert np.abs(direct - found[0.5].outputs).max() <= 1e-3 * np.abs(direct).max()
