"""What is to be learnt: pictures of 32 pixels a side whose labels are known because they were drawn from them.

Three families, so that a source can be another task of the same renderer: plain shapes in random colours (how many,
where, turned how, how large), glyphs in the fonts of matplotlib (also corrupted, also with other class frequencies when
they are tested), and noise in a band of frequencies and directions. scikit-learn's digits are the one target that
nobody drew here.

A part is a named draw: "population" is drawn once and only ever tested on, "labelled" once for each seed. Digits cannot
be drawn, so half of them are the population and the labelled ones come from the other half.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits

from benchmarks import embedded_development as development
from headstart.base import seeds

SIDE = 32
POPULATION = 20_000
"""Pictures that a generated target is tested on, at least."""
VERSION = 1
"""Goes up when a generator draws anything else, so that no older result is mistaken for one of these."""
KINDS = ("disc", "square", "ring", "cross", "bar", "triangle")
DIRECTIONS = 6
"""Directions of a bar that are told apart, 30 degrees from one to the next."""
RADII = ((2.0, 2.8), (3.3, 4.2), (5.0, 6.2), (7.4, 8.8), (10.5, 12.5))
"""Ranges of radii in pixels, one a size; between them is a gap that no picture falls into."""
CAPITALS = "ABEGKRSW"
BANDS = ((0.10, 0.16), (0.20, 0.28))
"""Frequencies of a texture, cycles a pixel."""
ANGLES = (0, 45, 90)
"""Directions of its waves, degrees; the textures of a source lie between them."""
SHIFTED = 8.0
"""How much more frequent the first class is than the last when label-shifted letters are tested."""


@dataclass(frozen=True)
class Target:
    """A thing to learn.

    Attributes:
        family: the renderer: "shapes", "glyphs", "textures"; "digits" were not drawn here.
        classes: how many.
        render: from labels (n,) and a generator to pictures (n, 32, 32, 3) uint8; None for digits.
        skew: how much more frequent the first class is than the last in the population.
        what: in words.
    """

    family: str
    classes: int
    render: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None
    what: str
    skew: float = 1.0


Pictures = tuple[np.ndarray, np.ndarray]


def labelled(name: str, per_class: int, seed: int, part: str = "labelled") -> Pictures:
    """``per_class`` pictures of every class (n, 32, 32, 3) uint8, and their labels (n,); another draw for each seed."""
    target = TARGETS[name]
    draw = seeds.generator(seed, "decision", name, part)
    if target.render is None:
        images, labels = _digits(part)
        rows = [draw.permutation(np.flatnonzero(labels == label))[:per_class] for label in range(target.classes)]
        chosen = np.concatenate(rows)
        return images[chosen], labels[chosen]
    labels = np.repeat(np.arange(target.classes), per_class)
    return _in_parts(target.render, labels, draw), labels


def population(name: str, size: int = POPULATION) -> Pictures:
    """What a model is tested on: at least ``size`` pictures, or the half of the digits that is kept for this."""
    if TARGETS[name].render is None:
        return _digits("population")
    labels = population_labels(name, size)
    return _in_parts(TARGETS[name].render, labels, seeds.generator(0, "decision", name, "population")), labels


def population_labels(name: str, size: int = POPULATION) -> np.ndarray:
    """Labels of the population, which cost nothing to know."""
    target = TARGETS[name]
    if target.render is None:
        return _digits("population")[1]
    shares = target.skew ** -(np.arange(target.classes) / max(1, target.classes - 1))
    counts = np.ceil(size * shares / shares.sum()).astype(int)
    return np.repeat(np.arange(target.classes), counts)


def _in_parts(
    render: Callable[[np.ndarray, np.random.Generator], np.ndarray], labels: np.ndarray, draw: np.random.Generator
) -> np.ndarray:
    return np.concatenate([render(part, draw) for part in np.array_split(labels, -(-len(labels) // 1000))])


@cache
def _digits(part: str) -> Pictures:
    data = load_digits()
    order = np.random.default_rng(5).permutation(len(data.target))
    half = len(order) // 2
    rows = np.sort(order[:half] if part == "population" else order[half:])
    grey = np.round(data.images[rows] * 255 / 16).astype(np.uint8)
    return np.repeat(grey[..., None], 3, 3), data.target[rows].astype(np.int64)


def paint(ink: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Coverage (n, 32, 32) in two colours that differ by at least 80 levels in brightness, with a little noise."""
    n = len(ink)
    ground = draw.uniform(0, 255, (n, 3))
    up = ground.mean(axis=1) < 127.5
    away = draw.uniform(80, 127, (n, 1)) * np.where(up, 1, -1)[:, None]
    colour = (ground + away + draw.uniform(-25, 25, (n, 3))).clip(0, 255)
    mixed = ground[:, None, None] + ink[..., None] * (colour - ground)[:, None, None]
    return (mixed + draw.normal(0, 8, mixed.shape)).clip(0, 255).astype(np.uint8)


