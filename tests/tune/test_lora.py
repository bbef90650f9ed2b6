"""LoRA: as many parameters as the formula says, nothing else moves, and merged it is the plain network again."""

import importlib.util

import pytest
import small
import torch
from torch import nn

from headstart.base.errors import BadOption, MissingExtra
from headstart.engine.loop import train
from headstart.features.store import Store
from headstart.tune import lora

FEW = {"epochs": 2, "rate": 0.01, "batch_size": 8}
NETWORKS = {"convolutions": small.backbone, "transformer": small.transformer}


def setting(tmp_path, net):
    return small.setting(Store(tmp_path / "store"), small.CPU, net=net)


def layers(net, targets):
    kinds = {"linear": (nn.Linear,), "conv": (nn.Conv2d,), "all": (nn.Linear, nn.Conv2d)}[targets]
    return {name: layer for name, layer in net.module.named_modules() if isinstance(layer, kinds)}


def parameters(layer, rank):
    """r (in + out) for a matrix; for a kernel A is r x in x k x k and B is out x r."""
    if isinstance(layer, nn.Linear):
        return rank * (layer.in_features + layer.out_features)
    return rank * (layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1] + layer.out_channels)


@pytest.mark.parametrize(("build", "targets"), [("convolutions", "conv"), ("transformer", "linear")])
@pytest.mark.parametrize("rank", [1, 4])
def test_parameters_are_those_of_the_formula(tmp_path, build, targets, rank):
    net = NETWORKS[build]()
    fit = next(lora.plan(setting(tmp_path, net), rank=rank, **FEW))
    moving = {name for group in fit.phases[0].groups for name in group.names}
    counted = sum(value.numel() for name, value in fit.model.named_parameters() if name in moving)
    head = sum(value.numel() for value in fit.model.head.parameters())
    assert counted - head == sum(parameters(layer, rank) for layer in layers(net, targets).values())


@pytest.mark.parametrize("build", NETWORKS)
def test_merged_computes_what_the_additions_computed(tmp_path, build):
    given = setting(tmp_path, NETWORKS[build]())
    fit = next(lora.plan(given, targets="all", **FEW))
    train(fit, machine=small.CPU)
    inputs = given.frozen.pixels[given.held]
    with torch.inference_mode():
        before = fit.model(inputs)
        lora.merge(fit.model.suffix)
        after = fit.model(inputs)
        plain = given.frozen.backbone.suffix(0)(inputs)
    assert (before - after).abs().max() <= 1e-5 * before.abs().max()
    assert not torch.allclose(fit.model.suffix(inputs), plain, atol=1e-3), "and it has learned something"


@pytest.mark.parametrize(("build", "targets"), [("convolutions", "conv"), ("transformer", "linear")])
def test_only_the_targets_weights_have_changed_and_the_architecture_has_not(tmp_path, build, targets):
    net = NETWORKS[build]()
    tuned = small.tune("lora", setting(tmp_path, net), **FEW)
    assert tuned.options["targets"] == targets, "auto is written down as what it stood for"
    assert small.moved(net, tuned.network.backbone) == {f"{name}.weight" for name in layers(net, targets)}
    assert [type(layer) for layer in tuned.network.backbone.modules()] == [type(layer) for layer in net.modules()]
    assert tuned.network.backbone.module.state_dict().keys() == net.module.state_dict().keys()


def test_it_learns_on_a_transformer(tmp_path):
    given = small.setting(Store(tmp_path / "store"), small.CPU, net=small.transformer(), per_class=40)
    tuned = small.tune("lora", given, epochs=10, rate=0.003, batch_size=8)
    assert tuned.curve[-1]["loss"] < 0.7 * tuned.curve[0]["loss"]
    assert small.accuracy(tuned, given) > 0.6, "chance is 0.25"


def test_below_the_cut_nothing_moves(tmp_path):
    net = small.backbone()
    tuned = small.tune("lora", setting(tmp_path, net), depth=3, **FEW)
    found = small.moved(net, tuned.network.backbone)
    assert found and not found & set(net.tensors(3))


def test_the_additions_depend_on_the_seed_alone(tmp_path):
    torch.manual_seed(1)
    first = next(lora.plan(setting(tmp_path, small.backbone()), **FEW)).model.state_dict()
    torch.manual_seed(2)
    second = next(lora.plan(setting(tmp_path, small.backbone()), **FEW)).model.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_layers_that_cannot_be_merged_get_none():
    class Standardised(nn.Conv2d):
        pass

    net = nn.Sequential(
        nn.Conv2d(4, 4, 3, groups=4), Standardised(4, 4, 3), nn.MultiheadAttention(4, 2), nn.Linear(4, 4)
    )
    assert lora.chosen(net, "all") == ("3",)


def test_what_it_cannot_do_is_refused_before_anything_is_done(monkeypatch):
    with pytest.raises(BadOption, match="no linear layers"):
        lora.check(small.backbone(), {"targets": "linear"})
    with pytest.raises(BadOption, match="leaves no stage"):
        lora.check(small.backbone(), {"depth": 5})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="peft") as caught:
        lora.check(small.backbone(), {})
    assert "headstart[lora]" in caught.value.next_move
