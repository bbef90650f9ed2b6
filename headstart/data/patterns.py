"""Pictures drawn from a seed, each of another kind: noise, clouds, gradients, shapes; nobody's own."""

from __future__ import annotations

import numpy as np

from headstart.base.seeds import generator


def drawn(size: int, *, seed: int, count: int) -> np.ndarray:
    """Pictures (count, 3, size, size) uint8, each of another kind."""
    draw = generator(seed, "golden")
    rows, columns = np.mgrid[0:size, 0:size] / max(1, size - 1)
    pictures = [_KINDS[i % len(_KINDS)](draw, rows, columns) for i in range(count)]
    return (np.stack(pictures).clip(0.0, 1.0) * 255).round().astype(np.uint8)


def _noise(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return drawn.random((3, *rows.shape))


def _clouds(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    waves = np.zeros((3, *rows.shape))
    for _ in range(6):
        down, across = drawn.uniform(-4, 4, 2)
        phase, weight = drawn.uniform(0, 2 * np.pi, (3, 1, 1)), drawn.uniform(0.05, 0.2, (3, 1, 1))
        waves += weight * np.sin(2 * np.pi * (down * rows + across * columns) + phase)
    return 0.5 + waves


def _gradient(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    angle = drawn.uniform(0, 2 * np.pi)
    along = 0.5 + 0.5 * (np.cos(angle) * (columns - 0.5) + np.sin(angle) * (rows - 0.5)) * np.sqrt(2)
    return _between(drawn, along)


def _disc(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    middle = drawn.uniform(0.3, 0.7, 2)
    return _between(drawn, np.hypot(rows - middle[0], columns - middle[1]))


def _stripes(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    angle, count = drawn.uniform(0, np.pi), drawn.integers(3, 9)
    along = np.cos(angle) * columns + np.sin(angle) * rows
    return _between(drawn, (np.floor(along * count * 2) % 2 == 0).astype(float))


def _checks(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    count = drawn.integers(3, 9)
    return _between(drawn, (np.floor(rows * count) + np.floor(columns * count)) % 2)


def _shapes(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    picture = np.broadcast_to(drawn.random((3, 1, 1)), (3, *rows.shape)).copy()
    for turn in range(5):
        middle, reach = drawn.uniform(0, 1, 2), drawn.uniform(0.08, 0.35, 2)
        down, across = (rows - middle[0]) / reach[0], (columns - middle[1]) / reach[1]
        inside = np.hypot(down, across) < 1 if turn % 2 else np.maximum(abs(down), abs(across)) < 1
        picture = np.where(inside, drawn.random((3, 1, 1)), picture)
    return picture


def _shapes_in_noise(drawn: np.random.Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return _shapes(drawn, rows, columns) + drawn.normal(0, 0.1, (3, *rows.shape))


def _between(drawn: np.random.Generator, along: np.ndarray) -> np.ndarray:
    first, second = drawn.random((2, 3, 1, 1))
    return first + (second - first) * along


_KINDS = (_noise, _clouds, _gradient, _disc, _stripes, _checks, _shapes, _shapes_in_noise)
