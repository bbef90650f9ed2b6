"""How many stages a network gets, where they end and what they are called."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import fx, nn

from headstart.backbones.chain import Backbone
from headstart.backbones.cut import Unit
from headstart.backbones.stages import MOST, number, side
from headstart.backbones.torchvision import headless
from tests.backbones.networks import info

NODES = [fx.Graph().placeholder(f"n{i}") for i in range(64)]


def unit(position: int, path: str, shape: tuple[int, ...], *, weights: int = 10, block: bool = True) -> Unit:
    return Unit(NODES[position], path, block, weights, shape)


def named(name: str, size: int) -> tuple[str, ...]:
    return Backbone(timm.create_model(name, num_classes=0), info(size)).info.stages


def test_a_resnet_has_its_stem_and_four_levels() -> None:
    expected = ("stem", "layer1", "layer2", "layer3", "layer4")
    assert named("resnet26", 64) == expected
    vision = headless(torchvision.models.resnet18(weights=None))
    assert Backbone(vision, info(64)).info.stages == expected


def test_a_vision_transformer_has_one_stage_a_block() -> None:
    assert named("vit_tiny_patch16_224", 224) == ("patch_embed", *(f"blocks.{i}" for i in range(12)))


def test_other_hierarchies_keep_the_librarys_names() -> None:
    assert named("convnext_atto", 64) == ("stem", "stages.0", "stages.1", "stages.2", "stages.3")
    assert named("regnetx_002", 64) == ("stem", "s1", "s2", "s3", "s4")
    efficient = named("efficientnet_b0", 64)
    assert efficient == ("stem", "blocks.0", "blocks.1", "blocks.2", "blocks.3-4", "blocks.5-6")


@pytest.mark.slow
def test_plain_layers_are_grouped_by_resolution() -> None:
    found = named("vgg11", 64)
    assert found == ("features.0", "features.3", "features.6-8", "features.11-13", "features.16-18", "pre_logits")


@pytest.mark.slow
def test_more_blocks_than_fit_are_joined_with_their_neighbours() -> None:
    found = named("cait_xxs24_224", 224)
    assert len(found) <= MOST
    assert found[:3] == ("patch_embed", "blocks.0-1", "blocks.2-3")


@pytest.mark.parametrize("blocks", range(1, 50))
def test_never_more_stages_than_allowed_and_the_last_one_ends_the_network(blocks: int) -> None:
    units = [unit(0, "patch", (2, 17, 8), block=False)]
    units += [unit(i + 1, f"blocks.{i}", (2, 17, 8)) for i in range(blocks)]
    units.append(unit(blocks + 1, "norm", (2, 8), weights=0, block=False))
    found = number(units)
    assert 2 <= len(found) <= MOST
    assert found[-1].end is units[-1].end
    assert len({stage.name for stage in found}) == len(found)
    sizes = [len(stage.name.split("-")) for stage in found[1:]]
    assert blocks + 1 > MOST or set(sizes) == {1}


def test_pooling_belongs_to_the_layer_in_front_of_it() -> None:
    units = [
        unit(0, "conv", (2, 8, 32, 32), block=False),
        unit(1, "pool", (2, 8, 16, 16), weights=0, block=False),
        unit(2, "layer1.0", (2, 8, 16, 16)),
        unit(3, "layer2.0", (2, 8, 8, 8)),
        unit(4, "layer3.0", (2, 8, 4, 4)),
    ]
    assert [(stage.name, stage.end) for stage in number(units)] == [
        ("stem", NODES[1]),
        ("layer1", NODES[2]),
        ("layer2", NODES[3]),
        ("layer3", NODES[4]),
    ]


def test_unpadded_convolutions_start_no_level() -> None:
    sides = [40, 38, 36, 18, 17, 8, 7]
    units = [unit(i, f"b{i}", (2, 8, s, s)) for i, s in enumerate(sides)]
    assert [stage.end for stage in number(units)] == [NODES[0], NODES[2], NODES[4], NODES[6]]


def test_a_network_of_one_piece_has_one_stage() -> None:
    (only,) = number([unit(0, "", (2, 8), weights=0)])
    assert only.end is NODES[0]
    assert only.name


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 8, 5, 5), 5), ((2, 5, 5, 8), 5), ((2, 49, 8), 7), ((2, 8), 1), ((2, 6, 6, 6), 6)]
)
def test_the_side_of_an_activation(shape: tuple[int, ...], expected: float) -> None:
    assert side(shape) == expected


def test_names_are_distinct_and_printable() -> None:
    class Nameless(nn.Sequential):
        pass

    layers = [nn.Conv2d(3, 3, 3, padding=1, stride=2) for _ in range(4)]
    found = Backbone(Nameless(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), info(64)).info.stages
    assert len(set(found)) == len(found) == 4
    assert all(name.isprintable() and name for name in found)
    assert torch.is_grad_enabled()
