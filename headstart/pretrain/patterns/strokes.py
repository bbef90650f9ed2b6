"""Line drawings: a few random straight, curved or closed strokes that often touch one another.

A class is the arrangement of the strokes; an instance moves their control points, poses the whole, and chooses pen
(width, contrast between the directions of a broad nib, colours). Drawn as a distance field, without a rasteriser.
The family answers line-like targets, which fractals and contours cover thinly; the arrangements are random draws, no
alphabet is behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.base.seeds import generator
from headstart.pretrain.patterns.canvas import Array, Images, grid, instance_generators, paint, pose, step

SAMPLES = 40


def render(class_id: int, instances: Sequence[int], *, size: int, seed: int) -> Images:
    """Line drawings (n, 3, size, size) of one class, uint8."""
    controls = _arrangement(generator(seed, "strokes", class_id))
    generators = instance_generators(seed, "strokes", class_id, instances)
    drawn = [_pen(controls, rng) for rng in generators]
    points = np.stack([each[0] for each in drawn])
    half_widths = np.stack([each[1] for each in drawn])
    distance = _distance(points, half_widths, size)
    cover = step(distance, 2.4 / size)
    return paint(cover, np.zeros_like(cover), generators)


def _arrangement(rng: np.random.Generator) -> Array:
    """Cubic Bezier control points (strokes, 4, 2) in about [-1, 1]."""
    strokes: list[Array] = []
    for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.15, 0.4, 0.3, 0.15]))):
        start: Array = rng.uniform(-0.9, 0.9, 2)
        if strokes and rng.random() < 0.65:
            start = _on(strokes[int(rng.integers(len(strokes)))], float(rng.choice([0.0, 0.5, 1.0])))
        strokes.extend(_stroke(rng, start))
    controls = np.stack(strokes)
    low, high = controls.min((0, 1)), controls.max((0, 1))
    centred: Array = (controls - (low + high) / 2) / ((high - low).max() / 2) * 0.9
    return centred.astype(np.float32)


def _stroke(rng: np.random.Generator, start: Array) -> list[Array]:
    kind = rng.random()
    end = rng.uniform(-0.95, 0.95, 2)
    while np.hypot(*(end - start)) < 0.6:
        end = rng.uniform(-0.95, 0.95, 2)
    if kind < 0.45:
        if rng.random() < 0.5:
            end[int(rng.integers(2))] = start[int(rng.integers(2))]
        return [np.stack([start + (end - start) * part for part in (0, 1 / 3, 2 / 3, 1)])]
    if kind < 0.8:
        bulge = np.array([start[1] - end[1], end[0] - start[0]]) * rng.uniform(0.3, 1.0) * rng.choice([-1, 1])
        twist = bulge if rng.random() < 0.75 else -bulge
        return [np.stack([start, start + (end - start) * 0.2 + bulge, start + (end - start) * 0.8 + twist, end])]
    radius = rng.uniform(0.2, 0.6, 2)
    centre = start + rng.uniform(-1, 1, 2) * radius
    return _loop(centre, radius)


def _loop(centre: Array, radius: Array) -> list[Array]:
    k = 0.5523
    quarter = np.array([[1, 0], [1, k], [k, 1], [0, 1]])
    turns = [np.array([[0, -1], [1, 0]]) if n == 1 else np.linalg.matrix_power([[0, -1], [1, 0]], n) for n in range(4)]
    return [centre + quarter @ turn.T * radius for turn in turns]


def _on(stroke: Array, part: float) -> Array:
    weights = np.array([(1 - part) ** 3, 3 * part * (1 - part) ** 2, 3 * part**2 * (1 - part), part**3])
    position: Array = weights @ stroke
    return position


def _pen(controls: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points on the strokes (samples, 2) on the canvas, and the pen's half width at each."""
    field = rng.normal(0, 0.09, (2, 5))
    moved = controls + rng.normal(0, 0.05, controls.shape)
    bent = moved + np.stack([_bend(moved, field[0]), _bend(moved, field[1])], axis=-1)
    inverse = pose(rng, turn=0.28, stretch=0.4, shift=0.15, scale=(0.55, 0.95))
    forward = np.linalg.inv(inverse[:, :2])
    placed = (bent - inverse[:, 2]) @ forward.T
    part = np.linspace(0, 1, SAMPLES)
    basis = np.stack([(1 - part) ** 3, 3 * part * (1 - part) ** 2, 3 * part**2 * (1 - part), part**3], axis=1)
    points = basis @ placed
    along = np.gradient(points, axis=1)
    direction = np.arctan2(along[..., 1], along[..., 0])
    contrast = rng.uniform(0, 0.75) if rng.random() < 0.5 else 0.0
    nib = rng.choice([0.0, np.pi / 2, -np.pi / 4, np.pi / 4])
    half = rng.uniform(0.035, 0.17) * (1 - contrast * np.abs(np.cos(direction - nib)))
    return points.reshape(-1, 2).astype(np.float32), np.maximum(half, 0.03).reshape(-1).astype(np.float32)


def _bend(points: Array, weights: Array) -> Array:
    x, y = points[..., 0], points[..., 1]
    bend: Array = (
        weights[0] * x * y
        + weights[1] * (x * x - 0.3)
        + weights[2] * (y * y - 0.3)
        + weights[3] * np.sin(3 * x)
        + weights[4] * np.sin(3 * y)
    )
    return bend


def _distance(points: Array, half_widths: Array, size: int) -> Array:
    """Distance (n, size, size) of every pixel to the nearest pen position, negative under the pen."""
    x, y = grid(size)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    distance = np.empty((len(points), size * size), np.float32)
    for row, place, half in zip(distance, points, half_widths, strict=True):
        squared = (pixels**2).sum(1)[:, None] + (place**2).sum(1) - 2 * pixels @ place.T
        row[:] = (np.sqrt(np.maximum(squared, 0)) - half).min(1)
    return distance.reshape(-1, size, size)
