"""What pictures are like, in plain numbers: size, shape, colour, detail, and how they were recorded.

Findings compare these numbers and never see a picture. ``FACTS`` says what each is called; ``expects`` says which of
them a backbone can do little with.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from headstart.base.vocabulary import BackboneInfo, Demand, Fact
from headstart.data import pixels

FACTS: dict[str, Fact] = {
    "width": Fact("width", unit="pixels", recording=True),
    "height": Fact("height", unit="pixels", recording=True),
    "short_side": Fact("short side", unit="pixels", recording=True),
    "elongation": Fact("long side divided by short side"),
    "aspect": Fact("width divided by height", recording=True),
    "bytes": Fact("file size", unit="bytes"),
    "format": Fact("file format", recording=True),
    "mode": Fact("number and kind of colour channels", recording=True),
    "quality": Fact("JPEG quality", recording=True),
    "camera": Fact("camera named in the file", recording=True),
    "turned": Fact("orientation mark in the file", recording=True),
    "frame": Fact("colour of the border", recording=True),
    "detail": Fact("smallest side that loses nothing", unit="pixels"),
    "grey": Fact("lack of colour", recording=True),
    "red": Fact("mean red"),
    "green": Fact("mean green"),
    "blue": Fact("mean blue"),
    "contrast": Fact("contrast"),
    "saturation": Fact("saturation"),
    "animated": Fact("more than one picture in the file"),
    "range": Fact("share of the range from black to white"),
    "transparent": Fact("transparency"),
}
"""Name -> what it is. A file's size follows from what the picture shows, so it is no mark of the recording."""

LEAST = 256
"""Short side, in pixels, down to which a large JPEG is decoded to be measured."""
NARROW = 0.2
"""Share of the range from black to white, between the darkest and the lightest place of a picture, below which it is
faint: 12 bits in a file of 16 have a sixteenth."""
_SIDE = 64
_PLAIN = 6
"""Levels of 255 by which a border of one colour may vary."""
_NOTHING_LOST = 0.05
"""Share of the contrast that may be lost when a picture is made smaller and larger again, and still nobody sees it."""


def measure(item: Any) -> dict[str, float | str]:
    """The facts of one picture, upright: a float, NaN where it has no such thing, or a short text.

    Raises:
        Undecodable: as ``pixels.read``.
    """
    return of(pixels.read(item, least=LEAST))


def of(picture: pixels.Picture) -> dict[str, float | str]:
    """The facts of a picture that was decoded to a short side of at least ``LEAST``, or as it was."""
    width, height = picture.size[::-1] if picture.turn in pixels.ON_THE_SIDE else picture.size
    short, long = min(width, height), max(width, height)
    small = picture.image.copy()
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    red, green, blue = (np.asarray(channel) for channel in small.split())
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    light = (red.astype(np.float32) + green + blue) / (3 * 255)
    return {
        "width": float(width),
        "height": float(height),
        "short_side": float(short),
        "elongation": long / short,
        "aspect": width / height,
        "bytes": float(picture.file.bytes),
        "format": picture.file.format,
        "mode": picture.file.mode,
        "quality": _quality(picture.file.tables),
        "camera": picture.file.camera,
        "turned": float(picture.turn is not None),
        "frame": _frame(picture.image),
        "detail": short * _kept(picture.image),
        "grey": float(spread.max() <= 4),
        "red": float(red.mean()) / 255,
        "green": float(green.mean()) / 255,
        "blue": float(blue.mean()) / 255,
        "contrast": float(light.std()),
        "saturation": float(spread.mean()) / 255,
        "animated": float(picture.file.animated),
        "range": float(np.ptp(light)),
        "transparent": float(picture.file.transparent),
    }