def stamp(kind: np.ndarray, centre: np.ndarray, radius: np.ndarray, angle: np.ndarray | float = 0.0) -> np.ndarray:
    """Coverage (n, 32, 32) of shapes by signed distance, about one pixel of it soft.

    Args:
        kind: (n,) positions in ``KINDS``.
        centre: (n, 2) as (x, y) in pixels.
        radius: (n,) pixels.
        angle: (n,) radians.
    """
    at = np.arange(SIDE) + 0.5
    x = at[None, None, :] - centre[:, 0, None, None]
    y = at[None, :, None] - centre[:, 1, None, None]
    turn = np.broadcast_to(angle, len(kind))[:, None, None]
    u, v, r = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn), radius[:, None, None]
    across, down, far = np.abs(u), np.abs(v), np.hypot(u, v)
    distances = (
        far - r,
        np.maximum(across, down) - 0.886 * r,
        np.abs(far - 0.75 * r) - 0.25 * r,
        np.minimum(np.maximum(across - r, down - 0.3 * r), np.maximum(across - 0.3 * r, down - r)),
        np.maximum(across - r, down - 0.3 * r),
        np.maximum(v - 0.6 * r, 0.866 * across - 0.5 * v - 0.6 * r),
    )
    found = np.zeros((len(kind), SIDE, SIDE))
    for number, distance in enumerate(distances):
        own = kind == number
        found[own] = (0.5 - distance[own]).clip(0, 1)
    return found


