"""Where a network looked: at the planted corner if it has learnt it, and at no place in particular if it has not."""

import builtins

import numpy as np
import pytest
import timm
import torch
from torch import nn

from headstart.backbones.chain import Backbone
from headstart.base.errors import BadOption, MissingExtra
from headstart.features import attribution
from headstart.features.network import Network
from tests import small
from tests.backbones.networks import info, randomise

pytest.importorskip("captum")

SIDE = 32
CORNERS = {0: (slice(0, 12), slice(0, 12)), 1: (slice(20, 32), slice(20, 32))}


def planted(n, seed, corner):
    """Noise everywhere; in one corner stripes, upright for one class and lying for the other."""
    draw = np.random.default_rng(seed)
    pictures = draw.integers(0, 256, (n, 1, SIDE, SIDE)).repeat(3, axis=1).astype(np.uint8)
    labels = np.arange(n) % 2
    stripes = np.where(np.arange(12) % 4 < 2, 230, 30).astype(np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[(slice(None), *CORNERS[corner])] = stripes[:, None] if label else stripes[None, :]
    return torch.from_numpy(pictures), labels


def trained(backbone, corner, taps=None, steps=150, rate=3e-3):
    pictures, labels = planted(256, 0, corner)
    width = sum(backbone.pooled_width(tap) for tap in taps or (backbone.depth,))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Network(backbone, nn.Linear(width, 2), taps).train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
        for step in range(steps):
            batch = np.arange(64) + 64 * (step % 4)
            loss = nn.functional.cross_entropy(network(pictures[batch]), torch.from_numpy(labels[batch]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


def towards(columns, classes=2):
    return np.eye(classes)[columns]


def share_in(maps, corner):
    """Share of the relevance in the quarter of the input that the corner lies in."""
    grown = nn.functional.interpolate(torch.from_numpy(maps)[:, None], size=(SIDE, SIDE), mode="nearest")[:, 0]
    half = slice(0, SIDE // 2) if corner == 0 else slice(SIDE // 2, SIDE)
    return float((grown[:, half, half].sum(dim=(1, 2)) / grown.sum(dim=(1, 2)).clamp(min=1e-9)).mean())


FAMILIES = {"convolutions": small.backbone, "transformer": small.transformer}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("corner", CORNERS)
def test_the_relevance_lies_where_the_class_is(family, corner):
    """Sanity checks for saliency maps (Adebayo et al. 2018): without its learnt weights the map must say nothing."""
    network = trained(FAMILIES[family](), corner)
    pictures, labels = planted(12, 1, corner)
    with torch.no_grad():
        assert (network(pictures).argmax(dim=1).numpy() == labels).mean() > 0.8, "it has learnt the task"
    found = attribution.relevance(network, pictures, towards(labels))
    assert found.maps.shape[0] == 12 and found.maps.min() >= 0 and found.maps.max() == 1
    random = [attribution.relevance(untrained(family, seed), pictures, towards(labels)) for seed in range(5)]
    blind = np.mean([share_in(each.maps, corner) for each in random])
    assert share_in(found.maps, corner) > 0.45
    assert blind < 0.35, "a quarter of it by chance"


def untrained(family, seed):
    backbone = FAMILIES[family](seed + 10)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Network(backbone, nn.Linear(backbone.info.width, 2)).eval()


def test_one_linear_layer_on_pooled_features_says_exactly_what_each_place_added():
    """There Grad-CAM is the class activation map (Zhou et al. 2016): its places add up to the output without bias."""
    backbone = small.backbone()
    taps = (2, 3)
    network = Network(backbone, nn.Linear(sum(map(backbone.pooled_width, taps)), 3), taps).eval()
    pictures, _ = planted(4, 0, 0)
    columns = np.array([0, 1, 2, 1])
    with torch.no_grad():
        wanted = (network(pictures) - network.head.bias)[np.arange(4), columns].numpy()
        hidden, cams = pictures, []
        for stage in (1, 2, 3):
            hidden = backbone.stages[stage - 1](hidden)
            if stage in taps:
                start = sum(backbone.pooled_width(tap) for tap in taps if tap < stage)
                weight = network.head.weight[columns, start : start + hidden.shape[1]]
                cams.append(torch.einsum("nc,nchw->nhw", weight, hidden))
        assert sum(cam.mean(dim=(1, 2)) for cam in cams).numpy() == pytest.approx(wanted, abs=1e-4)
        finest = cams[0].shape[-1]
        total = sum(
            nn.functional.interpolate(cam[:, None], size=(finest, finest), mode="bilinear", align_corners=False)
            for cam in cams
        )[:, 0].numpy()
    either = attribution.relevance(network, pictures, towards(columns, 3), signed=False)
    np.testing.assert_allclose(either.maps, np.abs(total) / np.abs(total).max(axis=(1, 2), keepdims=True), atol=1e-4)
    signed = attribution.relevance(network, pictures, towards(columns, 3))
    np.testing.assert_allclose(
        signed.maps, np.maximum(total, 0) / total.max(axis=(1, 2), keepdims=True).clip(1e-9), atol=1e-4
    )
    assert signed.method == "Grad-CAM on the map of 2 stages"


WIDER = {
    "convnext_atto": (64, {}, "map"),
    "mobilenetv3_small_050": (64, {}, "map"),
    "resnet18": (64, {}, "map"),
    "swin_tiny_patch4_window7_224": (224, {"embed_dim": 24, "depths": (1, 1, 2, 1), "num_heads": (1, 2, 4, 8)}, "map"),
    "deit_tiny_distilled_patch16_224": (64, {"img_size": 64, "depth": 3}, "tokens"),
    "mixer_s32_224": (224, {}, "tokens"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDER)
def test_networks_of_many_families_have_a_map(name):
    size, given, kind = WIDER[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = randomise(timm.create_model(name, num_classes=0, **given))
        backbone = Backbone(module, info(size, name))
        network = Network(backbone, nn.Linear(backbone.info.width, 3)).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    pictures = torch.randint(0, 256, (5, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = attribution.relevance(network, pictures, towards([0, 1, 2, 0, 1], 3), signed=False)
    assert found.method == f"Grad-CAM on the {kind}"
    assert found.maps.shape == (5, *found.maps.shape[1:]) and found.maps.shape[1] == found.maps.shape[2] >= 2
    assert (found.maps.reshape(5, -1).max(axis=1) == 1).all() and (found.maps.std(axis=(1, 2)) > 0.01).all()
    again = attribution.relevance(network, pictures, towards([0, 1, 2, 0, 1], 3), signed=False)
    assert np.array_equal(found.maps, again.maps)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_nothing_is_left_behind_and_a_batch_changes_nothing():
    network = untrained("transformer", 0)
    pictures, labels = planted(6, 0, 0)
    whole = attribution.relevance(network, pictures, towards(labels)).maps
    alone = [attribution.relevance(network, pictures[i : i + 1], towards(labels[i : i + 1])).maps[0] for i in range(6)]
    np.testing.assert_allclose(whole, alone, atol=1e-4)
    assert not any(module._forward_hooks for module in network.modules())


def test_a_network_without_places_is_named():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3 * 64, 8), nn.Linear(8, 8)

        def forward(self, x):
            return torch.relu(self.second(torch.relu(self.first(x.flatten(1)))))

    network = Network(Backbone(Flat(), info(8, "test/flat")), nn.Linear(8, 2))
    with pytest.raises(BadOption, match="no map of places"):
        attribution.relevance(network, torch.zeros(1, 3, 8, 8, dtype=torch.uint8), towards([0]))


def test_without_captum_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name.split(".")[0] == "captum":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match="captum") as caught:
        attribution.relevance(untrained("convolutions", 0), planted(1, 0, 0)[0], towards([0]))
    assert "headstart[explain]" in str(caught.value)
