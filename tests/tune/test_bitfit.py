"""BitFit and norm-only tuning: exactly the named parameters move, and statistics as the help says."""

import pytest
import small
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption
from headstart.base.vocabulary import BackboneInfo
from headstart.features.store import Store
from headstart.tune import bitfit, norm

FEW = {"epochs": 2, "rate": 0.01, "batch_size": 8}


def plain():
    """Convolutions without a bias or a norm."""
    body = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1, bias=False), nn.ReLU()]
    net = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Backbone(net, BackboneInfo("test/plain", "test/plain", 0, (), 0, small.PREPROCESSING))


def moved(tmp_path, strategy, net, **options):
    setting = small.setting(Store(tmp_path / "store"), small.CPU, net=net)
    tuned = small.tune(strategy, setting, **FEW, **options)
    return small.moved(setting.frozen.backbone, tuned.network.backbone), tuned


def test_bitfit_moves_every_bias_of_a_transformer_and_nothing_else(tmp_path):
    net = small.transformer()
    found, tuned = moved(tmp_path, "bitfit", net)
    wanted = {name for name, _ in net.module.named_parameters() if name.endswith("bias")}
    assert found == wanted
    biases = sum(value.numel() for name, value in net.module.named_parameters() if name in wanted)
    assert tuned.trainable == biases + sum(value.numel() for value in tuned.network.head.parameters())


def test_norm_moves_every_layer_norm_of_a_transformer_and_nothing_else(tmp_path):
    net = small.transformer()
    found, _ = moved(tmp_path, "norm", net)
    layers = [path for path, layer in net.module.named_modules() if isinstance(layer, nn.LayerNorm)]
    assert len(layers) == 5 and found == {f"{path}.{name}" for path in layers for name in ("weight", "bias")}


@pytest.mark.parametrize(("strategy", "names"), [("bitfit", ("bias",)), ("norm", ("weight", "bias"))])
def test_batch_norms_that_move_follow_the_new_statistics(tmp_path, strategy, names):
    net = small.backbone()
    layers = [path for path, layer in net.module.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    found, _ = moved(tmp_path, strategy, net, statistics="updated")
    assert found == {f"{path}.{name}" for path in layers for name in (*names, *statistics)}


@pytest.mark.parametrize("strategy", ["bitfit", "norm"])
def test_below_the_cut_neither_parameters_nor_statistics_move(tmp_path, strategy):
    net = small.backbone()
    found, _ = moved(tmp_path, strategy, net, depth=3)
    assert found and not found & set(net.tensors(3))


@pytest.mark.parametrize("strategy", [bitfit, norm])
def test_a_network_without_what_would_move_is_refused_before_anything_is_done(strategy):
    with pytest.raises(BadOption, match=r"has no (biases|norm layers with parameters)"):
        strategy.check(plain(), {})
    with pytest.raises(BadOption, match="leaves no stage"):
        strategy.check(small.backbone(), {"depth": 5})


def test_biases_of_attention_layers_are_found_by_their_own_names():
    layer = nn.MultiheadAttention(8, 2)
    assert set(bitfit.biases(layer)) == {"in_proj_bias", "out_proj.bias"}
    table = nn.Module()
    table.relative_position_bias = nn.Parameter(nn.Linear(2, 3).weight.detach())
    assert bitfit.biases(table) == (), "a table of positions is no bias vector"


def test_norms_of_any_library_are_found():
    norms = {"LayerNorm2d": nn.LayerNorm, "RmsNorm": nn.Module, "BatchNormAct2d": nn.BatchNorm2d}
    for name, base in norms.items():
        layer = type(name, (base,), {})(*([4] if base is not nn.Module else []))
        if base is nn.Module:
            layer.weight = nn.Parameter(nn.Linear(4, 1).weight.detach()[0])
        assert norm.norms(nn.Sequential(layer)), name
    assert norm.norms(nn.Sequential(nn.Linear(3, 3), nn.LocalResponseNorm(2))) == ()