def _count(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """One to six dots, each in its own ninth of the picture."""
    n = len(labels)
    ink, ninths = np.zeros((n, SIDE, SIDE)), np.argsort(draw.random((n, 9)), axis=1)
    for number in range(labels.max() + 1):
        cell = ninths[:, number]
        centre = np.stack([cell % 3, cell // 3], axis=1) * 10 + 6 + draw.uniform(-1.5, 1.5, (n, 2))
        dots = stamp(draw.integers(0, 2, n), centre, draw.uniform(1.6, 3.0, n))
        ink += dots * (labels >= number)[:, None, None]
    return paint(ink, draw)


def _position(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """One shape of any kind in one ninth of the picture."""
    n = len(labels)
    centre = np.stack([labels % 3, labels // 3], axis=1) * 32 / 3 + 16 / 3 + draw.uniform(-2.5, 2.5, (n, 2))
    turn = draw.uniform(0, 2 * np.pi, n)
    return paint(stamp(draw.integers(0, len(KINDS), n), centre, draw.uniform(2.5, 4.5, n), turn), draw)


def _orientation(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A bar, turned to one of six directions and up to 7 degrees away from it."""
    n = len(labels)
    turn = np.deg2rad(labels * 180 / DIRECTIONS + draw.uniform(-7, 7, n))
    bars = np.full(n, KINDS.index("bar"))
    return paint(stamp(bars, 16 + draw.uniform(-4, 4, (n, 2)), draw.uniform(5, 10, n), turn), draw)


def _size(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A disc or a square of one of five sizes."""
    n, ranges = len(labels), np.array(RADII)[labels]
    radius = draw.uniform(ranges[:, 0], ranges[:, 1])
    room = (15.5 - 1.26 * radius).clip(0, 8)[:, None]
    turn = draw.uniform(0, 2 * np.pi, n)
    return paint(stamp(draw.integers(0, 2, n), 16 + draw.uniform(-1, 1, (n, 2)) * room, radius, turn), draw)


def _kind(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A shape of any size, place and turn; which one it is."""
    n = len(labels)
    turn = draw.uniform(0, 2 * np.pi, n)
    return paint(stamp(labels, 16 + draw.uniform(-5, 5, (n, 2)), draw.uniform(4, 10, n), turn), draw)


def waves(low: np.ndarray, high: np.ndarray, angle: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Noise (n, 32, 32) of unit spread in a band of frequencies (cycles a pixel), within 15 degrees of a direction."""
    n = len(low)
    fx, fy = np.fft.fftfreq(SIDE)[None, None, :], np.fft.fftfreq(SIDE)[None, :, None]
    far, turn = np.hypot(fx, fy), np.rad2deg(np.arctan2(fy, fx))
    off = np.abs((turn - angle[:, None, None] + 90) % 180 - 90)
    within = (far >= low[:, None, None]) & (far <= high[:, None, None]) & (off <= 15)
    field = np.fft.ifft2(within * np.fft.fft2(draw.normal(size=(n, SIDE, SIDE)))).real
    return field / field.std(axis=(1, 2), keepdims=True).clip(1e-9)


def _textures(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Two bands of frequencies in three directions."""
    band, angle = np.array(BANDS)[labels // len(ANGLES)], np.array(ANGLES)[labels % len(ANGLES)]
    return _woven(band, angle.astype(float), draw)


def _other_textures(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Three other bands in four other directions."""
    band = np.array([(0.06, 0.12), (0.15, 0.22), (0.28, 0.36)])[labels // 4]
    return _woven(band, 22.5 + 45.0 * (labels % 4), draw)


def _woven(band: np.ndarray, angle: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    field = waves(band[:, 0], band[:, 1], angle, draw)
    field += draw.uniform(0.3, 0.9, (len(band), 1, 1)) * draw.normal(size=field.shape)
    return paint(0.5 + 0.25 * field, draw)


def _letters(alphabet: str) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    def render(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        fonts = development.fonts()
        drawn = [
            development._letter(alphabet[int(label)], fonts[draw.integers(len(fonts))], draw, SIDE) for label in labels
        ]
        return np.stack(drawn).transpose(0, 2, 3, 1)

    return render


def corrupt(pictures: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Each picture blurred, faded, covered by a grey patch and made noisy, by random amounts."""
    n = len(pictures)
    found = np.empty(pictures.shape, np.float64)
    for row, (picture, blur) in enumerate(zip(pictures, draw.uniform(0, 1.2, n), strict=True)):
        found[row] = ndimage.gaussian_filter(picture.astype(np.float64), (blur, blur, 0))
    found = 128 + (found - 128) * draw.uniform(0.3, 0.8, (n, 1, 1, 1))
    at, corner = np.arange(SIDE), draw.integers(0, SIDE - 9, (n, 2))
    covered = [(at >= corner[:, i, None]) & (at < corner[:, i, None] + 9) for i in (0, 1)]
    found[covered[0][:, :, None] & covered[1][:, None, :]] = 128
    return (found + draw.normal(0, 1, found.shape) * draw.uniform(10, 40, (n, 1, 1, 1))).clip(0, 255).astype(np.uint8)


def _corrupted(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    return corrupt(_letters(CAPITALS)(labels, draw), draw)


TARGETS: dict[str, Target] = {
    "digits": Target("digits", 10, None, "scikit-learn's digits"),
    "letters": Target("glyphs", len(CAPITALS), _letters(CAPITALS), "eight capital letters in 16 fonts"),
    "corrupted letters": Target(
        "glyphs", len(CAPITALS), _corrupted, "the same letters blurred, faded, partly covered and noisy"
    ),
    "shifted letters": Target(
        "glyphs",
        len(CAPITALS),
        _letters(CAPITALS),
        "the same letters, labelled in equal numbers, tested where the first is eight times as frequent as the last",
        skew=SHIFTED,
    ),
    "count": Target("shapes", 6, _count, "how many dots, one to six"),
    "position": Target("shapes", 9, _position, "in which ninth of the picture a shape is"),
    "orientation": Target("shapes", DIRECTIONS, _orientation, "which way a bar is turned, in steps of 30 degrees"),
    "size": Target("shapes", len(RADII), _size, "how large a disc or a square is, five sizes"),
    "textures": Target("textures", 6, _textures, "noise in two bands of frequencies and three directions"),
    "lower case": Target("glyphs", 26, _letters(string.ascii_lowercase), "the lower-case letters (a source)"),
    "kinds of shape": Target("shapes", len(KINDS), _kind, "which of six shapes it is (a source)"),
    "other textures": Target("textures", 12, _other_textures, "three other bands in four other directions (a source)"),
}
"""Everything that is drawn; what sources learn is at the end, and is never a target."""
