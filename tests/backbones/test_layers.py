"""Networks that no trace can follow, taken apart along their layer list: the same numbers at every cut, or none."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from headstart.backbones import layers
from headstart.backbones.chain import Backbone
from headstart.base.errors import WeightsError
from tests.backbones.networks import (
    TOLERANCE,
    gap,
    info,
    noise,
    normalised,
    randomise,
    worst_cut,
    worst_cut_in_training,
)


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(width, width), nn.BatchNorm1d(width)
        self.width = width

    def forward(self, hidden: torch.Tensor, scale: torch.Tensor, sides: tuple[int, int]) -> tuple[torch.Tensor, str]:
        if hidden.shape[1] != sides[0] * sides[1]:
            raise ValueError("other sides")
        return hidden + self.norm((self.linear(hidden) * scale).transpose(1, 2)).transpose(1, 2), "ignored"


class Stem(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, width, 4, stride=4), nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        x = self.norm(self.conv(x))
        return x.flatten(2).transpose(1, 2), (x.shape[2], x.shape[3])


class Encoder(nn.Module):
    """Its code asks tensors what they are, which no trace survives."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Block(width) for _ in range(depth))

    def forward(self, hidden: torch.Tensor, sides: tuple[int, int]) -> dict[str, torch.Tensor]:
        scale = torch.full((1, 1, hidden.shape[-1]), 0.5)
        for layer in self.layer:
            if layer.width != hidden.shape[-1] or hidden.dtype != torch.float32:
                raise ValueError("other width")
            hidden, _ = layer(hidden, scale, sides=sides)
        return {"last": hidden}


class Net(nn.Module):
    def __init__(self, width: int = 12, depth: int = 5) -> None:
        super().__init__()
        self.embeddings, self.encoder = Stem(width), Encoder(width, depth)
        self.norm, self.unused = nn.LayerNorm(width), nn.Linear(width, 7)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        if x.dtype != self.embeddings.conv.weight.dtype:
            raise ValueError("other type")
        found = self.norm(self.encoder(*self.embeddings(x))["last"])
        return {"features": found.mean(1)}


def features(output: dict[str, torch.Tensor]) -> torch.Tensor:
    return output["features"]


def network(kind: type[nn.Module] = Net, **options: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return randomise(kind(**options)).eval()


def test_every_cut_computes_what_the_network_computes_in_eval_and_train_mode() -> None:
    net = network()
    backbone = Backbone(layers.chain(copy.deepcopy(net), features, 32, "toy"), info())
    assert backbone.info.stages == ("embeddings", *(f"layer.{i}" for i in range(5)))
    images = noise(32, n=3)
    with torch.no_grad():
        expected = net(normalised(images, backbone.info.preprocessing))["features"]
    assert gap(backbone(images), expected) <= TOLERANCE
    assert worst_cut(backbone, images, expected) <= TOLERANCE
    assert worst_cut_in_training(backbone, images) <= TOLERANCE


def test_training_moves_every_statistic_as_the_network_itself_does_and_once() -> None:
    net = network().train()
    backbone = Backbone(layers.chain(network(), features, 32, "toy"), info()).train()
    images = noise(32, n=4)
    with torch.no_grad():
        expected = net(normalised(images, backbone.info.preprocessing))["features"]
        assert gap(backbone(images), expected) <= TOLERANCE
    own, found = dict(net.named_buffers()), dict(backbone.module.named_buffers())
    for name, buffer in own.items():
        (match,) = [key for key in found if _same(key, name)]
        torch.testing.assert_close(found[match], buffer)


def _same(key: str, name: str) -> bool:
    if name.startswith("embeddings."):
        return key.endswith(f"spine.{name}")
    return key == name.replace("encoder.layer.", "layer.").replace(".norm.", ".layer.norm.")


def test_a_frozen_prefix_and_a_suffix_share_nothing_and_unused_parts_are_gone() -> None:
    backbone = Backbone(layers.chain(network(), features, 32, "toy"), info())
    for k in range(1, backbone.depth):
        front = {id(tensor) for tensor in (*backbone.prefix(k).parameters(), *backbone.prefix(k).buffers())}
        behind = {id(tensor) for tensor in (*backbone.suffix(k).parameters(), *backbone.suffix(k).buffers())}
        assert not front & behind
    assert not [name for name in backbone.module.state_dict() if "unused" in name]
    before = {name: tensor.clone() for name, tensor in backbone.prefix(3).state_dict().items()}
    suffix = backbone.suffix(3).train()
    optimiser = torch.optim.SGD(suffix.parameters(), lr=0.1)
    with torch.no_grad():
        hidden = backbone.prefix(3).eval()(noise(32, n=4))
    suffix(hidden).square().sum().backward()
    optimiser.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.prefix(3).state_dict().items())
    assert all(parameter.grad is not None for parameter in suffix.parameters())


def test_a_wrong_cut_of_it_fails_the_invariant() -> None:
    backbone = Backbone(layers.chain(network(), features, 32, "toy"), info())
    images = noise(32)
    with torch.no_grad():
        wrong = backbone.suffix(4)(backbone.prefix(3)(images))
        assert gap(wrong, backbone(images)) > 100 * TOLERANCE


def test_a_copy_in_another_type_and_another_batch() -> None:
    backbone = Backbone(layers.chain(network(), features, 32, "toy"), info())
    twin = backbone.copy()
    with torch.no_grad():
        for parameter in twin.module.parameters():
            parameter.zero_()
        for n in (1, 5):
            assert backbone(noise(32, n=n)).shape == (n, 12)
            assert not torch.equal(backbone(noise(32, n=n)), twin(noise(32, n=n)))


def test_another_size_is_refused_where_layers_were_called_with_it() -> None:
    chain = layers.chain(network(), features, 32, "toy")
    with pytest.raises(ValueError, match="32 x 32"):
        chain(torch.zeros(1, 3, 64, 64))


class Skips(Net):
    """Its end reads the embeddings too: no cut behind them is legal."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden, sides = self.embeddings(x)
        return {"features": self.norm(self.encoder(hidden, sides)["last"] + hidden).mean(1)}


class Depends(Encoder):
    def forward(self, hidden: torch.Tensor, sides: tuple[int, int]) -> dict[str, torch.Tensor]:
        scale = hidden.mean(1, keepdim=True)
        for layer in self.layer:
            hidden, _ = layer(hidden, scale, sides=sides)
        return {"last": hidden}


class Listless(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"features": self.conv(x).mean((2, 3))}


def test_what_is_no_chain_is_refused() -> None:
    with pytest.raises(WeightsError, match="its end reads more"):
        layers.chain(network(Skips), features, 32, "toy")
    net = network()
    net.encoder.__class__ = Depends
    with pytest.raises(WeightsError, match="depends on the picture"):
        layers.chain(net, features, 32, "toy")
    with pytest.raises(WeightsError, match="no layer list"):
        layers.chain(network(Listless), features, 32, "toy")
