"""Taking networks apart: shared tensors, position tables, encoders, and networks that cannot be taken apart."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.backbones.assembly import channel_axis
from headstart.backbones.chain import Backbone
from headstart.base.errors import WeightsError
from tests.backbones.networks import TOLERANCE, Residual, gap, info, noise, normalised, randomise, toy, worst_cut


class Tied(nn.Module):
    """One block used at every depth, and one tensor that two modules own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 4, stride=4)
        self.shared = Residual(6, 6)
        self.first, self.second = Residual(6, 6), Residual(6, 6)
        self.second.conv.weight = self.first.conv.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.shared(self.stem(x))
        x = self.first(self.shared(x))
        x = self.shared(self.second(x))
        return x.mean((2, 3))


def test_a_tensor_used_on_both_sides_of_a_cut_is_copied() -> None:
    module = randomise(Tied()).eval()
    images = noise(16)
    with torch.no_grad():
        expected = module(normalised(images, info(16).preprocessing))
    backbone = Backbone(module, info(16))
    assert backbone.depth >= 4
    assert worst_cut(backbone, images, expected) <= TOLERANCE
    for k in range(1, backbone.depth):
        before = {tensor.data_ptr() for tensor in backbone.prefix(k).state_dict().values() if tensor.numel()}
        behind = {tensor.data_ptr() for tensor in backbone.suffix(k).state_dict().values() if tensor.numel()}
        assert not before & behind


def test_training_behind_the_cut_does_not_move_a_tied_tensor_in_front_of_it() -> None:
    backbone = Backbone(randomise(Tied()), info(16))
    images = noise(16)
    for k in range(1, backbone.depth):
        with torch.no_grad():
            before = backbone.prefix(k)(images).clone()
            for tensor in backbone.suffix(k).parameters():
                tensor.add_(1)
            assert torch.equal(backbone.prefix(k)(images), before)


def test_an_untied_network_is_saved_and_loaded_whole() -> None:
    one, other = Backbone(randomise(Tied()), info(16)), Backbone(randomise(Tied(), seed=5), info(16))
    with torch.no_grad():
        for tensor in one.suffix(3).parameters():
            tensor.mul_(1.5)
        other.module.load_state_dict(one.module.state_dict())
        assert torch.equal(one(noise(16)), other(noise(16)))


class Positions(nn.Module):
    """Every block adds the same table: a parameter, a buffer, and something computed from both."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 4, stride=4)
        self.blocks = nn.ModuleList(Residual(6, 6) for _ in range(4))
        self.learned = nn.Parameter(torch.randn(1, 6, 4, 4)) if table == "parameter" else None
        self.register_buffer("fixed", torch.randn(1, 6, 4, 4))
        self.made = table == "constant"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        table = self.fixed * 2 if self.learned is None else self.learned + self.fixed
        if self.made:
            table = table + torch.arange(4.0)
        for block in self.blocks:
            x = block(x + table)
        return x.mean((2, 3))


@pytest.mark.parametrize("table", ["parameter", "buffer", "constant"])
def test_what_does_not_depend_on_the_input_may_be_used_on_both_sides(table: str) -> None:
    backbone = Backbone(randomise(Positions(table)), info(16))
    assert backbone.depth >= 4
    images = noise(16)
    with torch.no_grad():
        expected = backbone(images)
        assert worst_cut(backbone, images, expected) <= TOLERANCE
        moved = backbone.copy().double()
        assert gap(moved(images).float(), expected) <= TOLERANCE
        back = moved.float()
        assert gap(back(images), expected) <= TOLERANCE
        back.module.fixed.zero_()
        assert gap(back(images), expected) > TOLERANCE


class Encoder(nn.Module):
    """Everything in one module, as torchvision's vision transformer has it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(Residual(6, 6) for _ in range(5)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.encoder = nn.Conv2d(3, 6, 4, stride=4), Encoder()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(self.stem(x)).mean((2, 3))


def test_a_block_that_hides_the_chain_is_looked_into() -> None:
    backbone = Backbone(randomise(Wrapped()), info(16))
    assert backbone.info.stages == ("stem", *(f"encoder.layers.{i}" for i in range(5)))
    with torch.no_grad():
        assert worst_cut(backbone, noise(16), backbone(noise(16))) <= TOLERANCE


class DependsOnData(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) if x.sum() > 0 else x.amax((2, 3))


class NoFeatures(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Forgets(nn.Module):
    """Keeps a count in Python, which a trace cannot see."""

    calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x.mean((2, 3)) * self.calls


@pytest.mark.parametrize(
    ("module", "reason"),
    [(DependsOnData(), "cannot be taken apart"), (NoFeatures(), "does not end in features"), (Forgets(), "differ")],
)
def test_a_network_that_cannot_be_cut_faithfully_is_refused(module: nn.Module, reason: str) -> None:
    with pytest.raises(WeightsError, match=reason):
        Backbone(module, info(16))


def test_taking_apart_uses_no_global_randomness() -> None:
    torch.manual_seed(3)
    module = Wrapped()
    before = torch.get_rng_state()
    Backbone(module, info(16))
    assert torch.equal(torch.get_rng_state(), before)


def test_stages_keep_working_after_the_network_is_put_in_another_mode() -> None:
    backbone = toy()
    backbone.train()
    assert all(part.training for part in backbone.suffix(0).modules() if isinstance(part, nn.BatchNorm2d))
    backbone.eval()
    assert not any(part.training for part in backbone.suffix(0).modules() if isinstance(part, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ("shape", "channels_last", "axis"),
    [
        ((2, 8, 5, 5), False, 1),
        ((2, 8, 5, 5), True, 1),
        ((2, 5, 5, 8), False, 3),
        ((2, 6, 6, 6), False, 1),
        ((2, 6, 6, 6), True, 3),
        ((2, 8, 4, 5), False, 1),
        ((2, 49, 8), False, 2),
        ((2, 8), False, 1),
    ],
)
def test_where_the_channels_are(shape: tuple[int, ...], channels_last: bool, axis: int) -> None:
    assert channel_axis(shape, channels_last) == axis
