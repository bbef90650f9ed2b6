"""Mixed batches: targets that add up, shares rightly distributed, the same numbers wherever a fit is resumed."""

import numpy as np
import pytest
import small
import torch
from scipy import stats

from headstart.base.errors import BadOption, Interrupted
from headstart.engine.loop import train
from headstart.features import mixing
from headstart.features.frozen import Augmentation, Frozen
from headstart.features.store import Store
from headstart.features.streams import Training
from headstart.tune import partial

MIXUP, CUTMIX = Augmentation(mixup=0.4), Augmentation(cutmix=1.0)
BOTH = Augmentation(mixup=0.4, cutmix=1.0)


def batch(n=6, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 8, 8), generator=draw, dtype=torch.uint8), torch.arange(n) % 3


@pytest.mark.parametrize("settings", [MIXUP, CUTMIX, BOTH])
@pytest.mark.parametrize("seed", range(4))
def test_targets_add_up_to_one_and_inputs_stay_pictures(settings, seed):
    inputs, targets = batch()
    mixed, soft = mixing.mixed(inputs, targets, settings, seed=seed, classes=5)
    assert soft.shape == (6, 5) and torch.allclose(soft.sum(1), torch.ones(6))
    assert mixed.shape == inputs.shape and mixed.min() >= 0 and mixed.max() <= 1


def test_a_blend_is_the_same_share_of_pictures_and_targets():
    inputs, targets = batch()
    mixed, soft = mixing.mixed(inputs, targets, MIXUP, seed=3, classes=3)
    share = float(soft[0, targets[0]])
    expected = share * inputs.float() / 255 + (1 - share) * inputs.roll(1, 0).float() / 255
    assert torch.allclose(mixed, expected, atol=1e-6)


def test_a_pasted_box_counts_by_its_area():
    inputs = torch.arange(4).view(4, 1, 1, 1).expand(4, 3, 10, 10).to(torch.uint8)
    mixed, soft = mixing.mixed(inputs, torch.arange(4), CUTMIX, seed=1, classes=4)
    own = (mixed * 255).round() == inputs.float()
    for item in range(4):
        assert float(own[item].float().mean()) == pytest.approx(float(soft[item, item]), abs=1e-6)
    assert 0 < float(own.float().mean()) < 1


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_are_drawn_from_the_beta_distribution(alpha):
    inputs, targets = torch.zeros(2, 1), torch.arange(2)
    shares = [
        float(mixing.mixed(inputs, targets, Augmentation(mixup=alpha), seed=seed, classes=2)[1][0, 0])
        for seed in range(400)
    ]
    assert stats.kstest(shares, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_with_both_each_batch_gets_one_and_about_half_get_each():
    inputs, targets = batch(4)
    kinds = []
    for seed in range(60):
        mixed, _ = mixing.mixed(inputs, targets, BOTH, seed=seed, classes=3)
        own = (mixed - inputs.float() / 255).abs() < 1e-6
        neighbours = (mixed - inputs.roll(1, 0).float() / 255).abs() < 1e-6
        kinds.append(bool((own | neighbours).all()))
    assert 15 < sum(kinds) < 45


def test_numbers_are_mixed_as_they_are():
    inputs, _ = batch(4)
    for targets in (torch.tensor([0.0, 10.0, 20.0, 30.0]), torch.rand(4, 2)):
        _, found = mixing.mixed(inputs, targets, MIXUP, seed=2, classes=3)
        share = float(((found - targets.roll(1, 0)) / (targets - targets.roll(1, 0))).flatten()[0])
        assert found.shape == targets.shape
        assert torch.allclose(found, share * targets + (1 - share) * targets.roll(1, 0), atol=1e-5)


def test_tokens_can_be_blended_and_channels_last_maps_cut():
    tokens, targets = torch.randn(4, 5, 7), torch.arange(4)
    mixed, _ = mixing.mixed(tokens, targets, MIXUP, seed=0, classes=4)
    assert mixed.shape == tokens.shape
    maps = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 6, 6, 3)
    mixed, _ = mixing.mixed(maps, targets, CUTMIX, seed=1, classes=4, channel_axis=3)
    assert mixed.shape == maps.shape and (mixed == mixed[..., :1]).all(), "a box keeps all channels of a place together"


