"""Running statistics of batch norms that are trained: kept, updated, or whichever is measured to be better."""

import numpy as np
import pytest
import small
import torch

from headstart.base.errors import BadOption
from headstart.base.work import Outcome
from headstart.features.store import Store
from headstart.tune import finetune, full, limits, statistics


@pytest.fixture
def setting(tmp_path):
    return small.setting(Store(tmp_path / "store"), small.CPU)


def running(backbone):
    return {name: value for name, value in backbone.tensors().items() if "running" in name}


@pytest.mark.parametrize("strategy", ["full", "partial", "norm", "bitfit", "wise"])
def test_kept_statistics_do_not_move_and_what_is_trained_does(strategy, setting):
    mix = {"mix": 1.0} if strategy == "wise" else {}
    tuned = small.tune(strategy, setting, statistics="kept", rate=0.003, epochs=3, batch_size=8, **mix)
    before, after = setting.frozen.backbone, tuned.network.backbone
    assert running(before).keys() and all(torch.equal(value, running(after)[k]) for k, value in running(before).items())
    assert small.moved(before, after), "scales and shifts move all the same"
    assert tuned.options["statistics"] == "kept"


def test_updated_statistics_follow_the_new_items(setting):
    tuned = small.tune("full", setting, statistics="updated", rate=0.003, epochs=2, batch_size=8)
    assert any("running_mean" in name for name in small.moved(setting.frozen.backbone, tuned.network.backbone))


def answered(setting, loss_of, **options):
    """Run a plan against made-up outcomes; what was tried, and the detail of the final fit."""
    plan, tried = full.plan(setting, epochs=4, batch_size=8, **options), []
    fit = next(plan)
    while "/final" not in fit.name:
        tried.append((fit.detail["rate"], fit.detail.get("statistics")))
        outputs = np.eye(4, dtype=np.float32)[np.arange(len(setting.held)) % 4]
        scores = {"log_loss": loss_of(*tried[-1])}
        fit = plan.send(Outcome(fit.name, 1, 4, scores, outputs, [], 1.0, 10))
    return tried, fit.detail


@pytest.mark.parametrize(("better", "best"), [("kept", 3e-5), ("updated", 3e-3)])
def test_the_sweep_begins_with_both_and_goes_on_with_the_better_one(better, best, setting):
    def loss_of(rate, which):
        return abs(np.log10(rate / best)) + (0 if which == better else 3)

    tried, chosen = answered(setting, loss_of)
    assert [which for _, which in tried[:2]] == ["kept", "updated"] and tried[0][0] < tried[1][0]
    assert {which for _, which in tried[2:]} == {better} and len(tried) <= 6
    assert chosen["statistics"] == better and chosen["rate"] == pytest.approx(best, rel=0.1)


def test_what_the_user_set_is_not_tried_otherwise(setting):
    tried, chosen = answered(setting, lambda rate, which: abs(np.log10(rate) + 4), statistics="updated")
    assert {which for _, which in tried} == {"updated"} and chosen["statistics"] == "updated"


def test_a_network_without_running_statistics_has_nothing_to_choose(tmp_path):
    vit = small.setting(Store(tmp_path / "store"), small.CPU, net=small.transformer())
    tried, chosen = answered(vit, lambda rate, which: abs(np.log10(rate) + 4))
    assert "statistics" not in chosen and len(tried) == len({rate for rate, _ in tried})


def test_few_items_keep_them_and_many_do_not(setting):
    assert statistics.likely(50) == "kept" and statistics.likely(statistics.FEW + 1) == "updated"
    with pytest.raises(BadOption, match="statistics"):
        limits.check({"statistics": "frozen"})


def test_without_a_sweep_the_number_of_items_decides(setting):
    fit = next(full.plan(setting, rate=0.001, epochs=2, batch_size=8))
    assert fit.detail["statistics"] == "kept" and fit.phases[0].still
    assert not next(full.plan(setting, rate=0.001, statistics="updated")).phases[0].still
    assert finetune.is_head("head.weight")
