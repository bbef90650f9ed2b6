"""The narrow ResNet-10: its shape, its size, and that it can be cut like any other."""

from __future__ import annotations

import pytest
import torch

from headstart.backbones.chain import Backbone
from headstart.backbones.resnet10 import ResNet10
from tests.backbones.networks import TOLERANCE, info, noise, normalised, randomise, worst_cut


def test_it_is_as_small_as_it_says() -> None:
    network = ResNet10()
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_756_592
    assert network(torch.zeros(2, 3, 48, 48)).shape == (2, 384)
    assert network(torch.zeros(1, 3, 33, 61)).shape == (1, 384)


def test_other_widths_and_channels() -> None:
    network = ResNet10((8, 16), channels=1).eval()
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 16)
    assert network.num_features == 16
    with pytest.raises(ValueError, match="at least one width"):
        ResNet10(())


def test_every_cut() -> None:
    module = randomise(ResNet10((8, 16, 24, 32)))
    backbone = Backbone(module, info(48))
    images = noise(48)
    with torch.no_grad():
        expected = module(normalised(images, backbone.info.preprocessing))
    assert backbone.info.stages == ("stem", "stages.0", "stages.1", "stages.2", "stages.3")
    assert worst_cut(backbone, images, expected) <= TOLERANCE
    assert [backbone.activation_shape(k) for k in (1, 2, 3)] == [(8, 24, 24), (8, 24, 24), (16, 12, 12)]


def test_a_new_one_keeps_the_scale_of_its_input() -> None:
    torch.manual_seed(0)
    features = ResNet10().eval()(torch.randn(8, 3, 48, 48)).detach()
    assert 0.05 < float(features.std()) < 20
