from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.data.augmentation import LIGHT, SMALLEST_AREA, augmented, randaugmented


def batch(n: int = 70, side: int = 24) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8))


def test_pure_in_the_seed() -> None:
    images = batch()
    before = images.clone()
    first = augmented(images, 5)
    assert torch.equal(first, augmented(images, 5))
    assert not torch.equal(first, augmented(images, 6))
    assert torch.equal(images, before)
    assert (first.dtype, first.shape) == (torch.uint8, images.shape)


def test_an_item_is_drawn_alike_whatever_follows_it() -> None:
    images = batch()
    assert torch.equal(augmented(images, 5)[:9], augmented(images[:9], 5))


def test_global_random_state_is_untouched() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    augmented(batch(4), 1)
    assert torch.equal(torch.rand(3), expected)


def test_strength_zero_mirrors_half_and_nothing_else() -> None:
    images = batch(400, 8)
    varied = augmented(images, 0, strength=0)
    same = (varied == images).flatten(1).all(1)
    mirrored = (varied == images.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 140 < mirrored.sum() < 260
    assert torch.equal(augmented(images, 0, strength=0, flip=False), images)


def test_without_flip_left_stays_left() -> None:
    ramp = torch.linspace(0, 255, 32).to(torch.uint8).expand(200, 3, 32, 32)
    slope = augmented(ramp, 3, flip=False).float().mean((1, 2))
    assert (slope[:, -1] > slope[:, 0] + 50).all()
    slope = augmented(ramp, 3, flip=True).float().mean((1, 2))
    turned = (slope[:, -1] < slope[:, 0]).float().mean()
    assert 0.3 < turned < 0.7


def test_crops_keep_at_least_the_stated_area() -> None:
    # Each pixel of this ramp says where it was: across in red, down in green, and grey enough to keep the light apart.
    side = 64
    across = torch.linspace(0, 255, side).expand(side, side)
    ramps = torch.stack([across, across.T, torch.full((side, side), 128.0)]).to(torch.uint8).expand(300, 3, side, side)
    varied = augmented(ramps, 0, flip=False).float()
    blue = varied[:, 2].mean((1, 2))
    width = (varied[:, 0, :, -1] - varied[:, 0, :, 0]).mean(1) / 255
    height = (varied[:, 1, -1] - varied[:, 1, 0]).mean(1) / 255
    assert (blue > 0).all()
    # Light stretches the ramps by at most (1 + LIGHT) ** 3.
    assert (width * height).min() > SMALLEST_AREA * (1 - LIGHT) ** 6 * 0.8
    assert (width * height).min() < 0.7, "and some crops are real crops"


def test_light_changes_mildly() -> None:
    grey = torch.full((300, 3, 8, 8), 100, dtype=torch.uint8)
    means = augmented(grey, 2).float().mean((1, 2, 3))
    assert means.min() >= 100 * (1 - LIGHT) - 1
    assert means.max() <= 100 * (1 + LIGHT) + 1
    assert means.std() > 3


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0, 9.0, -1.0])
def test_any_strength_gives_pictures(strength: float) -> None:
    varied = augmented(batch(5), 0, strength=strength)
    assert varied.shape == (5, 3, 24, 24)


def test_an_empty_batch() -> None:
    assert augmented(batch(0), 0).shape == (0, 3, 24, 24)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_draws_do_not_depend_on_the_device() -> None:
    images = batch()
    difference = augmented(images, 5).int() - augmented(images.cuda(), 5).cpu().int()
    assert difference.abs().max() <= 1


def test_randaugment_is_pure_in_the_seed_and_item_by_item() -> None:
    images = batch(6)
    state = torch.get_rng_state()
    first = randaugmented(images, 5, 9)
    assert torch.equal(state, torch.get_rng_state())
    torch.manual_seed(3)
    assert torch.equal(first, randaugmented(images, 5, 9))
    assert not torch.equal(first, randaugmented(images, 6, 9))
    assert torch.equal(first[:2], randaugmented(images[:2], 5, 9))
    assert (first.dtype, first.shape) == (torch.uint8, images.shape)


def test_a_greater_magnitude_changes_more() -> None:
    images = torch.nn.functional.interpolate(batch(40, 6).float(), 24, mode="bilinear").to(torch.uint8)
    changes = [(randaugmented(images, 1, m).float() - images.float()).abs().mean() for m in (1, 10, 30)]
    assert changes[0] < changes[1] < changes[2]
