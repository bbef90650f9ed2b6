"""What is measured of pictures, against pictures made to have it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from headstart.base.errors import Undecodable
from headstart.base.vocabulary import BackboneInfo, Preprocessing
from headstart.data import appearance
from tests.data.pictures import noise


def smooth_noise(side: int, seed: int = 0) -> Image.Image:
    """Detail at every scale, down to single pixels, as photographs have it."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side))
    for octave in range(int(math.log2(side)) + 1):
        small = Image.fromarray(rng.normal(size=(2**octave, 2**octave)).astype(np.float32))
        total += np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)) / 2 ** (octave / 2)
    low, high = total.min(), total.max()
    return Image.fromarray(((total - low) / (high - low) * 255).astype(np.uint8)).convert("RGB")


def test_a_file_says_how_it_was_recorded(tmp_path: Path) -> None:
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Acme", "Eye 3"
    Image.new("RGB", (400, 200), (255, 0, 0)).save(path, exif=exif, quality=80)
    found = appearance.measure(str(path))
    assert set(found) == set(appearance.FACTS)
    assert (found["width"], found["height"], found["short_side"]) == (200, 400, 200), "upright"
    assert (found["elongation"], found["aspect"]) == (2, 0.5)
    assert (found["format"], found["mode"], found["camera"], found["turned"]) == ("JPEG", "RGB", "Acme Eye 3", 1)
    assert found["bytes"] == path.stat().st_size
    assert found["red"] == pytest.approx(254 / 255, abs=0.01) and found["saturation"] == pytest.approx(1, abs=0.01)
    assert (found["grey"], found["frame"]) == (0, "plain") and found["contrast"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("quality", [20, 30, 50, 75, 95])
def test_the_quality_of_a_jpeg_is_read_from_its_table(tmp_path: Path, quality: int) -> None:
    Image.fromarray(noise(0, 32, 32)).save(tmp_path / "a.jpg", quality=quality)
    assert appearance.measure(tmp_path / "a.jpg")["quality"] == pytest.approx(quality, abs=2)
    Image.fromarray(noise(0, 32, 32)).save(tmp_path / "a.png")
    assert math.isnan(float(appearance.measure(tmp_path / "a.png")["quality"]))


def test_a_picture_in_memory_has_no_file() -> None:
    found = appearance.measure(np.full((20, 10), 128, np.uint8))
    assert found["format"] == "" and math.isnan(float(found["bytes"])) and found["grey"] == 1


@pytest.mark.parametrize(("colour", "frame"), [((0, 0, 0), "black"), ((255, 255, 255), "white"), ((90, 0, 0), "plain")])
def test_a_border_of_one_colour_is_seen(colour: tuple[int, int, int], frame: str) -> None:
    picture = Image.new("RGB", (60, 40), colour)
    picture.paste(Image.fromarray(noise(1, 20, 30)), (10, 10))
    assert appearance.measure(picture)["frame"] == frame
    assert appearance.measure(noise(1, 40, 60))["frame"] == ""


@pytest.mark.parametrize("side", [96, 512])
def test_an_enlarged_picture_holds_no_more_detail_than_it_had(side: int) -> None:
    sharp = smooth_noise(side)
    assert appearance.measure(sharp)["detail"] == side
    for factor in (4, 8):
        small = sharp.resize((side // factor,) * 2, Image.Resampling.BICUBIC)
        found = appearance.measure(small.resize((side, side), Image.Resampling.BICUBIC))
        assert found["detail"] <= 2 * side / factor
    assert appearance.measure(sharp.filter(ImageFilter.GaussianBlur(8)))["detail"] <= side / 4


def test_transparency_is_what_lets_something_through(tmp_path: Path) -> None:
    whole = np.dstack([noise(0), np.full(noise(0).shape[:2], 255, np.uint8)])
    clear = whole.copy()
    clear[3, 3, 3] = 254
    indexed = Image.fromarray(noise(0)).quantize(8)
    indexed.save(tmp_path / "a.gif", transparency=indexed.getpixel((0, 0)))
    for item, so in ((whole, 0), (clear, 1), (noise(0), 0), (tmp_path / "a.gif", 1)):
        assert appearance.measure(item)["transparent"] == so
    for item, so in ((whole, 0), (clear, 1)):
        assert appearance.measure(Image.fromarray(item))["transparent"] == so
        Image.fromarray(item).save(tmp_path / "a.png")
        assert appearance.measure(tmp_path / "a.png")["transparent"] == so


def test_the_range_of_few_bits_in_many_is_small() -> None:
    values = np.linspace(0, 4095, 64 * 64).reshape(64, 64)
    assert appearance.measure(values.astype(np.uint16))["range"] == pytest.approx(1 / 16, abs=0.01)
    assert appearance.measure((16 * values).astype(np.uint16))["range"] == pytest.approx(1, abs=0.01)


def test_what_does_not_decode_is_said_to(tmp_path: Path) -> None:
    with pytest.raises(Undecodable, match="no such file"):
        appearance.measure(tmp_path / "gone.png")


def test_a_large_jpeg_is_measured_at_its_full_size(tmp_path: Path) -> None:
    smooth_noise(1024).save(tmp_path / "a.jpg", quality=95)
    found = appearance.measure(tmp_path / "a.jpg")
    assert (found["width"], found["height"]) == (1024, 1024) and found["detail"] == 1024


def test_what_a_backbone_expects_names_facts_that_are_measured() -> None:
    info = BackboneInfo("a/b", "a/b", 0, (), 8, Preprocessing(size=64))
    named = appearance.expects(info)
    assert {demand.fact for demand in named} <= set(appearance.FACTS)
    assert next(each for each in named if each.name == "resolution").low == 32
    assert {each.name for each in appearance.expects(None)} < {each.name for each in named}