def expects(info: BackboneInfo | None) -> tuple[Demand, ...]:
    """What pictures have to be like, as far as the backbone is known."""
    found = [
        Demand(
            "blank",
            "contrast",
            low=0.01,
            words="show next to nothing but one colour",
            next_move="look at them: nothing can be learnt there",
        ),
        Demand(
            "several_frames",
            "animated",
            high=0.5,
            words="hold several pictures (animations, or pages), of which only the first is read",
            next_move="save the pictures that matter as files of their own",
        ),
        Demand(
            "narrow_range",
            "range",
            low=NARROW,
            unless="blank",
            words=f"use less than {NARROW:.0%} of the range from black to white; backbones were trained on all of it",
            share=0.1,
            next_move="stretch them: divide by the largest value of the recording (4,095 of 12 bits), not of the file",
        ),
        Demand(
            "transparent",
            "transparent",
            high=0.5,
            words="are transparent in places, which is read as white",
            share=0.05,
            next_move="if what matters is white, or the background means something, save them on one of your choice",
        ),
        Demand(
            "elongated",
            "elongation",
            high=2.0,
            words="are over twice as long as wide, or as wide as long: only the middle square is looked at, and "
            "it leaves out more than half",
            share=0.05,
            next_move="cut them, or put borders on them, so that what matters lies in the middle square",
        ),
    ]
    if info is None:
        return tuple(found)
    size = info.preprocessing.size
    found += [
        Demand(
            "resolution",
            "short_side",
            low=size / 2,
            words=f"are enlarged more than twice to fill the {size} pixels that {info.name} reads",
            share=0.1,
            next_move="larger pictures, or a backbone with a smaller input (headstart backbones)",
        ),
        Demand(
            "blurred",
            "detail",
            low=size / 2,
            unless="resolution",
            words=f"hold less detail than half of the {size} pixels that {info.name} reads: blurred, or enlarged",
            share=0.25,
            next_move="the original pictures, if these were enlarged",
        ),
        Demand(
            "colourless",
            "grey",
            high=0.5,
            words=f"have no colour, and {info.name} reads colour",
            share=0.5,
            next_move="nothing, as a rule: grey is repeated in the three channels",
        ),
    ]
    return tuple(found)


def _quality(tables: tuple[int, ...]) -> float:
    """About the JPEG quality, 1 to 100, from the mean of the luminance table (the IJG tables at 50 average 57.6)."""
    if not tables:
        return math.nan
    scale = 100 * (sum(tables) / len(tables)) / 57.625
    return float(round(min(100.0, max(1.0, 100 - scale / 2 if scale <= 100 else 5000 / scale))))


def _frame(image: Image.Image) -> str:
    """ "black", "white" or "plain" for an outermost ring of one colour; "" for any other."""
    if min(image.size) < 8:
        return ""
    width, height = image.size
    sides = [(0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)]
    ring = np.concatenate([np.asarray(image.crop(box)).reshape(-1, 3) for box in sides]).astype(int)
    low, high = ring.min(axis=0), ring.max(axis=0)
    if (high - low).max() > _PLAIN:
        return ""
    return "black" if high.max() <= 2 * _PLAIN else "white" if low.min() >= 255 - 2 * _PLAIN else "plain"


def _kept(image: Image.Image) -> float:
    """The smallest of 1, 1/2, 1/4, 1/8 to which the middle of a picture can be reduced with nothing lost."""
    width, height = image.size
    side = min(width, height, LEAST)
    if side < 16:
        return 1.0
    left, top = (width - side) // 2, (height - side) // 2
    middle = image.crop((left, top, left + side, top + side)).convert("L")
    values = np.asarray(middle, dtype=np.float32)
    contrast = float(values.std())
    share = 1.0
    for factor in (2, 4, 8):
        less = middle.resize((max(1, side // factor),) * 2, Image.Resampling.LANCZOS)
        back = less.resize(middle.size, Image.Resampling.BICUBIC)
        lost = float(np.sqrt(((np.asarray(back, dtype=np.float32) - values) ** 2).mean()))
        # Below a level of 255 there is only rounding.
        if lost > max(_NOTHING_LOST * contrast, 0.75):
            break
        share = 1 / factor
    return share
