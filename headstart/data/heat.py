"""Heat laid over a picture: the picture in grey, the square that a network saw of it, and what in it counted.

The hue is one and only its strength varies, so that it reads the same for everybody.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from headstart.base.vocabulary import Preprocessing
from headstart.data.pixels import Picture

_HEAT = np.array([255.0, 120.0, 0.0])
_STRONGEST = 0.8
"""Share of the heat's colour where it is 1."""
_UNSEEN = 0.45
"""Brightness of what the network did not see."""
_PAPER = 0.25
"""How far the grey picture is lightened, so that heat shows on dark ones."""


def over(picture: Picture, heat: np.ndarray, preprocessing: Preprocessing, size: int) -> bytes:
    """A PNG of the whole picture, upright, its long side ``size`` pixels.

    Args:
        picture: as it was decoded.
        heat: (h, w) from 0 to 1, over the central square that ``preprocessing`` cuts out.
        preprocessing: which square that is.
        size: pixels.
    """
    image = picture.upright(picture.image)
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    # A tiny picture is shown as the squares that it consists of.
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BICUBIC
    grey = np.asarray(image.convert("L").resize((width, height), how), dtype=np.float64)
    shown = np.repeat((grey + _PAPER * (255 - grey))[:, :, None], 3, axis=2)
    side = min(width, height) * preprocessing.crop
    left, top = round((width - side) / 2), round((height - side) / 2)
    across = max(1, round(side))
    seen = (slice(top, top + across), slice(left, left + across))
    whole = np.zeros((height, width))
    part = whole[seen]
    soft = Image.fromarray(heat.astype(np.float32)).resize((part.shape[1], part.shape[0]), Image.Resampling.BILINEAR)
    part[:] = _STRONGEST * np.asarray(soft).clip(0, 1)
    shown += whole[:, :, None] * (_HEAT - shown)
    unseen = np.ones((height, width), dtype=bool)
    unseen[seen] = False
    shown[unseen] *= _UNSEEN
    stream = io.BytesIO()
    Image.fromarray(shown.round().astype(np.uint8)).save(stream, "PNG", optimize=True)
    return stream.getvalue()
