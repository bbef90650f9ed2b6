"""Images computed by small random networks of the pixel's coordinates (compositional pattern-producing networks).

A class is the network: its weights and the mix of periodic, bounded and folded units; an instance is another view of
its plane and another way to colour its outputs. After Stanley (2007), used as Baradad et al. (NeurIPS 2022,
arXiv:2211.16412) use short programs: many different ones, none of them designed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.base.seeds import generator
from headstart.pretrain.patterns.canvas import Array, Images, coordinates, instance_generators, pose, quantise

WIDTH, LAYERS = 12, 3


def render(class_id: int, instances: Sequence[int], *, size: int, seed: int) -> Images:
    """Patterns (n, 3, size, size) of one class, uint8."""
    network = generator(seed, "cppn", class_id)
    generators = instance_generators(seed, "cppn", class_id, instances)
    poses = np.stack([pose(rng, turn=0.35, stretch=0.3, shift=0.4, scale=(0.5, 0.9)) for rng in generators])
    x, y = coordinates(size, poses)
    values = np.stack([x, y, np.hypot(x, y), np.ones_like(x)], axis=-1).reshape(len(poses), size * size, 4)
    for _ in range(LAYERS):
        weights = network.normal(0, 1.0 / values.shape[-1] ** 0.5, (values.shape[-1], WIDTH)).astype(np.float32)
        values = _units(values @ weights * np.float32(1.2), network)
    features = values.reshape(len(poses), size, size, WIDTH)
    fixed = network.normal(0, 1, (WIDTH, 3))
    return quantise(np.stack([_colour(each, fixed, rng) for each, rng in zip(features, generators, strict=True)]))


def _units(values: Array, network: np.random.Generator) -> Array:
    kinds = network.integers(5, size=WIDTH)
    out = np.empty_like(values)
    out[..., kinds == 0] = np.sin(3 * values[..., kinds == 0])
    out[..., kinds == 1] = np.tanh(2 * values[..., kinds == 1])
    out[..., kinds == 2] = np.abs(values[..., kinds == 2]) - 0.5
    out[..., kinds == 3] = np.exp(-2 * values[..., kinds == 3] ** 2)
    out[..., kinds == 4] = np.tanh(12 * np.sin(4 * values[..., kinds == 4]))
    return out


def _colour(features: Array, fixed: Array, rng: np.random.Generator) -> Array:
    """Three outputs of the network, spread to the full range and mixed into new colours."""
    outputs = features @ fixed.astype(np.float32)
    outputs = (outputs - outputs.mean((0, 1))) / np.maximum(outputs.std((0, 1)), 1e-3)
    mixing = rng.normal(0, 0.12, (3, 3))
    mixing[rng.integers(3)] *= 2
    image: Array = (outputs @ mixing.astype(np.float32) + rng.uniform(0.3, 0.7, 3)).transpose(2, 0, 1)
    if rng.random() < 0.35:
        image = np.repeat(image.mean(0, keepdims=True), 3, axis=0)
    return image.astype(np.float32)
