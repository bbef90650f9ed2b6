from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance
from sklearn.datasets import load_sample_images

from headstart.data import fingerprint, images, pixels


def parts() -> list[Image.Image]:
    """Two photographs and 36 pieces of them."""
    found = []
    for values in load_sample_images().images:
        whole = Image.fromarray(values)
        found.append(whole)
        for left in range(0, whole.width - 159, 96):
            for top in range(0, whole.height - 159, 128):
                found.append(whole.crop((left, top, left + 160, top + 160)))
    return found


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def trimmed(image: Image.Image, share: float) -> Image.Image:
    width, height = image.size
    return image.crop((int(width * share), int(height * share), int(width * (1 - share)), int(height * (1 - share))))


def of(item: object) -> np.ndarray:
    return fingerprint.of(pixels.read(item)).astype(np.float64)


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], float]] = {
    "JPEG 50": (lambda image: jpeg(image, 50), 0.95),
    "JPEG 20": (lambda image: jpeg(image, 20), 0.9),
    "half size": (lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC), 1.0),
    "64 pixels": (lambda image: image.resize((64, 64), Image.Resampling.BILINEAR), 0.9),
    "brighter": (lambda image: ImageEnhance.Brightness(image).enhance(1.15), 0.85),
    "more contrast": (lambda image: ImageEnhance.Contrast(image).enhance(1.2), 0.8),
    "trimmed 0.5 % all round": (lambda image: trimmed(image, 0.005), 0.8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_picture_changed_is_near(change: str) -> None:
    change_it, least = CHANGES[change]
    apart = np.array([np.linalg.norm(of(image) - of(change_it(image))) for image in parts()])
    assert (apart <= fingerprint.NEAR).mean() >= least


def test_different_pieces_of_one_photograph_are_not() -> None:
    pieces = [image for image in parts() if image.size == (160, 160)]
    prints = np.stack([of(piece) for piece in pieces[::2]])  # every other one: neighbours overlap
    apart = np.linalg.norm(prints[:, None] - prints[None], axis=2) + 9 * np.eye(len(prints))
    assert apart.min() > fingerprint.NEAR


def flat(colour: str, box: tuple[int, int, int, int] = (16, 16, 48, 48)) -> Image.Image:
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).ellipse(box, fill=colour)
    return image


def test_flat_graphics_of_another_colour_or_place_are_different() -> None:
    drawn = [flat(colour) for colour in ("red", "blue", "green", "black", "orange")]
    drawn += [flat("red", (20, 16, 52, 48)), flat("red", (16, 16, 44, 44))]
    prints = np.stack([of(image) for image in drawn])
    apart = np.linalg.norm(prints[:, None] - prints[None], axis=2) + 9 * np.eye(len(prints))
    assert apart.min() > fingerprint.NEAR


def test_blank_pictures_are_alike_but_not_light_and_dark_ones() -> None:
    rng = np.random.default_rng(0)
    scans = [np.clip(rng.normal(240, 1, (40, 40, 3)), 0, 255).astype(np.uint8) for _ in range(2)]
    assert np.linalg.norm(of(scans[0]) - of(scans[1])) <= fingerprint.NEAR
    white, black = np.full((9, 9), 255, np.uint8), np.zeros((9, 9), np.uint8)
    assert np.linalg.norm(of(white) - of(black)) > fingerprint.NEAR


def test_orientation_marks_are_obeyed() -> None:
    image = parts()[1]
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(stream, "PNG", exif=exif)
    assert np.linalg.norm(of(image) - of(Image.open(stream))) <= fingerprint.NEAR / 10


def test_one_decoding_gives_facts_and_fingerprint() -> None:
    image = parts()[2]
    facts, found = images.glance(image)
    assert facts == images.facts(image)
    assert np.allclose(found, of(image), atol=0.01)
    assert found.dtype == np.float16
