"""Pretraining without labels: its features beat a random network's on classes never seen, and a collapse is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from headstart.base.errors import BadSource, DataError
from headstart.base.work import Batch, Outcome
from headstart.engine.drive import drive
from headstart.pretrain import selfsup
from headstart.pretrain.patterns import strokes
from tests.pretrain.few import few_shot, settled

SMALL = {"architecture": "embedded/resnet10-16-32-64", "size": 32, "batch_size": 64}


def drawings(classes: range, each: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Line drawings (n, 3, size, size) and their classes."""
    parts = [strokes.render(number, range(each), size=48, seed=3) for number in classes]
    images = torch.from_numpy(np.concatenate(parts)).float()
    shown = functional.interpolate(images, size=(size, size), mode="area") if size != 48 else images
    return shown.to(torch.uint8).numpy(), np.repeat(np.arange(len(classes)), each)


def pictures(count: int) -> list[np.ndarray]:
    images, _ = drawings(range(count // 2), 2, 48)
    return list(np.ascontiguousarray(images.transpose(0, 2, 3, 1)))


@pytest.mark.slow
def test_features_learnt_without_labels_beat_random_ones_on_classes_never_seen() -> None:
    made = drive(selfsup.plan(pictures(480), **SMALL, epochs=30, seed=0))
    images, labels = drawings(range(400, 410), 25, 32)
    ours = few_shot(made.backbone, images, labels)
    random = few_shot(settled(made.backbone.fresh(0), images), images, labels)
    assert min(ours) > max(random)
    assert np.mean(ours) > np.mean(random) + 0.08
    health = made.card["health"]
    assert health["effective_rank"] > 5
    assert health["recognition"] > 5 * health["guessing"]
    assert not made.card["findings"]
    assert json.dumps(made.card)


def first_fit(count: int = 40, **given: object):
    return next(selfsup.plan(pictures(count), **{**SMALL, **given}))


def test_the_objective_names_its_two_terms_and_reaches_every_parameter() -> None:
    fit = first_fit()
    terms = fit.phases[0].objective(fit.model, next(fit.stream.batches(0)))
    assert set(terms) == {"alignment", "uniformity"}
    sum(terms.values()).backward()
    assert all(parameter.grad is not None for parameter in fit.model.parameters())


def test_views_are_pure_in_the_seed_and_mirrored_only_when_asked() -> None:
    once, again = first_fit(seed=1), first_fit(seed=1)
    assert torch.equal(next(once.stream.batches(0)).inputs, next(again.stream.batches(0)).inputs)
    plain, mirrored = (next(first_fit(mirror=flag, strength=0.0).stream.batches(0)).inputs for flag in (False, True))
    turned = [torch.equal(one, other.flip(2)) for one, other in zip(plain, mirrored, strict=True)]
    same = [torch.equal(one, other) for one, other in zip(plain, mirrored, strict=True)]
    assert all(one or other for one, other in zip(turned, same, strict=True))
    assert 0.2 < np.mean(turned) < 0.8


def test_training_and_judging_share_no_picture() -> None:
    fit = first_fit()
    judged = {int(i) for batch in fit.held_out.stream.batches(0) for i in batch.index}
    trained = {int(i) for epoch in range(5) for batch in fit.stream.batches(epoch) for i in batch.index}
    assert judged
    assert not judged & trained


def test_a_collapse_is_seen_without_any_label() -> None:
    rng = np.random.default_rng(0)
    good = selfsup.health(np.tile(rng.normal(size=(30, 24)), (2, 1)), 8)
    assert good["recognition"] == 1
    line = np.outer(rng.normal(size=30), np.ones(16)) + 5
    flat = selfsup.health(np.concatenate([np.ones((60, 8)), np.tile(line, (2, 1))], axis=1), 8)
    assert flat["effective_rank"] == pytest.approx(1, abs=1e-6)
    assert flat["loss"] == pytest.approx(0, abs=1e-5)
    plan = selfsup.plan(pictures(40), **SMALL)
    next(plan)
    with pytest.raises(StopIteration) as stop:
        plan.send(Outcome("selfsup", 1, 1, flat, None, [], 1.0, 1))
    assert any("collapsed" in finding for finding in stop.value.value.card["findings"])


def test_the_result_is_the_network_alone_and_says_that_there_were_no_labels() -> None:
    plan = selfsup.plan(pictures(40), **SMALL)
    fit = next(plan)
    with pytest.raises(StopIteration) as stop:
        plan.send(Outcome("selfsup", 1, 1, {"effective_rank": 9.0}, None, [], 1.0, 1))
    made = stop.value.value
    assert made.backbone.info.source == "36 pictures without labels, from memory"
    views = next(fit.stream.batches(0)).inputs
    with torch.no_grad():
        expected = fit.model.eval()(views)[:, fit.model.width :]
        torch.testing.assert_close(made.backbone(views), expected, rtol=1e-4, atol=1e-5)
    assert not any("projector" in name for name in made.backbone.module.state_dict())


def test_an_incomplete_second_half_cannot_come_into_the_objective() -> None:
    fit = first_fit(count=50, batch_size=16)
    for batch in fit.stream.batches(0):
        assert isinstance(batch, Batch)
        assert len(batch.inputs) == 32


def test_folders_are_read_flat_or_deep_and_copies_count_once(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for number, picture in enumerate(pictures(40)):
        to = tmp_path / ("deep/er" if number % 2 else ".") / f"{number}.png"
        Image.fromarray(picture).save(to)
        if number < 3:
            Image.fromarray(picture).save(tmp_path / f"copy{number}.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    plan = selfsup.plan(str(tmp_path), **SMALL)
    next(plan)
    with pytest.raises(StopIteration) as stop:
        plan.send(Outcome("selfsup", 1, 1, {}, None, [], 1.0, 1))
    assert stop.value.value.card["data"] | {"sha256": ""} == {
        "sha256": "",
        "train": 36,
        "held_out": 4,
        "skipped": 1,
        "copies": 3,
    }


def test_too_few_pictures_or_too_many_broken_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few to learn from"):
        selfsup.plan(pictures(20), **SMALL)
    with pytest.raises(BadSource):
        selfsup.plan(str(tmp_path), **SMALL)
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="4 of 4 pictures cannot be read"):
        selfsup.plan(str(tmp_path), **SMALL)
