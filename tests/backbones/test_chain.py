"""The invariant of the cut, for every family that is claimed and every depth; and what a frozen part may not do."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import timm as library
import torch
import torchvision as vision
from torch import nn

from headstart.backbones import timm, torchvision
from headstart.backbones.chain import Backbone, seeded
from headstart.base.errors import BadOption, UnknownName, WeightsError
from tests.backbones.networks import (
    TOLERANCE,
    Residual,
    gap,
    info,
    noise,
    normalised,
    randomise,
    toy,
    worst_cut,
    worst_cut_in_training,
)

FAST = ["resnet18", "vit_tiny_patch16_224", "convnext_atto", "mobilenetv3_small_050", "regnetx_002"]
TIMM = [
    *FAST,
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "caformer_s18",
            "convnextv2_atto",
            "cs3darknet_s",
            "deit_tiny_distilled_patch16_224",
            "deit_tiny_patch16_224",
            "densenet121",
            "dla34",
            "dpn68",
            "edgenext_xx_small",
            "efficientnet_b0",
            "efficientnet_lite0",
            "eva02_tiny_patch14_224",
            "fastvit_t8",
            "ghostnet_050",
            "hgnet_tiny",
            "inception_next_atto",
            "levit_128s",
            "mixer_s32_224",
            "mixnet_s",
            "mobilenetv2_050",
            "mobilenetv3_large_100",
            "mobilevit_xxs",
            "nf_resnet26",
            "poolformer_s12",
            "pvt_v2_b0",
            "regnety_002",
            "repvit_m0_9",
            "res2net50d",
            "resmlp_12_224",
            "resnest14d",
            "resnet50",
            "resnetv2_18",
            "rexnet_100",
            "skresnet18",
            "swin_tiny_patch4_window7_224",
            "swinv2_tiny_window8_256",
            "vgg11_bn",
            "vit_small_patch32_224",
        )
    ),
]

RESNETS = [
    "ecaresnet26t",
    "ecaresnetlight",
    "resnet10t",
    "resnet14t",
    "resnet18d",
    "resnet26",
    "resnet26t",
    "resnet34",
    "resnet50_gn",
    "resnet50c",
    "resnet50d",
    "resnet50s",
    "resnet50t",
    "resnet101",
    "resnet152",
    "resnetaa34d",
    "resnetblur18",
    "resnetrs50",
    "resnext50_32x4d",
    "seresnet18",
    "seresnext26t_32x4d",
    "seresnetaa50d",
    "wide_resnet50_2",
]

VISION = [
    *("resnet18", "mobilenet_v3_small", "squeezenet1_1"),
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "alexnet",
            "convnext_tiny",
            "densenet121",
            "efficientnet_b0",
            "googlenet",
            "inception_v3",
            "maxvit_t",
            "mnasnet0_5",
            "mobilenet_v2",
            "mobilenet_v3_large",
            "regnet_y_400mf",
            "resnet50",
            "resnext50_32x4d",
            "shufflenet_v2_x0_5",
            "swin_t",
            "vgg11",
            "vit_b_32",
        )
    ),
]


@pytest.mark.parametrize("name", TIMM)
def test_every_cut_of_a_timm_family_computes_what_timm_computes(name: str) -> None:
    backbone = timm.load(name, weights=False)
    randomise(backbone.module)
    images = noise(backbone.info.preprocessing.size, n=1)
    original = library.create_model(name, num_classes=0).eval()
    original.load_state_dict(backbone.module.state_dict())
    with torch.no_grad():
        features = original.forward_features(normalised(images, backbone.info.preprocessing))
        expected = original.forward_head(features, pre_logits=True)
        assert gap(backbone(images), expected) <= TOLERANCE
    assert 4 <= backbone.depth <= 16
    assert worst_cut(backbone, images, expected) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", RESNETS)
def test_every_cut_of_the_resnet_family(name: str) -> None:
    module = randomise(library.create_model(name, num_classes=0))
    backbone = Backbone(module, info(64, f"timm/{name}"))
    images = noise(64)
    with torch.no_grad():
        expected = module(normalised(images, backbone.info.preprocessing))
    assert backbone.info.stages == ("stem", "layer1", "layer2", "layer3", "layer4")
    assert worst_cut(backbone, images, expected) <= TOLERANCE


@pytest.mark.parametrize("name", VISION)
def test_every_cut_of_a_torchvision_family_computes_what_torchvision_computes(name: str) -> None:
    backbone = torchvision.load(name, weights=False)
    randomise(backbone.module)
    images = noise(backbone.info.preprocessing.size, n=1)
    x = normalised(images, backbone.info.preprocessing)
    head = nn.Linear(backbone.info.width, 1000)
    reference = _with_head(name, backbone, head)
    with torch.no_grad():
        expected = backbone(images)
        assert gap(head(expected), reference(x)) <= TOLERANCE
    assert 4 <= backbone.depth <= 16
    assert worst_cut(backbone, images, expected) <= TOLERANCE


def _with_head(name: str, backbone: Backbone, head: nn.Linear) -> nn.Module:
    """torchvision's own classifier with the backbone's tensors and a given head."""
    options = {"transform_input": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    original = randomise(vision.models.get_model(name, weights=None, **options)).eval()
    state = original.state_dict()
    taken = backbone.module.state_dict()
    left = [key for key in state if key not in taken and "aux" not in key.lower()]
    assert 1 <= len(left) <= 2, "only the head has no counterpart"
    if len(left) == 1:
        nn.init.zeros_(head.bias)
    for key in left:
        own = head.bias if key.endswith("bias") else head.weight
        state[key] = own.detach().reshape(state[key].shape)
    if name.startswith("squeezenet"):
        # The head is a convolution with ReLU in front of the pooling: make it linear to compare.
        original.classifier[2] = nn.Identity()
    state.update(taken)
    original.load_state_dict(state)
    return original


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "convnext_atto"])
def test_a_cut_changes_nothing_in_training_either(name: str) -> None:
    module = randomise(library.create_model(name, num_classes=0))
    backbone = Backbone(module, info(64, f"timm/{name}"))
    assert worst_cut_in_training(backbone, noise(64, n=4)) <= TOLERANCE


class SkipsAStage(Backbone):
    def suffix(self, k: int) -> nn.Module:
        return super().suffix(min(k + 1, self.depth)) if k == 2 else super().suffix(k)


class CutInABlock(nn.Module):
    """A suffix that starts behind a block's convolution, and so never sees what its skip connection needs."""

    def __init__(self, block: Residual) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.block.bn(x))


