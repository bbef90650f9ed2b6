"""Pictures in memory whose classes a linear model of the pixels can, or cannot, tell apart."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from safetensors.numpy import load, save

from headstart.base import discovery
from headstart.baselines.predictor import Predictor
from headstart.tasks import classification


def kinds(classes: int) -> classification.Classification:
    """Classification into so many classes."""
    return classification.learn([str(each) for each in range(classes)])


def coloured(n: int, classes: int = 3, *, seed: int = 0, noise: float = 60) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures (24, 32, 3), each class brighter in another part."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    pictures = rng.normal(110, noise, (n, 24, 32, 3))
    for picture, label in zip(pictures, y, strict=True):
        picture[:, 32 * label // classes : 32 * (label + 1) // classes, label % 3] += 70
    return list(pictures.clip(0, 255).astype(np.uint8)), y


def ringed(n: int, *, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Grey pictures of one bar, class 0 if it is dark or bright, class 1 between: no linear model tells them apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    level = np.where(y == 1, 128, rng.choice([30, 226], n)) + rng.normal(0, 8, n)
    pictures = np.full((n, 20, 20), 128.0)
    pictures[:, 5:15] = level[:, None, None]
    return list((pictures + rng.normal(0, 4, pictures.shape)).clip(0, 255).astype(np.uint8)), y


def png(array: np.ndarray) -> Image.Image:
    """The same picture as a file would give it."""
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return Image.open(io.BytesIO(stream.getvalue()))


def through_a_file(predictor: Predictor, classes: int = 3) -> Predictor:
    """The predictor as another process would restore it."""
    import json

    arrays, meta = predictor.state()
    return discovery.load("baselines", predictor.name).restore(
        load(save(arrays)), json.loads(json.dumps(meta)), kinds(classes)
    )
