"""Radial contours: closed curves r = R(angle) with sinusoidal or polygonal profiles, filled, outlined or nested.

A class is the profile (number of corners or waves, their depth and phase) and how it is drawn (filled, one outline,
several nested outlines, alternating bands, spokes); an instance wobbles the profile, poses it, and chooses thickness
and colours. After the radial contour data base and VisualAtom (Kataoka et al., CVPR 2022, arXiv:2206.09132; Takashima
et al., CVPR 2023, arXiv:2303.01112), here as an implicit function of the pixel, so that no rasteriser is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.base.seeds import generator
from headstart.pretrain.patterns.canvas import (
    Array,
    Images,
    coordinates,
    instance_generators,
    paint,
    pose,
    step,
)

ANGLES = 256


@dataclass(frozen=True, slots=True)
class _Profile:
    radius: Array
    drawing: str
    bands: int
    spokes: int
    opening: float


def render(class_id: int, instances: Sequence[int], *, size: int, seed: int) -> Images:
    """Contours (n, 3, size, size) of one class, uint8."""
    profile = _profile(generator(seed, "contours", class_id))
    generators = instance_generators(seed, "contours", class_id, instances)
    poses = np.stack([pose(rng, turn=0.45, stretch=0.35, shift=0.2, scale=(0.5, 0.95)) for rng in generators])
    x, y = coordinates(size, poses)
    radius = np.stack([_wobble(profile.radius, rng) for rng in generators])
    angle = np.arctan2(y, x)
    index = ((angle / (2 * np.pi)) % 1 * ANGLES).astype(np.int64) % ANGLES
    reach = np.take_along_axis(radius, index.reshape(len(radius), -1), axis=1).reshape(angle.shape)
    level = np.hypot(x, y) / reach
    pixel = 2 / size * np.abs(np.linalg.det(poses[:, :, :2])) ** 0.5
    widths = np.array([rng.uniform(0.035, 0.14) for rng in generators], np.float32)
    cover, shade = _draw(profile, level, angle, pixel[:, None, None].astype(np.float32), widths[:, None, None])
    return paint(cover, shade, generators)


def _profile(rng: np.random.Generator) -> _Profile:
    angle = np.arange(ANGLES) / ANGLES * 2 * np.pi
    if rng.random() < 0.45:
        corners = int(rng.integers(3, 9))
        sector = np.pi / corners
        within = (angle + rng.uniform(0, 2 * sector)) % (2 * sector) - sector
        radius = np.cos(sector) / np.cos(within)
        if rng.random() < 0.4:
            radius = radius * (1 + rng.uniform(0.1, 0.35) * np.cos(corners * angle + rng.uniform(0, 2 * np.pi)))
    else:
        radius = np.ones(ANGLES)
        for _ in range(int(rng.integers(1, 4))):
            waves = int(rng.integers(1, 10))
            radius = radius + rng.uniform(0.1, 0.5) / waves**0.4 * np.sin(waves * angle + rng.uniform(0, 2 * np.pi))
        radius = np.maximum(radius, 0.15)
    return _Profile(
        radius=(radius / radius.max()).astype(np.float32),
        drawing=str(rng.choice(["filled", "outline", "nested", "bands", "pierced", "open"])),
        bands=int(rng.integers(2, 5)),
        spokes=int(rng.integers(0, 7)) if rng.random() < 0.3 else 0,
        opening=float(rng.uniform(0, 2 * np.pi)),
    )


def _wobble(radius: Array, rng: np.random.Generator) -> Array:
    angle = np.arange(ANGLES) / ANGLES * 2 * np.pi
    wobble = np.zeros(ANGLES)
    for waves in (2, 3, 4, 5, 7):
        wobble += rng.normal(0, 0.03) * np.sin(waves * angle + rng.uniform(0, 2 * np.pi))
    wobbled: Array = np.maximum(radius * (1 + wobble), 0.08)
    return wobbled.astype(np.float32)


def _draw(profile: _Profile, level: Array, angle: Array, pixel: Array, width: Array) -> tuple[Array, Array]:
    """Opacity and shade (n, size, size) from the level (1 on the contour) of every pixel."""
    soft = pixel * 1.2
    ring = step(np.abs(level - 1 + width / 2) - width / 2, soft)
    if profile.drawing == "filled":
        cover, shade = step(level - 1, soft), np.clip(level, 0, 1)
    elif profile.drawing == "nested":
        spacing = 1 / profile.bands
        phase = np.abs((level / spacing) % 1 - 0.5) * spacing
        cover = step(width / 2 - phase + (spacing / 2 - width) * 1, soft) * step(level - 1, soft)
        shade = np.clip(np.floor(level / spacing) * spacing, 0, 1)
    elif profile.drawing == "bands":
        cover = step(level - 1, soft)
        shade = np.floor(np.clip(level, 0, 0.999) * profile.bands) % 2
    elif profile.drawing == "pierced":
        cover = step(level - 1, soft) * step(0.25 + 0.1 * profile.bands - level, soft)
        shade = np.clip(level, 0, 1)
    elif profile.drawing == "open":
        gap = np.abs((angle - profile.opening + np.pi) % (2 * np.pi) - np.pi)
        cover, shade = ring * step(0.55 - gap, soft * 2), np.zeros_like(level)
    else:
        cover, shade = ring, np.zeros_like(level)
    if profile.spokes:
        turn = angle * profile.spokes / (2 * np.pi)
        off = np.abs(turn - np.round(turn)) * 2 * np.pi / profile.spokes * level
        cover = np.maximum(cover, step(off - width / 2, soft) * step(level - 1, soft))
    return cover.astype(np.float32), shade.astype(np.float32)
