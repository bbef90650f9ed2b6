"""Batches: pure in (seed, epoch); texts of about one length together; stored activations train what tokens train."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.engine.loop import outputs_of
from headstart.features import inference
from headstart.features.frozen import Augmentation
from headstart.features.network import Features
from headstart.features.store import Store
from headstart.features.streams import Judging, Training
from headstart.tune.setting import Setting
from tests import small_texts
from tests.small import CPU, tune

PLAIN = Augmentation(flip=False, strength=0.0)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return small_texts.setting(Store(tmp_path_factory.mktemp("store")), CPU, count=200, train=0.8)


def stream(given: Setting, depth: int = 2, size: int = 8) -> Training:
    return Training(given.frozen.at(depth, 1, PLAIN), given.train, given.targets, batch_size=size, seed=3)


def test_an_epoch_has_every_text_once_and_another_epoch_another_order(given: Setting) -> None:
    epochs = [[batch.index.tolist() for batch in stream(given).batches(epoch)] for epoch in (0, 0, 1)]
    assert epochs[0] == epochs[1] != epochs[2]
    for epoch in epochs:
        assert sorted(itertools.chain.from_iterable(epoch)) == given.train.tolist()
        assert len(epoch) == len(stream(given))


def test_a_fit_that_goes_on_in_the_middle_gets_the_batches_it_would_have_seen(given: Setting) -> None:
    everything = [batch.index.tolist() for batch in stream(given).batches(2)]
    assert [batch.index.tolist() for batch in stream(given).batches(2, start=5)] == everything[5:]


def test_texts_of_about_one_length_share_a_batch(given: Setting) -> None:
    sizes = given.frozen.pixels.sizes
    assert sizes is not None
    cost = sum(len(batch.index) * sizes[batch.index].max() for batch in stream(given).batches(0))
    shuffled = np.random.default_rng(0).permutation(given.train).reshape(-1, 8)
    assert cost < 0.75 * sum(8 * sizes[index].max() for index in shuffled)
    # Not sorted throughout: a short epoch does not begin with all the short ones.
    first = [sizes[batch.index].max() for batch in stream(given).batches(0)]
    assert first != sorted(first)


def test_a_batch_is_as_large_as_its_longest(given: Setting) -> None:
    extents = given.frozen.pixels.extents
    for batch in stream(given).batches(0):
        assert tuple(batch.inputs.shape[1:3]) == tuple(extents[batch.index].max(axis=0))


def test_a_rest_too_small_for_a_batch_is_not_always_the_longest(given: Setting) -> None:
    rows = given.train[:17]
    cut = Training(given.frozen.at(2, 1, PLAIN), rows, given.targets, batch_size=16, seed=0)
    left = {int(np.setdiff1d(rows, next(iter(cut.batches(epoch))).index)[0]) for epoch in range(12)}
    assert len(cut) == 1 and len(left) > 3


def test_held_out_outputs_come_back_in_the_items_own_order(given: Setting) -> None:
    backbone = given.frozen.backbone
    judging = Judging(given.frozen.at(2, 1, PLAIN), given.held, given.targets, batch_size=7)
    outputs, targets = outputs_of(backbone.suffix(2), judging, CPU)
    assert not np.array_equal(judging.order, np.arange(len(given.held)))
    assert targets.tolist() == given.targets[given.held].tolist()
    assert np.abs(outputs - given.frozen.pooled(backbone.depth)[given.held]).max() < 1e-5


def test_training_on_stored_activations_is_training_on_tokens(tmp_path: Path) -> None:
    with_room = small_texts.setting(Store(tmp_path / "a"), CPU)
    tokens = with_room.frozen.pixels.bytes
    without = small_texts.setting(Store(tmp_path / "b", limit=tokens), CPU)
    options = {"depth": 2, "rate": 1e-3, "epochs": 3, "batch_size": 8, "views": 1}
    assert with_room.frozen.at(2, 1, PLAIN).views == 1 and without.frozen.at(2, 1, PLAIN).views == 0
    stored, again = (tune("partial", each, **options) for each in (with_room, without))
    assert np.abs(stored.outputs - again.outputs).max() < 1e-4
    ones, others = (dict(each.network.named_parameters()) for each in (stored, again))
    # What is added to all keys alike changes no answer: its gradient is rounding, of which Adam makes whole steps.
    felt = [name for name in ones if not name.endswith("key.bias")]
    assert len(felt) < len(ones)
    assert max(float((ones[name] - others[name]).detach().abs().max()) for name in felt) < 1e-4
    before = small_texts.backbone().tensors(3)
    assert any(not torch.equal(before[name], tensor) for name, tensor in stored.network.backbone.tensors(3).items())


def test_predicting_many_texts_sorts_them_and_gives_them_back_in_order(given: Setting) -> None:
    backbone, pixels = given.frozen.backbone, given.frozen.pixels
    found = inference.outputs(
        Features(backbone), pixels.items, preprocessing=pixels.preprocessing, modality="texts", batch_size=4
    )
    assert np.abs(found - given.frozen.pooled(backbone.depth)).max() < 1e-5
