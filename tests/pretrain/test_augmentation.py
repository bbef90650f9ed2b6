"""Augmentation: pure in its seed, faithful at strength 0, and it mirrors nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.pretrain.augmentation import augment
from headstart.pretrain.patterns import contours


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.from_numpy(contours.render(3, range(32), size=48, seed=0))


def test_is_pure_in_the_seed(images: torch.Tensor) -> None:
    before = torch.get_rng_state()
    once, again, other = augment(images, 32, 7), augment(images, 32, 7), augment(images, 32, 8)
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.equal(before, torch.get_rng_state())


def test_gives_uint8_of_the_size_asked_for(images: torch.Tensor) -> None:
    views = augment(images, 32, 0)
    assert views.shape == (32, 3, 32, 32)
    assert views.dtype == torch.uint8


def test_strength_zero_only_resizes(images: torch.Tensor) -> None:
    torch.testing.assert_close(augment(images, 48, 0, strength=0.0), images, atol=1, rtol=0)


def test_views_vary_in_brightness_and_polarity(images: torch.Tensor) -> None:
    views = augment(images[:1].repeat(200, 1, 1, 1), 32, 0).float()
    plain = augment(images[:1], 32, 0, strength=0.0).float().mean(1)
    assert views.mean((1, 2, 3)).std() > 10
    turned = [np.corrcoef(view.mean(0).ravel(), plain[0].ravel())[0, 1] for view in views]
    assert 0.15 < np.mean(np.array(turned) < 0) < 0.6


def test_nothing_is_mirrored() -> None:
    """The brighter side of a ramp stays on its side, inversion aside."""
    ramp = torch.linspace(0, 255, 48).round().to(torch.uint8).expand(64, 3, 48, 48)
    marked = ramp.clone()
    marked[:, :, :24, :24] = 255
    views = augment(marked, 32, 0).float().mean(1)
    inverted = views[:, 16:, :16].mean((1, 2)) > views[:, 16:, 16:].mean((1, 2))
    views[inverted] = 255 - views[inverted]
    assert (views[:, :10, :10].mean((1, 2)) > views[:, 22:, :10].mean((1, 2)) + 5).float().mean() > 0.85