def test_the_invariant_fails_where_a_stage_is_skipped() -> None:
    module = randomise(nn.Sequential(*(Residual(3 if i == 0 else 8, 8) for i in range(5)), nn.Flatten(2), Mean()))
    backbone = SkipsAStage(module, info(16))
    images = noise(16)
    with torch.no_grad():
        assert worst_cut(backbone, images, backbone(images)) > 100 * TOLERANCE


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(2)


def test_the_invariant_fails_where_a_residual_connection_is_cut() -> None:
    backbone = toy()
    images = noise(32)
    with torch.no_grad():
        expected = backbone(images)
        block = backbone.module.layer2
        hidden = block.conv(backbone.prefix(2)(images))
        wrong = backbone.suffix(3)(CutInABlock(block)(hidden))
    assert gap(wrong, expected) > 100 * TOLERANCE


def test_random_statistics_are_what_makes_a_wrong_mode_visible() -> None:
    backbone = toy()
    images = noise(32)
    with torch.no_grad():
        assert gap(copy.deepcopy(backbone).train()(images), backbone(images)) > 100 * TOLERANCE


def test_pixels_may_come_as_bytes_or_as_fractions() -> None:
    backbone = toy()
    images = noise(32)
    with torch.no_grad():
        torch.testing.assert_close(backbone(images), backbone(images / 255))


