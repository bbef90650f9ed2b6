"""Every strategy on a text network: windows of several lengths, layers of every kind, what is frozen stays."""

import numpy as np
import pytest
import small
import small_texts
import torch

from headstart.base import discovery
from headstart.base.machine import here
from headstart.engine.drive import drive
from headstart.features.store import Store
from headstart.tune import finetune, layerwise, lora

STRATEGIES = sorted(discovery.plugins("tune"))
STEPWISE = [name for name in STRATEGIES if name != "probe"]
DEEP = [name for name in STEPWISE if name not in ("full", "scratch")]
OTHERS = [
    pytest.param(one, marks=pytest.mark.slow) for one in ("roberta", "distilbert", "deberta-v2", "albert", "llama")
]


def few(strategy):
    """Options with which it learns in a second."""
    if strategy == "probe":
        return {}
    rate = {"scratch": 0.01, "bitfit": 0.01, "norm": 0.01, "lora": 0.01, "setfit": 0.003}.get(strategy, 0.003)
    return {"epochs": 4, "rate": rate, "batch_size": 16} | ({"mix": 0.5} if strategy == "wise" else {})


@pytest.fixture
def setting(tmp_path):
    return small_texts.setting(Store(tmp_path / "store"), small.CPU)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_learns_and_gives_the_outputs_that_were_judged(strategy, setting):
    before = {name: value.clone() for name, value in setting.frozen.backbone.state_dict().items()}
    tuned = small.tune(strategy, setting, **few(strategy))
    assert small.accuracy(tuned, setting) > 0.6, "chance is 0.33"
    after = setting.frozen.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before), "the source stays as it was"
    with torch.inference_mode():
        direct = tuned.network.eval()(setting.frozen.pixels[setting.held]).numpy()
    assert np.abs(direct - tuned.outputs).max() <= 1e-4 * np.abs(direct).max()


@pytest.mark.parametrize("strategy", DEEP)
def test_below_the_cut_nothing_moves_and_behind_it_something_does(strategy, setting):
    net = setting.frozen.backbone
    tuned = small.tune(strategy, setting, **few(strategy) | {"epochs": 1, "depth": 2})
    found = small.moved(net, tuned.network.backbone)
    assert found and not found & set(net.tensors(2))


def test_scratch_starts_where_the_library_starts_and_not_at_the_source(setting):
    fit = next(discovery.load("tune", "scratch").plan(setting, **few("scratch")))
    source = setting.frozen.backbone.suffix(0).state_dict()
    fresh = fit.model.suffix.state_dict()
    assert fresh.keys() == source.keys()
    tables = [name for name in fresh if name.endswith("word_embeddings.weight")]
    assert tables and not any(torch.equal(fresh[name], source[name]) for name in tables)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["full", "partial", "bitfit", "lora", "layerwise"])
def test_a_decoder_learns_too(strategy, tmp_path):
    given = small_texts.setting(Store(tmp_path / "store"), small.CPU, net=small_texts.backbone("gpt2"))
    tuned = small.tune(strategy, given, **few(strategy))
    assert small.accuracy(tuned, given) > 0.6


@pytest.mark.parametrize("family", ["bert", "gpt2", *OTHERS])
def test_lora_finds_the_matrices_of_every_family_and_merges_them(family, tmp_path):
    net = small_texts.backbone(family)
    suffix = net.suffix(1)
    names = lora.chosen(suffix, "linear")
    matrices = {name for name, value in suffix.named_parameters() if value.dim() == 2 and "embeddings" not in name}
    assert {f"{name}.weight" for name in names} == matrices, "all of attention and of what follows it"
    given = small_texts.setting(Store(tmp_path / "store"), small.CPU, net=net, count=18)
    tuned = small.tune("lora", given, depth=1, epochs=1, rate=0.01, batch_size=8, rank=2)
    assert [type(part) for part in tuned.network.backbone.modules()] == [type(part) for part in net.modules()]
    assert small.moved(net, tuned.network.backbone) == {
        f"parts.{int(name.split('.')[0]) + 1}.{name.partition('.')[2]}.weight" for name in names
    }
    with torch.inference_mode():
        direct = tuned.network.eval()(given.frozen.pixels[given.held]).numpy()
    assert np.abs(direct - tuned.outputs).max() <= 1e-4 * np.abs(direct).max()


def test_a_sweep_begins_at_the_rates_of_such_networks(setting, tmp_path):
    def first(plan, given):
        return next(plan(given)).detail["rate"]

    pictures = small.setting(Store(tmp_path / "pictures"), small.CPU, net=small.transformer())
    for strategy, rate in {"full": 1e-4, "partial": 1e-4, "lora": 1e-4, "bitfit": 1e-3, "scratch": 3e-4}.items():
        plan = discovery.load("tune", strategy).plan
        assert first(plan, setting) == pytest.approx(rate, rel=0.06)
        assert first(plan, pictures) == pytest.approx(10 * rate, rel=0.06), "pictures begin where they did"
    assert min(finetune.GRID) <= 2e-5, "and the grid reaches down to the lowest usual one"


def test_rates_fall_layer_by_layer_down_to_the_words(setting):
    fit = next(layerwise.plan(setting, rate=0.1, epochs=1, batch_size=8, lowest=0.01))
    rates = {name: group.rate for group in fit.phases[0].groups for name in group.names}
    assert sorted(rates) == sorted(name for name, _ in fit.model.named_parameters())
    words = next(name for name in rates if name.endswith("word_embeddings.weight"))
    assert rates[words] == min(rates.values()) == pytest.approx(0.001)


def test_dropout_falls_in_training_and_not_in_judging(tmp_path):
    net = small_texts.backbone("bert", hidden_dropout_prob=0.3)
    given = small_texts.setting(Store(tmp_path / "store"), small.CPU, net=net)
    tuned = small.tune("partial", given, **few("partial"))
    with torch.inference_mode():
        direct = tuned.network(given.frozen.pixels[given.held]).numpy()
    assert np.abs(direct - tuned.outputs).max() <= 1e-4 * np.abs(direct).max()
    undropped = small.tune("partial", small_texts.setting(Store(tmp_path / "other"), small.CPU), **few("partial"))
    assert tuned.curve[0]["loss"] != pytest.approx(undropped.curve[0]["loss"], rel=1e-6)


def test_bf16_learns_too(tmp_path):
    given = small_texts.setting(Store(tmp_path / "store"), here("bf16", "cpu"))
    plan = discovery.load("tune", "partial").plan(given, **few("partial"))
    assert small.accuracy(drive(plan, machine=here("bf16", "cpu")), given) > 0.6
