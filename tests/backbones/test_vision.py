"""Networks of transformers: what its own classifier reads, cut at every depth; its own preprocessing; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbones import catalogue, snapshot, vision
from headstart.base.errors import MissingExtra, WeightsError
from tests.backbones import published
from tests.backbones.networks import (
    TOLERANCE,
    gap,
    noise,
    normalised,
    randomise,
    worst_cut,
    worst_cut_in_training,
)

transformers = pytest.importorskip("transformers")

SMALL = {"hidden_size": 24, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 48, "patch_size": 8}
FAMILIES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "vit": ("ViT", "ViT", {**SMALL, "image_size": 32}, {}),
    "resnet": (
        *("ResNet", "ConvNext"),
        {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 1, 1, 1], "layer_type": "basic"},
        {"size": {"shortest_edge": 64}, "crop_pct": 0.875},
    ),
    "deit": ("DeiT", "DeiT", {**SMALL, "image_size": 32}, {"crop_size": 32, "size": 40}),
    "dinov2": ("Dinov2", "Bit", {**SMALL, "image_size": 32, "mlp_ratio": 2}, {"crop_size": 32, "size": 40}),
    "beit": (
        *("Beit", "Beit", {**SMALL, "image_size": 32, "use_relative_position_bias": True}),
        {"size": {"height": 32, "width": 32}, "do_center_crop": False},
    ),
    "swin": (
        *("Swin", "ViT"),
        {"embed_dim": 12, "depths": [1, 2, 2, 1], "num_heads": [2, 2, 2, 2], "window_size": 4, "image_size": 128},
        {"size": {"height": 128, "width": 128}},
    ),
    "convnext": (
        *("ConvNext", "ConvNext", {"hidden_sizes": [8, 12, 16, 24], "depths": [1, 1, 2, 1]}),
        {"size": {"shortest_edge": 64}},
    ),
    "mobilenet_v2": (
        *("MobileNetV2", "MobileNetV2", {"depth_multiplier": 0.25}),
        {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}},
    ),
    "mobilevit": (
        *("MobileViT", "MobileViT"),
        {"image_size": 64, "hidden_sizes": [16, 24, 32], "neck_hidden_sizes": [8, 8, 12, 16, 24, 32, 48]},
        {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}},
    ),
    "efficientnet": (
        *("EfficientNet", "EfficientNet", {"width_coefficient": 0.25, "depth_coefficient": 0.3, "hidden_dim": 320}),
        {"size": {"height": 64, "width": 64}, "crop_size": {"height": 64, "width": 64}},
    ),
    "regnet": (
        *("RegNet", "ConvNext", {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 1, 1, 1]}),
        {"groups_width": 4, "size": {"shortest_edge": 64}},
    ),
}
FAST = ("vit", "resnet")
CHOSEN = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]


def library(family: str, folder: Path) -> tuple[Any, Any]:
    """The library's own classifier and processor, small, and saved in a folder."""
    model, processor, options, prepared = FAMILIES[family]
    prepared = dict(prepared)
    groups = {"groups_width": prepared.pop("groups_width")} if "groups_width" in prepared else {}
    config = getattr(transformers, f"{model}Config")(**options, **groups)
    config.id2label = {i: f"class {i}" for i in range(5)}
    config.label2id = {name: i for i, name in config.id2label.items()}
    with torch.random.fork_rng():
        torch.manual_seed(2)
        made = randomise(getattr(transformers, f"{model}ForImageClassification")(config)).eval()
    size = {"size": {"height": 32, "width": 32}} if not prepared else {}
    kind = getattr(transformers, f"{processor}ImageProcessor")(**{**size, **prepared})
    return published.saved(made, kind, folder), kind


@pytest.mark.parametrize("family", CHOSEN)
def test_every_cut_of_a_family_computes_what_its_classifier_reads(family: str, tmp_path: Path) -> None:
    original, _ = library(family, tmp_path)
    backbone = catalogue.load(f"local:{tmp_path}")
    images = noise(backbone.info.preprocessing.size, n=2)
    x = normalised(images, backbone.info.preprocessing)
    if backbone.info.config and backbone.info.config["flip"]:
        x = x.flip(1)
    read: list[torch.Tensor] = []
    (head,) = [part for part in original.modules() if isinstance(part, nn.Linear) and part.out_features == 5]
    head.register_forward_pre_hook(lambda _, given: read.append(given[0].flatten(1)))
    with torch.no_grad():
        original(x)
        assert gap(backbone(images), read[0]) <= TOLERANCE
        assert worst_cut(backbone, images, read[0]) <= TOLERANCE
    for part in backbone.modules():
        for name in ("p", "drop_prob", "attention_dropout", "dropout_prob"):
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, 0.0)
    assert worst_cut_in_training(backbone, images) <= TOLERANCE
    assert 4 <= backbone.depth <= 16
    assert backbone.info.licence == "MIT"
    assert backbone.fresh(1).info.stages == backbone.info.stages


