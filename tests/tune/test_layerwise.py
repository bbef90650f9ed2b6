"""Layer-wise rates: every parameter once, rates falling from the head to the first layer."""

import pytest
import small
import torch
from torch import nn

from headstart.features.store import Store
from headstart.tune import layerwise


def groups(tmp_path, net=None, **options):
    setting = small.setting(Store(tmp_path / "store"), small.CPU, net=net)
    fit = next(layerwise.plan(setting, rate=0.1, epochs=1, batch_size=8, **options))
    return fit, fit.phases[0].groups


def test_a_layer_is_a_kernel_with_its_biases_and_norms():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, bias=False), nn.GroupNorm(2, 4))
    assert layerwise.layers(net) == [("0.weight", "0.bias", "1.weight", "1.bias"), ("2.weight", "3.weight", "3.bias")]


def test_a_norm_in_front_of_the_first_kernel_goes_with_it():
    net = nn.Sequential(nn.LayerNorm(3), nn.Linear(3, 4))
    assert layerwise.layers(net) == [("0.weight", "0.bias", "1.weight", "1.bias")]


@pytest.mark.parametrize("build", [small.backbone, small.transformer])
def test_every_parameter_has_one_rate(tmp_path, build):
    fit, found = groups(tmp_path, build())
    names = [name for group in found for name in group.names]
    assert sorted(names) == sorted(name for name, _ in fit.model.named_parameters())


def test_rates_fall_geometrically_to_the_lowest(tmp_path):
    _, found = groups(tmp_path, lowest=0.01)
    rates = [group.rate for group in found]
    assert rates[0] == 0.1 and found[0].names == ("head.weight", "head.bias")
    assert rates[1] == pytest.approx(0.001), "the first layer"
    steps = torch.tensor([*rates[1:], rates[0]]).log().diff()
    assert torch.allclose(steps, steps[0].expand_as(steps), atol=1e-5) and steps[0] > 0


def test_layers_inside_a_stage_differ(tmp_path):
    _, found = groups(tmp_path)
    last = [group.rate for group in found[1:] if any("stages.3" in name for name in group.names)]
    assert len(set(last)) == 3, "two convolutions and a projection"


def test_the_prefix_has_no_rate(tmp_path):
    fit, _ = groups(tmp_path, depth=3)
    assert not [name for name in fit.model.state_dict() if "stages.0" in name or "stem" in name]
