"""How far a few labels go on frozen features of a backbone made from patterns: its development targets.

    python benchmarks/embedded_development.py --backbone embedded/resnet10-procedural
    python benchmarks/embedded_development.py --backbone local:patterns --seeds 10

Recipes are chosen by these targets and by no others: upper-case letters and Greek letters in the fonts that matplotlib
brings, and scenes of two plain objects (tests/pretrain/heldout.py). Digits and lower-case letters are the final targets
and are not opened here. Arms: logistic regression on the frozen features, on those of a random copy of the network
(BatchNorm statistics taken from the target's pictures), and on pixels. Accuracy in percent, mean over draws of the
labelled pictures with its 95 % interval (Student's t); all arms see the same draws. Needs matplotlib.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import string
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy.stats import t as student
from torch import nn

from headstart.backbones import catalogue
from headstart.backbones.chain import Backbone
from headstart.measure import logistic

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.pretrain.heldout import scenes

GREEK = "ΓΔΘΛΞΠΣΦΨΩαβγδζηθλμξπσφψ"
PER_CLASS, TAUGHT, SIZE = 45, 20, 32
"""Pictures a class, how many of them may be labelled (the others are asked), and their side in pixels."""

Target = tuple[np.ndarray, np.ndarray]
Features = Callable[[np.ndarray], np.ndarray]


def fonts() -> list[str]:
    """The text fonts of matplotlib that have Greek letters."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise SystemExit("The letters need the fonts of matplotlib: python -m pip install matplotlib")
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    kinds = [*folder.glob("DejaVu*.ttf"), *folder.glob("STIXGeneral*.ttf")]
    return sorted(str(path) for path in kinds if "Display" not in path.name)


def letters(alphabet: Sequence[str], seed: int, size: int = SIZE) -> Target:
    """Letters in random fonts, sizes and places, turned by up to 12 degrees, light on dark or dark on light."""
    rng, known = np.random.default_rng(seed), fonts()
    labels = np.repeat(np.arange(len(alphabet)), PER_CLASS)
    drawn = [_letter(alphabet[int(label)], known[rng.integers(len(known))], rng, size) for label in labels]
    return np.stack(drawn), labels


def _letter(letter: str, font: str, rng: np.random.Generator, size: int) -> np.ndarray:
    image = Image.new("L", (96, 96), 0)
    pen, shape = ImageDraw.Draw(image), ImageFont.truetype(font, int(rng.uniform(48, 72)))
    left, top, right, bottom = pen.textbbox((0, 0), letter, font=shape)
    place = (48 - (left + right) / 2 + rng.uniform(-6, 6), 48 - (top + bottom) / 2 + rng.uniform(-6, 6))
    pen.text(place, letter, font=shape, fill=255)
    image = image.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR)
    grey = np.asarray(image.resize((size, size), Image.Resampling.BOX), np.float32)
    if rng.random() < 0.5:
        grey = 255 - grey
    noisy = np.clip(grey + rng.normal(0, 8, grey.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[None], 3, axis=0)


def frozen(backbone: Backbone) -> Features:
    """Pooled features after the last stage."""

    def features(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            parts = [backbone(part) for part in torch.from_numpy(images).split(256)]
        return torch.cat(parts).float().numpy()

    return features


def settled(backbone: Backbone) -> Features:
    """The same for a random network, whose norms first take the statistics of the pictures."""

    def features(images: np.ndarray) -> np.ndarray:
        norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        frozen(backbone)(images)
        backbone.eval()
        return frozen(backbone)(images)

    return features


def accuracies(features: np.ndarray, labels: np.ndarray, shots: int, seeds: int) -> list[float]:
    """Percent right of a probe with ``shots`` labels a class, one number a draw."""
    classes, found = int(labels.max()) + 1, []
    for seed in range(seeds):
        rng = np.random.default_rng(100 + seed)
        order = [rng.permutation(np.flatnonzero(labels == label)) for label in range(classes)]
        taught = np.concatenate([each[:shots] for each in order])
        asked = np.concatenate([each[TAUGHT:] for each in order])
        probe = logistic.fit(features[taught], labels[taught], classes=classes, penalty=1.0, standardise=True)
        found.append(100 * float((probe.outputs(features[asked]).argmax(1) == labels[asked]).mean()))
    return found


def main() -> None:
    """Print a table, and the same as one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="embedded/resnet10-procedural")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    backbone = catalogue.load(given.backbone).eval()
    bare = catalogue.load(backbone.info.architecture, weights=False, seed=0).eval()
    targets = {
        "upper case": letters(string.ascii_uppercase, 1),
        "Greek": letters(GREEK, 2),
        "scenes": scenes(PER_CLASS, 3),
    }
    arms: dict[str, Features] = {
        "frozen": frozen(backbone),
        "random": settled(bare),
        "pixels": lambda images: images.reshape(len(images), -1).astype(np.float32) / 255,
    }
    found = []
    for target, (images, labels) in targets.items():
        for arm, extract in arms.items():
            features = extract(images)
            for shots in (1, 5, 10):
                scores = accuracies(features, labels, shots, given.seeds)
                half = student.ppf(0.975, len(scores) - 1) * np.std(scores, ddof=1) / len(scores) ** 0.5
                row = {"target": target, "arm": arm, "shots": shots, "accuracy": float(np.mean(scores)), "half": half}
                found.append(
                    {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}
                )
                print(f"{target:<12}{arm:<8}{shots:>3} shots {row['accuracy']:6.1f} ± {half:.1f}", flush=True)
    print(json.dumps({"backbone": given.backbone, "digest": backbone.digest(), "seeds": given.seeds, "rows": found}))


if __name__ == "__main__":
    main()
