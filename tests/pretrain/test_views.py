"""The stream of a user's own pictures: what a batch holds, in which order, and how it continues."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.base import hashes
from headstart.base.vocabulary import Preprocessing
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.pretrain.augmentation import augment
from headstart.pretrain.views import Views


def vary(images: torch.Tensor, seed: int) -> torch.Tensor:
    return augment(images, 16, seed)


@pytest.fixture
def pixels(tmp_path: Path) -> Pixels:
    rng = np.random.default_rng(0)
    items = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(11)]
    return Pixels(items, [hashes.of_bytes(each.tobytes()) for each in items], Preprocessing(size=16), Store(tmp_path))


def test_an_epoch_shows_every_picture_once_but_an_incomplete_batch(pixels: Pixels) -> None:
    stream = Views(pixels, np.arange(11), batch=4, seed=1)
    seen = np.concatenate([batch.index for batch in stream.batches(0)])
    assert len(stream) == 2
    assert len(set(seen.tolist())) == 8
    shown = {int(i) for epoch in range(9) for batch in stream.batches(epoch) for i in batch.index}
    assert shown == set(range(11))


def test_a_batch_holds_the_views_of_its_pictures_one_after_the_other(pixels: Pixels) -> None:
    batch = next(Views(pixels, np.arange(2, 10), batch=4, seed=1, vary=vary, views=2).batches(0))
    assert batch.inputs.shape == (8, 3, 16, 16)
    assert torch.equal(batch.targets[:4], batch.targets[4:])
    assert (batch.inputs[:4] != batch.inputs[4:]).float().mean() > 0.3
    assert set(batch.index.tolist()) <= set(range(2, 10))


def test_targets_are_those_of_the_pictures(pixels: Pixels) -> None:
    targets = np.arange(11) * 10
    for batch in Views(pixels, np.arange(11), batch=4, seed=1, targets=targets).batches(3):
        assert batch.targets.tolist() == (10 * batch.index).tolist()
        assert torch.equal(batch.inputs, pixels[batch.index])


@pytest.mark.parametrize("start", [0, 1, 2])
def test_an_epoch_continues_at_any_step(pixels: Pixels, start: int) -> None:
    stream = Views(pixels, np.arange(11), batch=4, seed=1, vary=vary, views=2)
    whole, rest = list(stream.batches(5)), list(stream.batches(5, start))
    assert len(rest) == len(whole) - start
    for ours, theirs in zip(rest, whole[start:], strict=True):
        assert torch.equal(ours.inputs, theirs.inputs)
    assert not torch.equal(whole[0].inputs, next(stream.batches(6)).inputs)


def test_judging_is_the_same_in_every_epoch_and_leaves_nothing_out(pixels: Pixels) -> None:
    stream = Views(pixels, np.arange(11), batch=4, seed=1, vary=vary, fixed=True)
    first, later = list(stream.batches(0)), list(stream.batches(7))
    assert np.concatenate([batch.index for batch in first]).tolist() == list(range(11))
    for ours, theirs in zip(first, later, strict=True):
        assert torch.equal(ours.inputs, theirs.inputs)
