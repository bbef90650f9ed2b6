"""Dead leaves: textured shapes of many sizes thrown on one another until nothing of the ground is seen.

A class is the shapes, the law of their sizes, their direction and their texture; an instance is a new throw in new
colours. Radii follow a power law and leaves hide one another as objects do, which gives natural images' statistics
(Lee, Mumford and Huang, 2001; as a source of training images: Baradad et al., NeurIPS 2021, arXiv:2106.05963).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.base.seeds import generator
from headstart.pretrain.patterns.canvas import Array, Images, grid, instance_generators, quantise
from headstart.pretrain.patterns.spectrum import field

THROWS = 70


@dataclass(frozen=True, slots=True)
class _Kind:
    shapes: tuple[str, ...]
    exponent: float
    smallest: float
    direction: float | None
    aspect: float
    slope: float
    texture: float
    hues: int


def render(class_id: int, instances: Sequence[int], *, size: int, seed: int) -> Images:
    """Dead leaves (n, 3, size, size) of one class, uint8."""
    kind = _kind(generator(seed, "leaves", class_id))
    generators = instance_generators(seed, "leaves", class_id, instances)
    return quantise(np.stack([_throw(kind, rng, size) for rng in generators]))


def _kind(rng: np.random.Generator) -> _Kind:
    shapes = ("disc", "square", "triangle", "bar", "ring")
    chosen = rng.choice(shapes, size=int(rng.integers(1, 3)), replace=False)
    return _Kind(
        shapes=tuple(map(str, chosen)),
        exponent=float(rng.uniform(1.2, 3)),
        smallest=float(rng.uniform(0.08, 0.4)),
        direction=float(rng.uniform(0, np.pi)) if rng.random() < 0.6 else None,
        aspect=float(rng.uniform(1, 3)),
        slope=float(rng.uniform(0.5, 2.5)),
        texture=float(rng.choice([0.0, 0.15, 0.4])),
        hues=int(rng.integers(2, 9)),
    )


def _throw(kind: _Kind, rng: np.random.Generator, size: int) -> Array:
    x, y = grid(size)
    power = 1 - kind.exponent
    low, high = kind.smallest**power, 1.0**power
    radii = (low + (high - low) * rng.random(THROWS)) ** (1 / power)
    radii[-1] = 4
    centres = rng.uniform(-1.1, 1.1, (THROWS, 2))
    turns = rng.uniform(0, np.pi, THROWS) if kind.direction is None else kind.direction + rng.normal(0, 0.12, THROWS)
    shapes = rng.integers(len(kind.shapes), size=THROWS)
    owner = np.full((size, size), -1)
    for number in range(THROWS):
        free = owner < 0
        if not free.any():
            break
        cos, sin = np.cos(turns[number]), np.sin(turns[number])
        u, v = x - centres[number, 0], y - centres[number, 1]
        shape = kind.shapes[shapes[number]] if number < THROWS - 1 else "disc"
        inside = _inside(shape, cos * u + sin * v, (cos * v - sin * u) * kind.aspect, radii[number])
        owner[free & inside] = number
    colours = rng.uniform(0, 1, (kind.hues, 3))[rng.integers(kind.hues, size=THROWS)]
    colours = colours + rng.normal(0, 0.08, (THROWS, 3))
    grain = field(rng, size, slope=kind.slope)
    gains = rng.normal(0, kind.texture, (THROWS, 3))
    image: Array = (colours[owner] + gains[owner] * grain[..., None]).transpose(2, 0, 1).astype(np.float32)
    return image


def _inside(shape: str, u: Array, v: Array, radius: float) -> NDArray[np.bool_]:
    if shape == "disc":
        return u * u + v * v < radius * radius
    if shape == "square":
        return np.maximum(np.abs(u), np.abs(v)) < radius * 0.85
    if shape == "bar":
        return (np.abs(u) < radius * 1.2) & (np.abs(v) < radius * 0.3)
    if shape == "ring":
        squared = u * u + v * v
        return (squared < radius * radius) & (squared > 0.35 * radius * radius)
    return (v > -0.5 * radius) & (1.732 * np.abs(u) + v < radius)
