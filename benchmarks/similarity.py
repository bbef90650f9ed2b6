"""Do the distances to the source grow as a target moves away from it? Its own generator, ever more noise, and others.

    python benchmarks/similarity.py

The source is that of the embedded backbone. Targets: other patterns of its own classes, classes of another seed, these
under ever more noise, one family alone, noise without a picture, and scikit-learn's digits; 300 pictures each.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from source_statistics import WEIGHTS, recipe_of

from headstart.backbones import catalogue
from headstart.choose.similarity import distances
from headstart.pretrain import procedural

RESULTS = Path(__file__).parent / "results" / "similarity.json"
NUMBER = 300
NOISE = (0, 15, 30, 60, 120, 240)


def targets(kept: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    card = json.loads((WEIGHTS / "resnet10-procedural.json").read_text("utf-8"))["card"]
    own, other = (procedural.patterns(recipe_of(card), seed) for seed in (card["seed"], card["seed"] + 1))
    yield "its own patterns", own[rng.permutation(np.setdiff1d(np.arange(len(own)), kept))[:NUMBER]].numpy()
    clean = other[rng.permutation(len(other))[:NUMBER]].numpy()
    for noise in NOISE:
        noisy = (clean + rng.normal(0, noise, clean.shape)).clip(0, 255).astype(np.uint8)
        yield f"other classes, noise {noise}", noisy
    for family in ("strokes", "contours", "ifs"):
        render = importlib.import_module(f"headstart.pretrain.patterns.{family}").render
        yield f"{family} alone", np.concatenate([render(each, [0], size=32, seed=9) for each in range(NUMBER)])
    yield "nothing but noise", rng.integers(0, 256, clean.shape, dtype=np.uint8)
    digits = torch.from_numpy((load_digits().images[:NUMBER] * 255 / 16).astype(np.uint8))[:, None].float()
    yield "digits", torch.nn.functional.interpolate(digits, size=32, mode="bilinear").byte().repeat(1, 3, 1, 1).numpy()


def main() -> None:
    backbone = catalogue.load("embedded/resnet10-procedural").eval()
    source = backbone.statistics
    if source is None:
        raise SystemExit("The backbone brings no statistics")
    found = {}
    for name, pictures in targets(source.rows):
        with torch.inference_mode():
            features = backbone(torch.from_numpy(pictures)).numpy()
        found[name] = distances(source, features)
        print(name, found[name])
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