@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224"])
def test_pooled_features_of_every_stage_and_the_last_is_the_output(name: str) -> None:
    backbone = timm.load(name, weights=False)
    images = noise(backbone.info.preprocessing.size)
    with torch.no_grad():
        features = backbone.pooled(images)
        assert len(features) == backbone.depth == len(backbone.info.stages)
        torch.testing.assert_close(features[-1], backbone(images))
        for k, pooled in enumerate(features, 1):
            hidden = backbone.prefix(k)(images)
            assert tuple(hidden.shape[1:]) == backbone.activation_shape(k)
            tokens = hidden if hidden.dim() == 3 else hidden.flatten(2).transpose(1, 2) if hidden.dim() == 4 else None
            expected = hidden if tokens is None else tokens.mean(1)
            torch.testing.assert_close(pooled, expected, rtol=1e-4, atol=1e-5)
            assert pooled.dtype == torch.float32


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224"])
def test_channels_last_networks_are_pooled_over_space(name: str) -> None:
    backbone = timm.load(name, weights=False)
    widths = [features.shape[1] for features in backbone.pooled(noise(224, n=1))]
    assert widths == [96, 96, 192, 384, 768]


def test_depth_is_a_number_or_the_name_of_the_last_frozen_stage() -> None:
    backbone = toy()
    assert backbone.info.stages == ("stem", "layer1", "layer2", "layer3")
    assert [backbone.resolve(depth) for depth in (0, "0", 3, "3", "stem", "layer2", " layer3 ")] == [
        0,
        0,
        3,
        3,
        1,
        3,
        4,
    ]
    for wrong in (5, "-1", -1):
        with pytest.raises(BadOption, match="0 to 4 frozen stages"):
            backbone.resolve(wrong)
    with pytest.raises(UnknownName, match="did you mean layer1"):
        backbone.resolve("layr1")
    for method in (backbone.prefix, backbone.suffix, backbone.activation_shape):
        with pytest.raises(BadOption):
            method(5)


def test_the_empty_prefix_and_suffix_are_the_identity() -> None:
    backbone = toy()
    images = noise(32)
    assert backbone.prefix(0)(images) is images
    features = torch.ones(2, 24)
    assert backbone.suffix(backbone.depth)(features) is features


def test_both_sides_share_the_networks_tensors() -> None:
    backbone = toy()
    with torch.no_grad():
        backbone.module.layer1.conv.weight.zero_()
    assert not backbone.prefix(2).get_submodule("1.module.layer1.conv").weight.any()
    state = backbone.state_dict()
    assert all(name.startswith("module.") for name in state)
    assert len(state) == len(backbone.module.state_dict())


def test_training_the_suffix_leaves_the_prefix_as_it_was() -> None:
    backbone = toy()
    prefix, suffix = backbone.prefix(2).eval(), backbone.suffix(2).train()
    assert not any(part.training for part in prefix.modules())
    before = {name: tensor.clone() for name, tensor in prefix.state_dict().items()}
    behind = {name: tensor.clone() for name, tensor in suffix.state_dict().items()}
    optimiser = torch.optim.SGD(suffix.parameters(), lr=0.1)
    for _ in range(2):
        with torch.no_grad():
            hidden = prefix(noise(32))
        suffix(hidden).square().mean().backward()
        optimiser.step()
    for name, tensor in prefix.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    moved = {name for name, tensor in suffix.state_dict().items() if not torch.equal(tensor, behind[name])}
    assert {"0.module.layer2.bn.running_mean", "0.module.layer2.conv.weight"} <= moved


@pytest.mark.parametrize(
    "options", [{"drop_path_rate": 0.9}, {"drop_rate": 0.5}, {"proj_drop_rate": 0.5}, {"attn_drop_rate": 0.5}]
)
def test_dropout_and_drop_path_follow_the_mode_of_the_suffix(options: dict[str, float]) -> None:
    module = seeded(0, partial(library.create_model, "vit_tiny_patch16_224", num_classes=0, img_size=64, **options))
    backbone = Backbone(module, info(64))
    prefix, suffix = backbone.prefix(3).eval(), backbone.suffix(3).train()
    images = noise(64)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        hidden = prefix(images)
        assert torch.equal(hidden, prefix(images))
        assert not torch.equal(suffix(hidden), suffix(hidden))
        suffix.eval()
        assert torch.equal(suffix(hidden), suffix(hidden))


