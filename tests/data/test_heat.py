"""Heat over pictures: where the network saw it, in the picture's own shape, on whatever kind of picture."""

import io

import numpy as np
import pytest
from PIL import Image

from headstart.base.errors import Undecodable
from headstart.base.vocabulary import Preprocessing
from headstart.data import images


def laid_over(item, heat, size=120, crop=1.0):
    made = images.overlay(item, np.asarray(heat, dtype=np.float64), Preprocessing(32, crop=crop), size)
    with Image.open(io.BytesIO(made)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def hot(shown):
    """Where there is colour: the picture below is grey."""
    return shown[:, :, 0] - shown[:, :, 2] > 40


GREY = np.full((40, 80, 3), 100, dtype=np.uint8)
CORNER = np.zeros((4, 4))
CORNER[0, 0] = 1


def test_heat_lies_in_the_central_square_that_the_network_saw():
    shown = laid_over(GREY, np.ones((2, 2)))
    assert shown.shape == (60, 120, 3)
    assert hot(shown)[:, 30:90].all() and not hot(shown)[:, :30].any() and not hot(shown)[:, 90:].any()
    assert shown[:, :29].mean() < shown[:, 30:90].mean(), "what was not seen is darker"


def test_a_crop_moves_the_heat_inwards():
    rows, columns = np.nonzero(hot(laid_over(GREY[:, :40], np.ones((2, 2)), crop=0.5)))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 89, 30, 89)


def test_heat_in_a_corner_stays_in_that_corner_however_the_picture_was_turned():
    upright = Image.fromarray(GREY[:, :40])
    for orientation in range(1, 9):
        stream = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = orientation
        upright.save(stream, "PNG", exif=exif)
        rows, columns = np.nonzero(hot(laid_over(stream.getvalue(), CORNER)))
        assert rows.max() < 60 and columns.max() < 60, "heat is upright, as what the network reads"


def test_no_heat_is_a_grey_picture_and_more_heat_more_colour():
    photo = np.random.default_rng(0).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    none, some, full = (laid_over(photo, np.full((3, 3), share)) for share in (0.0, 0.5, 1.0))
    assert (none[..., 0] == none[..., 1]).all() and (none[..., 1] == none[..., 2]).all()
    colour = [int((each[..., 0] - each[..., 2]).sum()) for each in (none, some, full)]
    assert colour[0] == 0 < colour[1] < colour[2]


@pytest.mark.parametrize(
    "item",
    [
        np.zeros((8, 8), dtype=np.uint8),
        np.zeros((1, 300), dtype=np.uint8),
        np.full((5, 7), 40_000, dtype=np.uint16),
        Image.new("RGBA", (20, 10), (255, 0, 0, 0)),
        Image.new("P", (9, 9)),
    ],
    ids=["tiny", "a line", "sixteen bits", "transparent", "palette"],
)
def test_any_picture_takes_heat(item):
    shown = laid_over(item, np.ones((7, 7)))
    assert max(shown.shape[:2]) == 120 and hot(shown).any()


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(Undecodable, match="no such file"):
        images.overlay(str(tmp_path / "gone.png"), np.ones((2, 2)), Preprocessing(32))
