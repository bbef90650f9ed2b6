"""Textures from a power spectrum: filtered noise with a slope, a direction, a period and a palette.

A class is the filter (slope, direction and strength of the grain, a preferred period) and how levels become colours
(smooth, stepped, cellular); an instance is new noise and new colours. Spectrum and colour are the statistics of
Baradad et al. (NeurIPS 2021, arXiv:2106.05963).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from headstart.base.seeds import generator
from headstart.pretrain.patterns.canvas import Array, Images, instance_generators, quantise


def render(class_id: int, instances: Sequence[int], *, size: int, seed: int) -> Images:
    """Textures (n, 3, size, size) of one class, uint8."""
    rng = generator(seed, "spectrum", class_id)
    slope = float(rng.uniform(0.4, 2.6))
    direction = float(rng.uniform(0, np.pi)) if rng.random() < 0.65 else None
    period = float(np.exp(rng.uniform(np.log(3), np.log(16)))) if rng.random() < 0.6 else None
    levels = int(rng.choice([0, 0, 2, 3, 5]))
    folded = bool(rng.random() < 0.35)
    images = []
    for own in instance_generators(seed, "spectrum", class_id, instances):
        turn = None if direction is None else direction + float(own.normal(0, 0.1))
        wave = None if period is None else period * size / 48 * float(np.exp(own.normal(0, 0.1)))
        value = field(own, size, slope=slope, direction=turn, period=wave)
        images.append(_colour(own, np.abs(value) * 2 - 1 if folded else value, levels))
    return quantise(np.stack(images))


def field(
    rng: np.random.Generator,
    size: int,
    *,
    slope: float,
    direction: float | None = None,
    period: float | None = None,
) -> Array:
    """Filtered noise (size, size) of mean 0 and deviation 1.

    Args:
        slope: the amplitude falls with frequency to this power.
        direction: angle that the waves favour, radians; None for no preference.
        period: wavelength in pixels around which the power is gathered; None for a plain slope.
    """
    frequency, angle = _frequencies(size)
    gain = frequency**-slope
    if period is not None:
        gain = gain * np.exp(-((np.log(frequency * period)) ** 2) / 0.18) + gain * 0.02
    if direction is not None:
        gain = gain * np.exp(2.5 * (np.cos(2 * (angle - direction)) - 1))
    spectrum = gain * np.exp(2j * np.pi * rng.random(gain.shape)) * rng.rayleigh(size=gain.shape)
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(size, size))
    deviation = float(noise.std())
    scaled: Array = ((noise - noise.mean()) / max(deviation, 1e-12)).astype(np.float32)
    return scaled


@lru_cache(maxsize=8)
def _frequencies(size: int) -> tuple[Array, Array]:
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    return np.maximum(np.hypot(fx, fy), 0.5 / size), np.arctan2(fy, fx)


def _colour(rng: np.random.Generator, value: Array, levels: int) -> Array:
    """Levels to colours (3, size, size): along a ramp of three random colours, stepped if asked."""
    place = 1 / (1 + np.exp(-1.7 * value))
    if levels:
        place = np.floor(place * levels) / max(levels - 1, 1)
    ramp = rng.uniform(0, 1, (3, 3))
    if rng.random() < 0.35:
        ramp = np.repeat(ramp.mean(1, keepdims=True), 3, axis=1)
    channels = [np.interp(place, [0, 0.5, 1], ramp[:, channel]) for channel in range(3)]
    return np.stack(channels).astype(np.float32)