def test_a_functional_dropout_in_the_network_itself_follows_the_mode_too() -> None:
    # Traced, its `training` argument would be what it was at tracing, for ever.
    module = library.create_model("efficientnet_lite0", num_classes=0, drop_rate=0.5)
    backbone = Backbone(module, info(64))
    images = noise(64)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert torch.equal(backbone(images), backbone(images))
        hidden = backbone.prefix(3)(images)
        suffix = backbone.suffix(3).train()
        (last,) = [part for name, part in suffix.named_modules() if name.endswith("follows_dropout")]
        assert last.training
        for part in suffix.modules():
            if part is not last:
                part.training = False
        assert (suffix(hidden) == 0).float().mean() > 0.3


def test_a_digest_names_what_the_prefix_computes_with() -> None:
    first, again, other = toy(), toy(), toy(seed=1)
    assert first.digest() == again.digest() == first.copy().digest()
    assert first.digest() != other.digest()
    assert len({first.digest(k) for k in range(first.depth + 1)}) == first.depth + 1
    with torch.no_grad():
        first.module.layer2.bn.running_var.add_(1)
    assert first.digest(2) == again.digest(2)
    assert first.digest(3) != again.digest(3)
    assert toy().known_as(info()).digest(1) == again.digest(1)
    brighter = info().__class__(**{**_fields(), "preprocessing": info().preprocessing.__class__(32, mean=(0, 0, 0))})
    assert toy().known_as(brighter).digest(1) != again.digest(1)


def _fields() -> dict[str, object]:
    plain = info()
    return {name: getattr(plain, name) for name in plain.__slots__}


def test_a_copy_shares_its_own_tensors_with_its_own_stages() -> None:
    backbone = toy()
    images = noise(32)
    with torch.no_grad():
        expected = backbone(images)
        twin = backbone.copy()
        for parameter in twin.module.parameters():
            parameter.zero_()
        assert torch.equal(backbone(images), expected)
        assert not torch.equal(twin(images), expected)


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto"])
def test_fresh_is_the_same_network_from_a_seed_and_leaves_the_global_generator_alone(name: str) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    backbone = timm.load(name, weights=False, seed=3)
    one, same, other = backbone.fresh(1), backbone.fresh(1), backbone.fresh(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert one.digest() == same.digest() != other.digest()
    assert one.info.stages == backbone.info.stages
    assert one.info.prior is None
    assert one.info.source == "random initialisation"


def test_every_block_of_a_fresh_network_does_something() -> None:
    fresh = timm.load("resnet18", weights=False).fresh(0)
    gains = [part.weight for part in fresh.module.modules() if isinstance(part, nn.BatchNorm2d)]
    assert all(bool((gain == 1).all()) for gain in gains)


def test_what_nobody_can_build_anew_says_so() -> None:
    with pytest.raises(WeightsError, match="cannot be built"):
        toy().fresh(0)


def test_moving_to_another_type_moves_every_stage_and_keeps_the_pixels_exact() -> None:
    backbone = timm.load("vit_tiny_patch16_224", weights=False)
    images = noise(224, n=1)
    with torch.no_grad():
        expected = backbone(images)
        half = backbone.copy().to(torch.bfloat16)
        assert half.input.mean.dtype == torch.float32
        assert half.prefix(1)(images).dtype == torch.bfloat16
        assert half.pooled(images)[0].dtype == torch.float32
        assert gap(half(images).float(), expected) < 0.1
        torch.testing.assert_close(half.to(torch.float32)(images), expected, rtol=0.1, atol=0.1)
        assert gap(backbone.copy().to(memory_format=torch.channels_last)(images), expected) <= TOLERANCE


def test_measuring_shapes_changes_neither_mode_nor_statistics() -> None:
    backbone = toy()
    backbone.train()
    backbone.module.layer3.eval()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    assert backbone.activation_shape(0) == (3, 32, 32)
    assert [backbone.activation_shape(k) for k in (1, 2, 3, 4)] == [(8, 16, 16), (8, 16, 16), (16, 8, 8), (24,)]
    assert backbone.module.layer2.training
    assert not backbone.module.layer3.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.state_dict().items())