def test_the_global_generator_is_left_alone():
    inputs, targets = batch()
    state = torch.get_rng_state()
    first = mixing.mixed(inputs, targets, BOTH, seed=5, classes=3)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(99)
    second = mixing.mixed(inputs, targets, BOTH, seed=5, classes=3)
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


def test_boxes_need_a_map():
    net, tokens = small.backbone(), small.transformer()
    for depth in range(net.depth):
        mixing.check(net, depth, CUTMIX)
    mixing.check(tokens, 0, CUTMIX)
    mixing.check(tokens, 2, MIXUP)
    with pytest.raises(BadOption, match="CutMix cannot cut boxes at depth 2"):
        mixing.check(tokens, 2, CUTMIX)
    with pytest.raises(BadOption, match="CutMix"):
        mixing.check(net, net.depth, CUTMIX)


@pytest.mark.parametrize("depth", [0, 2])
def test_batches_are_a_pure_function_of_seed_epoch_and_step(tmp_path, depth):
    setting = small.setting(Store(tmp_path / "store"), small.CPU)
    activations = setting.frozen.at(depth, 2, Augmentation(mixup=0.4, cutmix=1.0, randaugment=9))
    stream = Training(activations, setting.train, setting.targets, batch_size=8, seed=4, classes=4)
    whole = list(stream.batches(3))
    later = list(stream.batches(3, 2))
    assert len(later) == len(whole) - 2
    for one, other in zip(whole[2:], later, strict=True):
        assert torch.equal(one.inputs, other.inputs) and torch.equal(one.targets, other.targets)
    assert not torch.equal(whole[0].targets, next(stream.batches(4)).targets)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_fit_stopped_in_mid_epoch_ends_with_the_same_numbers(tmp_path, depth):
    given = small.setting(Store(tmp_path / "store"), small.CPU)
    object.__setattr__(given, "augmentation", Augmentation(mixup=0.4, cutmix=1.0, randaugment=9))

    def fit():
        return next(partial.plan(given, depth=depth, epochs=3, rate=0.01, batch_size=8, views=2))

    whole = fit()
    train(whole, machine=small.CPU)
    stopped = fit()
    stopped.stream = small.Stopping(stopped.stream, after=len(stopped.stream) + 3)
    with pytest.raises(Interrupted):
        train(stopped, machine=small.CPU, checkpoint_at=tmp_path / "c")
    again = fit()
    outcome = train(again, machine=small.CPU, checkpoint_at=tmp_path / "c")
    assert outcome.epochs == 3
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


def test_without_settings_nothing_is_mixed(tmp_path):
    setting = small.setting(Store(tmp_path / "store"), small.CPU)
    activations = setting.frozen.at(0, 1, Augmentation())
    first = next(Training(activations, setting.train, setting.targets, batch_size=8, seed=4).batches(0))
    assert first.targets.dtype == torch.int64 and first.inputs.dtype == torch.uint8
    plain = setting.frozen.at(2, 4, Augmentation(flip=False, strength=0.0))
    assert plain.views == 1, "views that could not differ are not stored"


def test_randaugment_is_a_view_of_its_own(tmp_path):
    setting = small.setting(Store(tmp_path / "store"), small.CPU)
    frozen: Frozen = setting.frozen
    positions = np.arange(8)
    plain, varied = (frozen.at(0, 1, one) for one in (Augmentation(), Augmentation(randaugment=9)))
    assert not torch.equal(plain.batch(positions, 1, 0), varied.batch(positions, 1, 0))
    stored = [frozen.at(1, 2, one).batch(positions, 1) for one in (Augmentation(), Augmentation(randaugment=9))]
    assert not torch.equal(*stored)
