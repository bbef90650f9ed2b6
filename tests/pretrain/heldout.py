"""A target that pretraining never draws: two plain objects in a scene, told apart by kind and by where they stand.

Twelve classes: a square, a ring or a cross, to the right of, below, to the left of or above a disc, in any colours.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

CLASSES = 12
_CANVAS = 96


def scenes(per_class: int, seed: int, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (12 x per_class, 3, size, size) and their classes."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), per_class)
    return np.stack([_scene(int(label), rng, size) for label in labels]), labels


def _scene(label: int, rng: np.random.Generator, size: int) -> np.ndarray:
    kind, side = divmod(label, 4)
    ground, disc, other = _colours(rng)
    image = Image.new("RGB", (_CANVAS, _CANVAS), ground)
    pen = ImageDraw.Draw(image)
    angle = side * np.pi / 2 + rng.normal(0, 0.2)
    centre = _CANVAS / 2 + rng.uniform(-8, 8, 2)
    offset = rng.uniform(18, 24) * np.array([np.cos(angle), np.sin(angle)])
    pen.ellipse(_box(centre - offset, rng.uniform(9, 14)), fill=disc)
    reach = rng.uniform(10, 15)
    (x, y), box = centre + offset, _box(centre + offset, reach)
    if kind == 0:
        pen.rectangle(box, fill=other)
    elif kind == 1:
        pen.ellipse(box, outline=other, width=5)
    else:
        pen.line((x - reach, y, x + reach, y), fill=other, width=6)
        pen.line((x, y - reach, x, y + reach), fill=other, width=6)
    return np.asarray(image.resize((size, size), Image.Resampling.BOX)).transpose(2, 0, 1)


def _box(centre: np.ndarray, reach: float) -> tuple[float, float, float, float]:
    return (centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)


def _colours(rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """A ground and two colours at least 67 levels away from it in brightness."""
    ground = rng.integers(0, 256, 3)
    found = [ground]
    while len(found) < 3:
        colour = rng.integers(0, 256, 3)
        if abs(int(colour.sum()) - int(ground.sum())) >= 200:
            found.append(colour)
    return [(int(r), int(g), int(b)) for r, g, b in found]
