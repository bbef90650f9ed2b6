"""What the families share: pixel grids, random poses, smooth noise, and painting a shape onto a background."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base.seeds import generator

Array = NDArray[np.floating[Any]]
Images = NDArray[np.uint8]


@lru_cache(maxsize=8)
def grid(size: int) -> tuple[Array, Array]:
    """Pixel centres as (x, y), each (size, size), from -1 to 1 and read-only."""
    axis = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    x.setflags(write=False)
    y.setflags(write=False)
    return x, y


def instance_generators(seed: int, family: str, class_id: int, instances: Sequence[int]) -> list[np.random.Generator]:
    """One generator an instance, so that a picture does not depend on what is rendered beside it."""
    return [generator(seed, family, class_id, "instance", number) for number in instances]


def pose(rng: np.random.Generator, *, turn: float, stretch: float, shift: float, scale: tuple[float, float]) -> Array:
    """A random affine map (2, 3) from the canvas to pattern coordinates.

    Args:
        turn: largest rotation either way, radians.
        stretch: largest logarithm of the aspect ratio, and largest shear.
        shift: largest displacement, in half canvases.
        scale: smallest and largest size of the pattern, in half canvases.
    """
    angle = rng.uniform(-turn, turn)
    ratio = np.exp(rng.uniform(-stretch, stretch) / 2)
    shear = rng.uniform(-stretch, stretch) / 2
    size = rng.uniform(*scale)
    cos, sin = np.cos(angle), np.sin(angle)
    forward = size * np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear], [0, 1]]) @ np.diag([ratio, 1 / ratio])
    inverse = np.linalg.inv(forward)
    centre = rng.uniform(-shift, shift, 2)
    return np.concatenate([inverse, -(inverse @ centre)[:, None]], axis=1).astype(np.float32)


def coordinates(size: int, poses: Array) -> tuple[Array, Array]:
    """Pattern coordinates (n, size, size) of every pixel, for poses (n, 2, 3)."""
    x, y = grid(size)
    m = poses[:, :, :, None, None]
    return m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2], m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2]


def step(distance: Array, width: float | Array) -> Array:
    """An antialiased edge: 1 where ``distance`` is below 0, 0 above, linear over ``width``."""
    ramp: Array = np.clip(0.5 - distance / width, 0, 1)
    return ramp


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Array:
    """Noise (size, size) in about [-1, 1] without detail finer than ``size / cells`` pixels."""
    coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    weights = _interpolation(size, cells)
    return weights @ coarse @ weights.T


@lru_cache(maxsize=32)
def _interpolation(size: int, cells: int) -> Array:
    position = np.linspace(0, cells - 1, size)
    left = np.minimum(position.astype(int), cells - 2)
    part = position - left
    part = part * part * (3 - 2 * part)
    weights = np.zeros((size, cells), np.float32)
    weights[np.arange(size), left] = 1 - part
    weights[np.arange(size), left + 1] += part
    return weights


def contrasting(rng: np.random.Generator) -> Array:
    """Three colours (3, 3) in [0, 1]: a ground and two inks that stand out from it in brightness; often grey."""
    ground = rng.uniform(0, 1, 3)
    inks = np.empty((2, 3))
    for ink in inks:
        for _ in range(8):
            ink[:] = rng.uniform(0, 1, 3)
            if abs(ink.mean() - ground.mean()) > 0.3:
                break
        else:
            ink[:] = 1 - np.round(ground.mean())
    colours = np.concatenate([ground[None], inks])
    if rng.random() < 0.4:
        colours = np.repeat(colours.mean(1, keepdims=True), 3, axis=1)
        if rng.random() < 0.5:
            colours = np.clip((colours - 0.5) * 4 + 0.5, 0, 1)
    return colours.astype(np.float32)


def background(rng: np.random.Generator, size: int, colour: Array, other: Array) -> Array:
    """A ground (3, size, size): plain, a gradient, or faint noise."""
    ground = np.broadcast_to(colour[:, None, None], (3, size, size))
    kind = rng.random()
    if kind < 0.55:
        return ground
    if kind < 0.75:
        x, y = grid(size)
        angle = rng.uniform(0, 2 * np.pi)
        field = np.clip(np.cos(angle) * x + np.sin(angle) * y, -1, 1)
    else:
        field = smooth_noise(rng, size, int(rng.integers(3, 13)))
    amount = rng.uniform(0.05, 0.35)
    mixed: Array = ground + (other[:, None, None] - ground) * (amount * (field + 1) / 2)
    return mixed


def paint(cover: Array, shade: Array, generators: Sequence[np.random.Generator]) -> Images:
    """Shapes in random colours on random grounds.

    Args:
        cover: opacity (n, size, size) in [0, 1].
        shade: (n, size, size) in [0, 1]; runs from the first ink to the second.
        generators: one an image.

    Returns:
        uint8 (n, 3, size, size).
    """
    size = cover.shape[-1]
    images = np.empty((len(cover), 3, size, size), np.float32)
    for image, opacity, tone, rng in zip(images, cover, shade, generators, strict=True):
        ground, first, second = contrasting(rng)
        behind = background(rng, size, ground, first)
        ink = first[:, None, None] + (second - first)[:, None, None] * tone
        image[:] = behind + (ink - behind) * opacity
    return quantise(images)


def quantise(images: Array) -> Images:
    """From [0, 1] to uint8, rounded and clipped."""
    return (np.clip(images, 0, 1) * 255 + 0.5).astype(np.uint8)
