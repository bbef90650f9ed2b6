"""Strong augmentation of a whole batch at once: what a label of a generated pattern must survive.

Crop, turn and stretch in one resampling; then colour mixing, contrast, inversion, grey, loss of resolution, noise and
an erased patch. Nothing is mirrored: a pattern and its mirror image are different patterns, as they are for letters.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from headstart.base.seeds import derive


def augment(images: torch.Tensor, size: int, seed: int, *, strength: float = 1.0) -> torch.Tensor:
    """Augmented copies (n, 3, size, size) uint8 of images (n, 3, h, w) uint8; pure in the seed.

    Args:
        images: the batch.
        size: side of the result, pixels.
        seed: of every draw.
        strength: 0 resizes and changes nothing else; 1 is what pretraining uses.
    """
    draw = torch.Generator().manual_seed(derive(seed, "augment"))
    values = _move(images.float() / 255, size, draw, strength)
    values = _blur(values, draw, 0.25 * strength)
    values = _recolour(values, draw, strength)
    noisy = _some(draw, len(values), 0.25 * strength) * torch.rand(len(values), generator=draw) * 0.1
    values = values + noisy[:, None, None, None] * torch.randn(values.shape, generator=draw)
    values = _erase(values, draw, 0.25 * strength)
    return values.clamp_(0, 1).mul_(255).round_().to(torch.uint8)


def _uniform(draw: torch.Generator, count: int, low: float, high: float) -> torch.Tensor:
    return torch.rand(count, generator=draw) * (high - low) + low


def _some(draw: torch.Generator, count: int, probability: float) -> torch.Tensor:
    return (torch.rand(count, generator=draw) < probability).float()


def _move(values: torch.Tensor, size: int, draw: torch.Generator, strength: float) -> torch.Tensor:
    count = len(values)
    side = 1 + strength * _uniform(draw, count, -0.45, 0.1)
    ratio = torch.exp(strength * _uniform(draw, count, -0.15, 0.15))
    angle = strength * _uniform(draw, count, -math.pi / 12, math.pi / 12)
    slack = (1 - side).clamp(min=0) + 0.1 * strength
    matrix = torch.empty(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = side * ratio * angle.cos(), -side / ratio * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = side * ratio * angle.sin(), side / ratio * angle.cos()
    matrix[:, 0, 2] = slack * _uniform(draw, count, -1, 1)
    matrix[:, 1, 2] = slack * _uniform(draw, count, -1, 1)
    places = functional.affine_grid(matrix, [count, 3, size, size], align_corners=False)
    return functional.grid_sample(values, places, padding_mode="border", align_corners=False)


def _blur(values: torch.Tensor, draw: torch.Generator, probability: float) -> torch.Tensor:
    """A part of the batch keeps only a half to a quarter of its resolution."""
    side = values.shape[-1]
    chosen = torch.rand(len(values), generator=draw)
    for number, divisor in enumerate((2, 3, 4)):
        part = (chosen >= probability * number / 3) & (chosen < probability * (number + 1) / 3)
        if part.any():
            small = functional.adaptive_avg_pool2d(values[part], max(side // divisor, 4))
            values[part] = functional.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    return values


def _recolour(values: torch.Tensor, draw: torch.Generator, strength: float) -> torch.Tensor:
    count = len(values)
    mixing = torch.eye(3) + strength * 0.15 * torch.randn(count, 3, 3, generator=draw)
    grey = _some(draw, count, 0.3 * strength)[:, None, None]
    mixing = mixing * (1 - grey) + torch.full((3, 3), 1 / 3) * grey
    contrast = torch.exp(strength * _uniform(draw, count, -0.7, 0.4))
    contrast = contrast * (1 - 2 * _some(draw, count, 0.4 * strength))
    brightness = strength * _uniform(draw, count, -0.2, 0.2)
    mixed = torch.einsum("nij,njhw->nihw", mixing, values - 0.5)
    return mixed * contrast[:, None, None, None] + 0.5 + brightness[:, None, None, None]


def _erase(values: torch.Tensor, draw: torch.Generator, probability: float) -> torch.Tensor:
    count, _, height, width = values.shape
    centre, half = torch.rand(count, 2, generator=draw), torch.rand(count, 2, generator=draw) * 0.15 + 0.05
    rows = (torch.arange(height) / height - centre[:, :1]).abs() < half[:, :1]
    columns = (torch.arange(width) / width - centre[:, 1:]).abs() < half[:, 1:]
    patch = rows[:, :, None] & columns[:, None, :] & (_some(draw, count, probability) > 0)[:, None, None]
    colour = torch.rand(count, 3, 1, 1, generator=draw)
    return torch.where(patch[:, None], colour, values)
