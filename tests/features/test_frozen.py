"""The frozen part: computed once, exact at every cut, the same bits however it was interrupted."""

import numpy as np
import pytest
import torch

from headstart.features.frozen import MIRROR, Augmentation, Frozen
from headstart.features.network import Network, Tail
from headstart.features.pixels import Pixels
from headstart.features.store import Store
from headstart.features.streams import Judging, Training

SETTINGS = Augmentation()


class Counting(torch.nn.Module):
    """Counts how many items pass through a stage."""

    def __init__(self, stage):
        super().__init__()
        self.stage, self.items = stage, 0

    def forward(self, x):
        self.items += len(x)
        return self.stage(x)


def test_pooled_features_equal_a_direct_pass(backbone, pixels, pictures, store, cpu):
    frozen = Frozen(backbone, pixels, store, cpu)
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = backbone.eval().pooled(x)
    for stage in range(1, backbone.depth + 1):
        np.testing.assert_allclose(frozen.pooled(stage), expected[stage - 1].numpy(), rtol=1e-4, atol=1e-5)


def test_a_second_reading_runs_nothing(backbone, pixels, store, cpu):
    Frozen(backbone, pixels, store, cpu).extract()
    counting = Counting(backbone.stages[0])
    again = backbone.copy()
    again.stages = (counting, *again.stages[1:])
    frozen = Frozen(backbone, pixels, Store(store.root), cpu)
    assert frozen.missing() == 0
    frozen.backbone = again
    assert frozen.pooled(1).shape[0] == len(pixels) and counting.items == 0


def test_interrupted_extraction_continues_to_the_same_bits(backbone, pixels, tmp_path, store, cpu):
    whole = Frozen(backbone, pixels, store, cpu).pooled(backbone.depth)
    other = Store(tmp_path / "other")
    some = Pixels(pixels.items[:40], pixels.digests[:40], pixels.preprocessing, other)
    Frozen(backbone, some, other, cpu).extract()
    rest = Frozen(backbone, Pixels(pixels.items, pixels.digests, pixels.preprocessing, other), other, cpu)
    assert 0 < rest.missing() <= 40
    assert np.array_equal(rest.pooled(backbone.depth), whole)


def test_mirrored_features_are_those_of_mirrored_pictures(backbone, pixels, pictures, digests, tmp_path, store, cpu):
    mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
    other = Store(tmp_path / "other")
    direct = Frozen(backbone, Pixels(mirrored, digests, pixels.preprocessing, other), other, cpu)
    frozen = Frozen(backbone, pixels, store, cpu)
    np.testing.assert_allclose(
        frozen.pooled(backbone.depth, MIRROR), direct.pooled(backbone.depth), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("limit", [8 * 2**30, 0])
def test_the_suffix_on_activations_is_the_network_at_every_cut(backbone, pictures, digests, tmp_path, cpu, limit):
    store = Store(tmp_path / f"store{limit}", limit=limit)
    pixels = Pixels(pictures, digests, backbone.info.preprocessing, store)
    frozen = Frozen(backbone, pixels, store, cpu)
    head = torch.nn.Linear(backbone.info.width, 3)
    network = Network(backbone, head).eval()
    rows = np.arange(16)
    with torch.inference_mode():
        expected = network(pixels[rows])
        for depth in range(backbone.depth + 1):
            activations = frozen.at(depth, 2, SETTINGS)
            assert activations.views == (0 if limit == 0 or depth == 0 else 2)
            hidden = activations.batch(rows, 0)
            got = Tail(backbone.suffix(depth), head).eval()(hidden)
            assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_views_differ_from_one_another_and_not_from_themselves(backbone, pixels, store, cpu):
    activations = Frozen(backbone, pixels, store, cpu).at(1, 3, SETTINGS)
    rows = np.arange(8)
    views = [activations.batch(rows, view) for view in range(3)]
    assert not torch.equal(views[0], views[1]) and not torch.equal(views[1], views[2])
    assert torch.equal(views[1], activations.batch(rows, 1))


def test_an_items_views_do_not_depend_on_the_items_beside_it(backbone, pixels, store, tmp_path, cpu):
    few = Pixels(pixels.items[30:41], pixels.digests[30:41], pixels.preprocessing, store)
    warm = Frozen(backbone, few, store, cpu).at(1, 2, SETTINGS).batch(np.arange(11), 1)
    among = Frozen(backbone, pixels, store, cpu).at(1, 2, SETTINGS).batch(np.arange(30, 41), 1)
    other = Store(tmp_path / "cold")
    cold = Frozen(backbone, Pixels(pixels.items, pixels.digests, pixels.preprocessing, other), other, cpu)
    assert torch.equal(warm, among)
    assert torch.allclose(warm, cold.at(1, 2, SETTINGS).batch(np.arange(30, 41), 1), rtol=1e-4, atol=1e-5)


def test_views_fall_to_what_the_limit_allows(backbone, pictures, digests, tmp_path, cpu):
    one = 4 * int(np.prod(backbone.activation_shape(1))) * len(pictures)
    store = Store(tmp_path / "tight", limit=int(2.5 * one))
    frozen = Frozen(backbone, Pixels(pictures, digests, backbone.info.preprocessing, store), store, cpu)
    assert frozen.at(1, 4, SETTINGS).views == 2


def test_extraction_changes_nothing_in_the_backbone(backbone, pixels, store, cpu):
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    frozen = Frozen(backbone, pixels, store, cpu)
    frozen.extract()
    frozen.at(2, 2, SETTINGS)
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())


def test_a_network_may_read_several_stages(backbone, pixels):
    widths = [features.shape[1] for features in backbone.pooled(pixels[[0]])]
    network = Network(backbone, torch.nn.Linear(widths[0] + widths[2], 2), taps=(1, 3)).eval()
    with torch.inference_mode():
        features = backbone.pooled(pixels[range(5)])
        expected = network.head(torch.cat([features[0], features[2]], dim=1))
        assert torch.allclose(network(pixels[range(5)]), expected, atol=1e-6)


def test_training_batches_cover_an_epoch_and_restart_anywhere(backbone, pixels, store, cpu):
    activations = Frozen(backbone, pixels, store, cpu).at(0, 1, SETTINGS)
    targets = np.arange(80) % 4
    stream = Training(activations, np.arange(10, 61), targets, batch_size=8, seed=5)
    batches = list(stream.batches(2))
    seen = np.concatenate([batch.index for batch in batches])
    assert len(batches) == len(stream) == 7 and sorted(seen) == list(range(10, 61))
    later = list(stream.batches(2, start=4))
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(batches[4:], later, strict=True))
    other = np.concatenate([batch.index for batch in stream.batches(3)])
    assert not np.array_equal(seen, other)
    assert all(np.array_equal(batch.targets.numpy(), targets[batch.index]) for batch in batches)


def test_a_lonely_last_item_is_left_out_of_training_and_never_of_judging(backbone, pixels, store, cpu):
    activations = Frozen(backbone, pixels, store, cpu).at(0, 1, SETTINGS)
    targets = np.zeros(80, dtype=np.int64)
    assert [len(b.index) for b in Training(activations, np.arange(17), targets, batch_size=8, seed=0).batches(0)] == [
        8,
        8,
    ]
    judged = [len(b.index) for b in Judging(activations, np.arange(17), targets, batch_size=8).batches(0)]
    assert judged == [8, 8, 1]
