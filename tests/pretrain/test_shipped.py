"""The backbones in the package are the ones their descriptions speak of, and they are a head start."""

from __future__ import annotations

import importlib.resources
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load as read_safetensors
from torch import nn

from headstart.backbones import catalogue, embedded
from headstart.base import hashes
from headstart.measure import logistic
from headstart.pretrain import procedural
from tests.pretrain.heldout import CLASSES, scenes

SHIPPED = embedded.names()
FOLDER = importlib.resources.files("headstart.backbones") / "weights"


def description(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def test_a_procedural_backbone_is_shipped() -> None:
    assert "resnet10-procedural" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
class TestShipped:
    def test_the_file_has_the_digest_and_size_of_its_description(self, name: str) -> None:
        data = (FOLDER / f"{name}.safetensors").read_bytes()
        weights = description(name)["weights"]
        assert weights == {"sha256": hashes.of_bytes(data), "bytes": len(data)}
        assert len(data) < 20e6

    def test_convolutions_are_halved_and_norms_are_not(self, name: str) -> None:
        tensors = read_safetensors((FOLDER / f"{name}.safetensors").read_bytes())
        for tensor in tensors.values():
            if tensor.is_floating_point():
                assert tensor.dtype == (torch.float16 if tensor.dim() > 1 else torch.float32)
                assert torch.isfinite(tensor).all()

    def test_it_loads_strictly_into_its_architecture(self, name: str) -> None:
        backbone = catalogue.load(f"embedded/{name}")
        stored = read_safetensors((FOLDER / f"{name}.safetensors").read_bytes())
        assert set(stored) == set(backbone.module.state_dict())
        for key, value in backbone.module.state_dict().items():
            assert torch.equal(value, stored[key].to(value.dtype))

    def test_its_features_are_those_of_its_fingerprint(self, name: str) -> None:
        found = procedural.fingerprint(catalogue.load(f"embedded/{name}"))
        np.testing.assert_allclose(found, description(name)["card"]["fingerprint"], rtol=0.02, atol=0.002)

    def test_the_card_says_what_it_is_and_how_to_make_it_again(self, name: str) -> None:
        info, card = catalogue.describe(f"embedded/{name}"), description(name)["card"]
        assert info.source == card["source"] == "generated patterns, no photographs"
        assert info.licence == card["licence"] == "Apache-2.0"
        assert info.local
        recipe = procedural.PRESETS[card["preset"]]
        assert card["command"] == f"headstart pretrain procedural --preset {card['preset']} --seed {card['seed']}"
        assert card["recipe_sha256"] == recipe.digest, "the preset has changed since these weights were made"
        assert card["views"] == recipe.views
        assert card["curve"][-1]["cross_entropy"] < card["curve"][0]["cross_entropy"] - 1
        assert (FOLDER / f"{name}.md").is_file()

    @pytest.mark.slow
    def test_a_few_labels_of_an_unseen_task_go_much_further_than_on_a_random_copy(self, name: str) -> None:
        ours = few_shot(f"embedded/{name}", weights=True)
        random = few_shot(f"embedded/{name}", weights=False)
        assert np.mean(ours) > np.mean(random) + 0.25
        assert min(ours) > max(random)


def few_shot(name: str, *, weights: bool, shots: int = 5) -> list[float]:
    """Accuracy on held-out scenes of a logistic probe on frozen features, for three draws of the labelled ones."""
    found = []
    for seed in range(3):
        backbone = catalogue.load(name, weights=weights, seed=seed)
        images, labels = scenes(30, seed)
        if not weights:
            _settle_norms(backbone.module, backbone, torch.from_numpy(images))
        with torch.no_grad():
            features = backbone.eval()(torch.from_numpy(images)).numpy()
        taught = np.concatenate([np.flatnonzero(labels == label)[:shots] for label in range(CLASSES)])
        asked = np.setdiff1d(np.arange(len(labels)), taught)
        probe = logistic.fit(features[taught], labels[taught], classes=CLASSES, penalty=1.0, standardise=True)
        found.append(float((probe.outputs(features[asked]).argmax(1) == labels[asked]).mean()))
    return found


def _settle_norms(network: nn.Module, backbone: nn.Module, images: torch.Tensor) -> None:
    """Give a random network the BatchNorm statistics of the images; without, its features would be unfairly poor."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
            module.train()
    with torch.no_grad():
        backbone(images)
