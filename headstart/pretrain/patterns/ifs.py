"""Fractals: attractors of iterated function systems whose singular values are drawn so that they never diverge.

A class is a system of two to five affine maps A = R(a) S diag(s1, s2) R(b); an instance perturbs one map, turns,
stretches and moves the attractor, and takes new colours. The parametrisation by singular values, with the sum of
s1 + 2 s2 kept in a band that gives rich but bounded attractors, is that of Anderson and Farrell (WACV 2022,
arXiv:2110.03091); pretraining on fractals began with Kataoka et al. (ACCV 2020, arXiv:2101.08515).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from headstart.base.seeds import generator
from headstart.pretrain.patterns.canvas import Array, Images, instance_generators, paint

ORBITS, WARM_UP, STEPS = 640, 8, 30


def render(class_id: int, instances: Sequence[int], *, size: int, seed: int) -> Images:
    """Fractals (n, 3, size, size) of one class, uint8."""
    maps = _system(class_id, seed)
    generators = instance_generators(seed, "ifs", class_id, instances)
    varied = np.stack([_vary(maps, rng) for rng in generators])
    points = _chaos_game(varied, _weights(maps), generator(seed, "ifs", class_id, "orbits"))
    fitted = np.stack([_fit(cloud, rng) for cloud, rng in zip(points, generators, strict=True)])
    density = _density(fitted, size)
    return paint(np.minimum(density * 2.5, 1), density, generators)


@lru_cache(maxsize=64)
def _system(class_id: int, seed: int) -> Array:
    """The class's maps (k, 2, 3): the first system drawn whose attractor neither fills the canvas nor is dust."""
    for attempt in range(64):
        rng = generator(seed, "ifs", class_id, "system", attempt)
        maps = _draw(rng)
        cloud = _chaos_game(maps[None], _weights(maps), rng)[0]
        filled = float((_density(_centred(cloud)[None], 32) > 0).mean())
        if 0.1 < filled < 0.65:
            break
    return maps


def _draw(rng: np.random.Generator) -> Array:
    count = int(rng.integers(2, 6))
    wanted = rng.uniform((5 + count) / 2, (6 + count) / 2)
    for _ in range(200):
        values = -np.sort(-rng.uniform(0, 1, (count, 2)), axis=1)
        values *= wanted / (values[:, 0] + 2 * values[:, 1]).sum()
        if values.max() < 0.98:
            break
    values = np.minimum(values, 0.98)
    maps = np.empty((count, 2, 3), np.float32)
    for each, scales in zip(maps, values, strict=True):
        signs = rng.choice([-1.0, 1.0], 2)
        each[:, :2] = _turn(rng.uniform(0, 2 * np.pi)) @ np.diag(signs * scales) @ _turn(rng.uniform(0, 2 * np.pi))
        each[:, 2] = rng.uniform(-1, 1, 2)
    return maps


def _turn(angle: float) -> Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]], np.float32)


def _vary(maps: Array, rng: np.random.Generator) -> Array:
    varied = maps.copy()
    varied[rng.integers(len(maps))] *= rng.uniform(0.85, 1.05)
    return varied


def _weights(maps: Array) -> Array:
    """How often each map is applied: by the area it covers, so that points spread evenly."""
    areas = np.abs(np.linalg.det(maps[:, :, :2])) + 0.02
    weights: Array = areas / areas.sum()
    return weights


def _chaos_game(systems: Array, weights: Array, rng: np.random.Generator) -> Array:
    """Points (n, orbits x steps, 2) on the attractors of systems (n, k, 2, 3); all follow the same random choices."""
    choices = rng.choice(len(weights), size=(WARM_UP + STEPS, ORBITS), p=weights)
    points = np.zeros((len(systems), ORBITS, 2), np.float32)
    kept = np.empty((len(systems), STEPS, ORBITS, 2), np.float32)
    for number, choice in enumerate(choices):
        chosen = systems[:, choice]
        points = chosen[..., 0] * points[..., :1] + chosen[..., 1] * points[..., 1:] + chosen[..., 2]
        if number >= WARM_UP:
            kept[:, number - WARM_UP] = points
    return kept.reshape(len(systems), STEPS * ORBITS, 2)


def _centred(cloud: Array) -> Array:
    low, high = np.quantile(cloud[::7], [0.01, 0.99], axis=0)
    extent = max(float((high - low).max()), 1e-6)
    centred: Array = (cloud - (low + high) / 2) / (extent / 2) * 0.9
    return centred.astype(np.float32)


def _fit(cloud: Array, rng: np.random.Generator) -> Array:
    ratio = np.exp(rng.uniform(-0.2, 0.2))
    pose = _turn(rng.uniform(-0.5, 0.5)) @ np.diag([ratio, 1 / ratio]).astype(np.float32) * rng.uniform(0.6, 1.1)
    placed: Array = _centred(cloud) @ pose.T + rng.uniform(-0.2, 0.2, 2)
    return placed.astype(np.float32)


def _density(points: Array, size: int) -> Array:
    """Logarithm of the hits a pixel, (n, size, size), scaled to a largest value of 1."""
    cells = np.floor((points + 1) * (size / 2)).astype(np.int64)
    inside = ((cells >= 0) & (cells < size)).all(-1)
    index = cells[..., 1] * size + cells[..., 0] + np.arange(len(points))[:, None] * size * size
    hits = np.bincount(index[inside], minlength=len(points) * size * size).reshape(-1, size, size)
    level = np.log1p(hits).astype(np.float32)
    level /= np.maximum(np.quantile(level, 0.995, axis=(1, 2), keepdims=True), 1e-6)
    limited: Array = np.minimum(level, 1).astype(np.float32)
    return limited
