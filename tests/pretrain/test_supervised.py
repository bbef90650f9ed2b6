"""Pretraining on a labelled source: what it learns carries over to a sibling task, and its card tells the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from headstart.backbones import catalogue, folder
from headstart.base.errors import BadOption, BadSource, TooFewExamples, UnknownName
from headstart.data import dataset
from headstart.data.opening import open_source
from headstart.engine.drive import drive
from headstart.pretrain import supervised
from tests.pretrain.few import few_shot, settled
from tests.pretrain.heldout import scenes

SMALL = {"architecture": "embedded/resnet10-16-32-64", "size": 32, "batch_size": 32, "strength": 0.3}


def source(per_class: int, kinds: tuple[int, ...] = (0, 1), seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scenes with a square or a ring beside a disc: eight classes. Those with a cross are the sibling task."""
    images, labels = scenes(per_class, seed)
    keep = np.isin(labels // 4, kinds)
    return images[keep], np.unique(labels[keep], return_inverse=True)[1]


def in_memory(images: np.ndarray, labels: np.ndarray) -> dict[str, list[np.ndarray]]:
    pictures = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return {f"class {label}": list(pictures[labels == label]) for label in np.unique(labels)}


@pytest.mark.slow
def test_a_source_task_is_a_head_start_on_its_sibling(tmp_path: Path) -> None:
    made = drive(supervised.plan(in_memory(*source(60)), **SMALL, epochs=30, seed=0))
    folder.write_folder(made.backbone, tmp_path, made.card, dtype=made.dtype)
    again = catalogue.load(f"local:{tmp_path}")
    images, labels = source(40, kinds=(2,), seed=90)
    ours = few_shot(again, images, labels)
    random = few_shot(settled(again.fresh(0), images), images, labels)
    assert min(ours) > max(random)
    assert np.mean(ours) > np.mean(random) + 0.1
    assert made.card["validation"]["accuracy"]["value"] > 0.25  # of eight classes
    assert json.dumps(made.card)


@pytest.fixture(scope="module")
def brief() -> supervised.Pretrained:
    return drive(supervised.plan(in_memory(*source(30)), **SMALL, epochs=2, seed=3))


def test_the_source_head_is_gone_and_the_facts_are_its_own(brief: supervised.Pretrained) -> None:
    info = brief.backbone.info
    assert info.width == 64
    assert info.preprocessing.size == 32
    assert info.licence == "your own"
    assert info.source == f"{brief.card['data']['train']:,} labelled pictures in 8 classes, from memory"
    fresh = catalogue.load(SMALL["architecture"], weights=False)
    assert set(brief.backbone.module.state_dict()) == set(fresh.module.state_dict())


def test_the_card_counts_what_was_used_and_what_was_left_alone(brief: supervised.Pretrained) -> None:
    data = brief.card["data"]
    assert data["train"] + data["validation"] + data["left_alone"] == 240
    assert data["left_alone"] > 0
    assert len(brief.card["curve"]) == 2
    assert brief.card["options"]["architecture"] == SMALL["architecture"]
    assert set(brief.card["validation"]) == {"log_loss", "accuracy", "balanced_accuracy"}
    assert len(brief.card["fingerprint"]) == 16


def test_the_test_part_of_a_later_fit_is_never_trained_on() -> None:
    given = in_memory(*source(30))
    data = dataset.build(open_source(given), seed=3)
    fit = next(supervised.plan(given, **SMALL, seed=3))
    assert fit.detail["data"] == data.digest
    tested = {data.digests[i] for i in data.test}
    assert tested
    for stream in (fit.stream, fit.held_out.stream):
        assert not tested & set(stream.pixels.digests)


def test_what_was_hardly_learnt_is_said() -> None:
    images, labels = source(30)
    shuffled = np.random.default_rng(0).permutation(labels)
    made = drive(supervised.plan(in_memory(images, shuffled), **SMALL, epochs=1))
    assert any("hardly learnt" in finding for finding in made.card["findings"])


def test_the_plan_is_pure_in_its_seed() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    given = in_memory(*source(6))
    once, again, other = (next(supervised.plan(given, **SMALL, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    for name, value in once.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name])
    assert torch.equal(next(once.stream.batches(0)).inputs, next(again.stream.batches(0)).inputs)
    assert once.detail == again.detail
    assert not torch.equal(once.model.head.weight, other.model.head.weight)


def test_classes_that_are_rare_count_as_much_as_common_ones() -> None:
    images, labels = source(40)
    keep = (labels > 0) | (np.arange(len(labels)) < 5)
    fit = next(supervised.plan(in_memory(images[keep], labels[keep]), **SMALL))
    outputs = torch.zeros(2, 8)
    outputs[:, 1] = 3.0

    class Same(torch.nn.Module):
        def forward(self, _: torch.Tensor) -> torch.Tensor:
            return outputs

    batch = next(fit.stream.batches(0))
    rare, common = (type(batch)(batch.inputs, torch.full((2,), each), batch.index) for each in (0, 2))
    objective = fit.phases[0].objective
    assert float(objective(Same(), rare)["cross_entropy"]) > 4 * float(objective(Same(), common)["cross_entropy"])


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"architecture": "embedded/resnet11"}, UnknownName, "resnet11"),
        ({"architecture": "local:somewhere"}, BadOption, "not a path"),
        ({"size": 8}, BadOption, "16 to 1024"),
        ({"architecture": "timm/vit_tiny_patch16_224", "size": 72}, BadOption, "cannot read pictures of 72"),
        ({"rate": 0.0}, BadOption, "rate"),
        ({"epochs": 0}, BadOption, "epochs"),
        ({"smoothing": 1.0}, BadOption, "smoothing"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(given: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        supervised.plan(in_memory(*source(4)), **{**SMALL, **given})


def test_a_source_that_is_none_is_refused_as_fit_does(tmp_path: Path) -> None:
    with pytest.raises(BadSource):
        supervised.plan(str(tmp_path / "nowhere"))
    (tmp_path / "only").mkdir()
    for number in range(5):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / "only" / f"{number}.png")
    with pytest.raises((TooFewExamples, BadSource)):
        supervised.plan(str(tmp_path))
