"""Which places of a network are legal cuts, and what keeps following the network's mode."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from headstart.backbones import cut
from headstart.backbones.cut import FollowTraining, Normalise, Whole
from headstart.base.vocabulary import Preprocessing
from tests.backbones.networks import Residual, Toy


def ends(module: nn.Module, size: int = 16, opened: frozenset[str] = frozenset()) -> list[str]:
    """Names of the graph's legal cuts."""
    whole = Whole(Normalise(Preprocessing(8, (0.5,) * 3, (0.5,) * 3)), module).eval()
    units, _ = cut.units(whole, cut.trace(whole, opened), torch.rand(2, 3, size, size))
    return [unit.end.name for unit in units]


def test_every_block_boundary_of_a_chain_is_a_cut() -> None:
    found = ends(Toy())
    assert found == ["input_1", "module_stem", "module_layer1", "module_layer2", "module_layer3", "mean"]


def test_no_cut_lies_within_a_residual_connection() -> None:
    found = ends(nn.Sequential(Residual(3, 8), Residual(8, 8), Mean()), opened=frozenset({"module.1"}))
    assert "module_0" in found
    assert "relu" in found
    assert not [name for name in found if name.startswith(("module_1_", "add"))][:-1]


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class LongSkip(nn.Module):
    """The stem's output is used again at the end: nothing in between can be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.middle, self.last = (nn.Conv2d(3, 3, 1) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        early = self.stem(x)
        return (self.last(self.middle(early)) + early).mean((2, 3))


def test_a_skip_connection_over_blocks_forbids_cuts_below_it() -> None:
    assert ends(LongSkip()) == ["input_1", "module_stem", "add", "mean"]


class WritesToItsInput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.relu = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.conv(x)).mean((2, 3))


def test_what_the_suffix_would_write_to_is_no_cut() -> None:
    assert ends(WritesToItsInput()) == ["input_1", "module_relu", "mean"]


class Sizes(nn.Module):
    """A size that is read early and used late would have to cross every cut between."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n = x.shape[0]
        return self.second(self.first(x)).reshape(n, -1)


def test_a_size_that_crosses_is_no_tensor() -> None:
    assert ends(Sizes()) == ["input_1", "reshape"]


class TokensFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(3, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mix(x.flatten(2).permute(2, 0, 1)).mean(0)


def test_a_tensor_whose_first_axis_is_not_the_batch_is_no_cut() -> None:
    assert ends(TokensFirst()) == ["input_1", "flatten", "mean"]


def test_a_shape_check_does_not_forbid_a_cut() -> None:
    class Checked(Toy):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch._assert(x.shape[2] == 16, "wrong size")
            return super().forward(x)

    assert "module_layer2" in ends(Checked())


def test_a_functional_dropout_follows_the_mode() -> None:
    layer = FollowTraining(functional.dropout, {"p": 0.5})
    x = torch.ones(1000)
    assert 300 < int((layer(x) == 0).sum()) < 700
    assert torch.equal(layer.eval()(x), x)


def test_normalising_bytes_and_fractions_gives_the_same() -> None:
    layer = Normalise(Preprocessing(8, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)))
    bytes_ = torch.arange(3 * 16, dtype=torch.uint8).view(1, 3, 4, 4)
    expected = (bytes_[0, 2, 1, 1] / 255 - 0.3) / 0.7
    assert float(layer(bytes_)[0, 2, 1, 1]) == pytest.approx(float(expected), abs=1e-6)
    torch.testing.assert_close(layer(bytes_), layer(bytes_ / 255))
    assert not layer.state_dict()


def test_the_normalisation_is_computed_in_float32_whatever_the_type() -> None:
    layer = Normalise(Preprocessing(8))
    x = torch.rand(2, 3, 4, 4)
    exact = layer(x)
    half = layer.to(torch.bfloat16)
    assert half.mean.dtype == torch.float32
    assert half(x).dtype == torch.bfloat16
    assert torch.equal(half(x), exact.to(torch.bfloat16))
    assert torch.equal(half.double().float()(x), exact)


def test_blocks_that_read_their_mode_stay_whole() -> None:
    class ReadsMode(Residual):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) if self.training else x

    whole = Whole(
        Normalise(Preprocessing(8, (0.0,) * 3, (1.0,) * 3)), nn.Sequential(ReadsMode(3, 3), Residual(3, 3), Mean())
    ).eval()
    assert cut.openable(whole, cut.trace(whole)) == ["module.1"]
