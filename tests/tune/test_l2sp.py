"""L2-SP: the gradient of the closed form, and a pull that is felt."""

import numpy as np
import pytest
import small
import torch
from torch import nn

from headstart.features.network import Tail
from headstart.features.store import Store
from headstart.tune import l2sp


@pytest.fixture
def setting(tmp_path):
    return small.setting(Store(tmp_path / "store"), small.CPU)


def distance(setting, tuned):
    before, after = setting.frozen.backbone.tensors(), tuned.network.backbone.tensors()
    parameters = dict(setting.frozen.backbone.module.named_parameters())
    return float(sum((before[name] - after[name]).square().sum() for name in parameters)) ** 0.5


def test_value_and_gradient_equal_the_closed_form():
    torch.manual_seed(0)
    tail = Tail(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), nn.Linear(4, 2))
    start = {name: torch.randn_like(value) for name, value in tail.named_parameters() if name.startswith("suffix.")}
    value = l2sp.penalty(tail, dict(start), alpha=0.7, beta=0.3)
    value.backward()
    expected = 0.0
    for name, parameter in tail.named_parameters():
        w = parameter.detach().numpy().astype(np.float64)
        pull, anchor = (0.7, start[name].numpy()) if name in start else (0.3, 0.0)
        expected += pull / 2 * ((w - anchor) ** 2).sum()
        np.testing.assert_allclose(parameter.grad.numpy(), pull * (w - anchor), rtol=1e-5, atol=1e-6)
    assert float(value.detach()) == pytest.approx(expected, rel=1e-5)


def test_at_the_start_the_backbone_feels_nothing(setting):
    fit = next(l2sp.plan(setting, alpha=5.0, beta=0.0, rate=0.01, epochs=1, batch_size=8))
    batch = next(fit.stream.batches(0))
    terms = fit.phases[0].objective(fit.model, batch)
    assert set(terms) == {"loss", "l2sp"} and float(terms["l2sp"].detach()) == 0.0


def test_a_stronger_pull_stays_closer_and_an_infinite_one_at_the_start(setting):
    options = {"rate": 0.003, "epochs": 4, "batch_size": 8, "patience": 0}
    gaps = [distance(setting, small.tune("l2sp", setting, alpha=alpha, **options)) for alpha in (0.0, 1.0, 1e6)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.1 * gaps[0]


def test_the_penalty_stands_in_the_curve_by_its_name(setting):
    tuned = small.tune("l2sp", setting, rate=0.003, epochs=2, batch_size=8)
    assert all(row["l2sp"] > 0 and row["loss"] > 0 for row in tuned.curve)


def test_without_a_pull_it_is_full_fine_tuning_without_decay(setting):
    options = {"rate": 0.003, "epochs": 2, "batch_size": 8, "decay": 1.0}
    plain = next(l2sp.plan(setting, alpha=0.0, beta=0.0, **options))
    assert all(group.weight_decay == 0 for group in plain.phases[0].groups)
    names = {name for group in plain.phases[0].groups for name in group.names}
    assert names == set(dict(plain.model.named_parameters()))