def test_a_network_that_its_own_library_cannot_run_is_refused_in_words(tmp_path: Path) -> None:
    config = transformers.SwinConfig(
        embed_dim=12, depths=[1, 1, 1, 1], num_heads=[2, 2, 2, 2], window_size=4, image_size=64
    )
    processor = transformers.ViTImageProcessor(size={"height": 64, "width": 64})
    published.saved(transformers.SwinForImageClassification(config).eval(), processor, tmp_path)
    with pytest.raises(WeightsError, match="does not run on pictures of 64 x 64 pixels"):
        catalogue.load(f"local:{tmp_path}")


@pytest.mark.parametrize("family", CHOSEN)
def test_pictures_are_prepared_as_the_library_prepares_them(family: str, tmp_path: Path) -> None:
    _, processor = library(family, tmp_path)
    prepared = snapshot.describe(snapshot.of_folder(tmp_path)).preprocessing
    resized = int(prepared.size / prepared.crop)
    picture = noise(resized, n=1)[0]
    found = processor(np.moveaxis(picture.numpy(), 0, -1), return_tensors="pt")["pixel_values"][0]
    edge = round((resized - prepared.size) / 2)
    ours = normalised(picture[:, edge : edge + prepared.size, edge : edge + prepared.size], prepared)
    flip = family == "mobilevit"
    assert gap(ours.flip(0) if flip else ours, found) < 1e-5


def test_a_checkpoint_without_its_head_and_one_of_an_older_library(tmp_path: Path) -> None:
    original = published.vit(tmp_path / "bare", head=False)
    backbone = catalogue.load(f"local:{tmp_path / 'bare'}")
    images = noise(32)
    with torch.no_grad():
        expected = original(normalised(images, backbone.info.preprocessing)).last_hidden_state[:, 0]
        assert gap(backbone(images), expected) <= TOLERANCE


def test_a_pickled_file_is_read_as_tensors_or_refused(tmp_path: Path) -> None:
    file = "pytorch_model.bin"
    published.vit(tmp_path / "net", weights=file)
    assert catalogue.load(f"local:{tmp_path / 'net'}").depth == 5
    torch.save({"layer": Harmful()}, tmp_path / "net" / file)
    with pytest.raises(WeightsError, match="would run its code"):
        catalogue.load(f"local:{tmp_path / 'net'}")
    assert not (tmp_path / "ran").exists()


class Harmful:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("run",)


def test_nothing_in_a_configuration_names_code(tmp_path: Path) -> None:
    published.vit(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "evil.py").write_text("raise SystemExit('run')")
    config |= {
        "auto_map": {"AutoModelForImageClassification": "evil.Model"},
        "_attn_implementation": "someone/kernel",
        "quantization_config": {"quant_method": "bitsandbytes"},
        "vision_config": {"attn_implementation": "someone/kernel"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    info = snapshot.describe(snapshot.of_folder(tmp_path))
    text = json.dumps(info.config)
    assert not [word for word in ("evil", "kernel", "bitsandbytes") if word in text]
    assert catalogue.load(f"local:{tmp_path}").depth == 5


def test_missing_and_damaged_tensors_are_named(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    published.vit(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    name = next(key for key in state if "norm" in key and key.endswith("weight"))
    save_file({key: value for key, value in state.items() if key != name}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="missing"):
        catalogue.load(f"local:{tmp_path}")
    save_file({**state, name: state[name] * float("nan")}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="not finite"):
        catalogue.load(f"local:{tmp_path}")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "bert"}, "no image network"),
        ({"model_type": "no_such_family"}, "Unrecognized model"),
        ({"hidden_size": -3}, "cannot be built"),
    ],
)
def test_what_is_no_image_network_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    published.vit(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(WeightsError, match=words):
        catalogue.load(f"local:{tmp_path}")


@pytest.mark.parametrize(
    "processor",
    [
        {},
        {"size": 32},
        {"size": {"longest": 3}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
        {"size": 32, "image_mean": [0.5], "image_std": [0.5]},
        {"size": 32, "image_mean": [0.5] * 3, "image_std": [0.0] * 3},
        {"size": 10**9, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
        {"size": 32, "image_mean": 7, "image_std": None},
    ],
)
def test_a_processor_that_says_too_little_is_refused(processor: dict[str, Any]) -> None:
    with pytest.raises(WeightsError, match="how pictures are prepared"):
        vision.preprocessing(processor, "somewhere")


def test_without_the_library_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers.utils", None)
    with pytest.raises(MissingExtra) as caught:
        vision.build({"model": {"model_type": "vit"}, "size": 32}, "vit")
    assert "headstart[hf]" in caught.value.next_move
