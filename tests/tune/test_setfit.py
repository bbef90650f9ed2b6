"""Contrastive fine-tuning for few labels: which pairs there are, what is minimised, what it does to features."""

from dataclasses import replace

import numpy as np
import pytest
import small
import small_texts
import torch
from torch.nn import functional

from headstart.base.errors import BadOption
from headstart.base.work import Batch
from headstart.choose import job
from headstart.features.store import Store
from headstart.tune import limits, setfit


@pytest.fixture
def setting(tmp_path):
    return small_texts.setting(Store(tmp_path / "store"), small.CPU, count=48, train=0.5)


def first_fit(setting, **given):
    return next(setfit.plan(setting, **{"epochs": 3, "batch_size": 16} | given))


def test_every_item_meets_one_of_its_class_and_one_of_another(setting):
    stream = first_fit(setting).stream
    classes = setting.targets
    for epoch in range(3):
        pairs = stream.pairs(epoch)
        assert len(pairs) == 2 * len(setting.train)
        assert set(pairs[:, :2].ravel()) <= set(setting.train.tolist()), "no held-out item is in a pair"
        assert all(first != second for first, second, _ in pairs)
        assert all((classes[first] == classes[second]) == bool(alike) for first, second, alike in pairs)
        assert sorted(pairs[pairs[:, 2] == 1, 0]) == sorted(pairs[pairs[:, 2] == 0, 0]) == setting.train.tolist()
    assert np.array_equal(stream.pairs(1), stream.pairs(1)) and not np.array_equal(stream.pairs(1), stream.pairs(2))


def test_a_class_of_one_item_meets_others_only(setting):
    alone = setting.targets.copy()
    alone[setting.train] = 1
    alone[setting.train[0]] = 0
    pairs = first_fit(replace(setting, targets=alone)).stream.pairs(0)
    assert {int(alike) for first, _, alike in pairs if first == setting.train[0]} == {0}


def test_batches_hold_each_item_once_and_can_be_begun_in_the_middle(setting):
    stream = first_fit(setting).stream
    whole, rest = list(stream.batches(1)), list(stream.batches(1, 2))
    assert len(whole) == len(stream) == 6
    for one, other in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.inputs, other.inputs) and torch.equal(one.targets, other.targets)
    rows = []
    for one in whole:
        assert len(set(one.index)) == len(one.index) == len(one.inputs)
        first, second, alike = one.targets.numpy().T
        rows += list(zip(one.index[first], one.index[second], alike, strict=True))
    assert sorted(map(tuple, stream.pairs(1))) == sorted(rows)


def test_the_loss_is_that_of_cosines_pair_by_pair(setting):
    features = torch.randn(5, 7)
    targets = torch.tensor([[0, 1, 1], [2, 3, 0], [4, 0, 0]])
    batch = Batch(features, targets, np.arange(5))
    expected = [
        (float(functional.cosine_similarity(features[a], features[b], dim=0)) - float(alike)) ** 2
        for a, b, alike in targets
    ]
    found = setfit.objective(torch.nn.Identity(), batch)["cosine"]
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-5)


def cosines(features, classes):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    alike = classes[:, None] == classes[None]
    apart = ~alike
    np.fill_diagonal(alike, False)
    return (unit @ unit.T)[alike].mean() - (unit @ unit.T)[apart].mean()


def test_held_out_items_of_one_class_come_closer_than_those_of_two(setting):
    before = setting.frozen.pooled(setting.frozen.backbone.depth)[setting.held]
    tuned = small.tune("setfit", setting, epochs=8, batch_size=16, rate=3e-3)
    with torch.inference_mode():
        after = tuned.network.backbone(setting.frozen.pixels[setting.held]).numpy()
    classes = setting.targets[setting.held]
    assert cosines(after, classes) > cosines(before, classes) + 0.2
    assert tuned.curve[-1]["cosine"] < 0.5 * tuned.curve[0]["cosine"]
    assert small.accuracy(tuned, setting) >= small.accuracy(small.tune("probe", setting), setting)


def test_its_rate_is_that_of_the_kind_of_network(setting, tmp_path):
    assert first_fit(setting).detail["rate"] == pytest.approx(5e-5)
    pictures = small.setting(Store(tmp_path / "pictures"), small.CPU)
    assert first_fit(pictures).detail["rate"] == pytest.approx(5e-4)


def test_only_classes_make_pairs(tmp_path):
    for kind in ("regression", "multilabel"):
        numbers = small.setting(Store(tmp_path / kind), small.CPU, task=kind)
        with pytest.raises(BadOption, match=f"setfit is not for {kind}") as caught:
            next(setfit.plan(numbers))
        assert "classification" in caught.value.expected
    with pytest.raises(BadOption, match="setfit is not for regression"):
        job._check_task("setfit", "regression")
    job._check_task("setfit", "classification")
    job._check_task("auto", "regression")
    limits.check_task("regression", None, "full")


def test_it_refits_without_held_out_items_to_the_last_epoch(setting):
    everything = replace(setting, train=np.arange(48), held=np.array([], dtype=np.int64), name="all/")
    tuned = small.tune("setfit", everything, epochs=4, batch_size=16, rate=3e-3)
    assert tuned.epoch == 4 and tuned.outputs.shape == (0, 3)
    with torch.inference_mode():
        outputs = tuned.network(setting.frozen.pixels[np.arange(48)]).numpy()
    assert (outputs.argmax(1) == setting.targets).mean() > 0.9
