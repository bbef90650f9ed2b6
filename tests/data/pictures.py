"""Small pictures for the tests of the data room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def noise(seed: int, height: int = 6, width: int = 8) -> np.ndarray:
    """Random RGB (height, width, 3), uint8, another one for each seed."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write(path: Path, seed: int = 0) -> Path:
    """A PNG of random pixels, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(seed)).save(path, "PNG")
    return path


def write_classes(root: Path, sizes: dict[str, int], start: int = 0) -> Path:
    """A folder of class subfolders, all pictures different."""
    seed = start
    for name, number in sizes.items():
        for i in range(number):
            write(root / name / f"{i}.png", seed)
            seed += 1
    return root
