"""Real pictures for the demo: scikit-learn's handwritten digits as PNG files, with few labels per class.

    python examples/digits.py demo/digits --per-class 10

writes ``demo/digits/train/<digit>/*.png`` (ten of each digit) and ``demo/digits/test/<digit>/*.png`` (the other 1,697).
The data set is part of scikit-learn, so nothing is downloaded: 1,797 grey pictures of 8 x 8 pixels, by 43 people
(E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def choose(targets: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """True for ``per_class`` examples of every class, drawn with ``seed``."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(targets), dtype=bool)
    for digit in np.unique(targets):
        chosen[rng.choice(np.flatnonzero(targets == digit), per_class, replace=False)] = True
    return chosen


def write(folder: Path, per_class: int = 10, seed: int = 0) -> dict[str, int]:
    """Write the PNG files, replacing those of an earlier call; returns how many there are in each part."""
    for old in folder.glob("*/[0-9]/digit-*.png"):
        old.unlink()
    digits = load_digits()
    train = choose(digits.target, per_class, seed)
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / ("train" if train[number] else "test") / str(digit) / f"digit-{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # The set has 17 grey levels, 16 is ink; paper is shown as black, as scikit-learn draws it.
        Image.fromarray(np.round(pixels * 255 / 16).astype(np.uint8)).save(path)
    return {"train": int(train.sum()), "test": int((~train).sum())}


def main() -> None:
    """Read the command line, write, and say what was written."""
    parser = argparse.ArgumentParser(description="Write scikit-learn's digits as PNG files in class folders.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("demo/digits"))
    parser.add_argument("--per-class", type=int, default=10, metavar="N", help="training pictures of each digit")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of training pictures")
    arguments = parser.parse_args()
    if not 3 <= arguments.per_class <= 150:
        parser.error(f"--per-class must be between 3 and 150, not {arguments.per_class}")
    counts = write(arguments.folder, arguments.per_class, arguments.seed)
    print(f"Wrote {counts['train']} training and {counts['test']} test pictures of digits to {arguments.folder}")


if __name__ == "__main__":
    main()
