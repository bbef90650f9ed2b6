"""The tensors' resize gives the bytes that Pillow's gives, whatever the shape, the filter and the crop."""

from __future__ import annotations

import numpy as np
import PIL
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.base.errors import BadOption
from headstart.base.vocabulary import Preprocessing
from headstart.data import images
from headstart.data.resampling import Square

SHARP = st.integers(0, 2**32 - 1)


def noise(seed: int, height: int, width: int) -> np.ndarray:
    """Black and white pixels in each channel: what bicubic overshoots most on, and rounds in every direction."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 2, (height, width, 3), dtype=np.uint8) * np.uint8(255)


def squared(square: Square, picture: np.ndarray) -> np.ndarray:
    return square(torch.from_numpy(picture)[None])[0].numpy()


@settings(max_examples=60)
@given(
    seed=SHARP,
    height=st.integers(1, 160),
    width=st.integers(1, 160),
    size=st.integers(1, 64),
    interpolation=st.sampled_from(["nearest", "bilinear", "bicubic"]),
    crop=st.one_of(st.sampled_from([1.0, 0.875, 0.95, 0.9]), st.floats(0.05, 1.0)),
)
def test_any_picture_becomes_the_bytes_that_load_gives(
    seed: int, height: int, width: int, size: int, interpolation: str, crop: float
) -> None:
    preprocessing = Preprocessing(size, interpolation=interpolation, crop=crop)
    picture = noise(seed, height, width)
    assert np.array_equal(squared(Square(preprocessing), picture), images.load(picture, preprocessing))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (32, 32), (33, 31), (31, 33), (700, 500), (40, 2000)])
def test_the_shapes_that_are_easily_got_wrong(shape: tuple[int, int], interpolation: str) -> None:
    preprocessing = Preprocessing(32, interpolation=interpolation)
    picture = noise(sum(shape), *shape)
    assert np.array_equal(squared(Square(preprocessing), picture), images.load(picture, preprocessing))


def test_a_batch_is_its_pictures() -> None:
    square = Square(Preprocessing(24, crop=0.875))
    batch = np.stack([noise(seed, 50, 70) for seed in range(3)])
    found = square(torch.from_numpy(batch)).numpy()
    assert found.dtype == np.uint8 and found.shape == (3, 3, 24, 24)
    assert all(np.array_equal(found[i], squared(square, batch[i])) for i in range(3))


def test_the_order_of_the_passes_is_that_of_the_installed_pillow() -> None:
    """From version 13 on Pillow resizes very tall pictures vertically first; the other order gives other bytes."""
    picture = noise(0, 300, 40)
    wanted = np.asarray(Image.fromarray(picture).resize((32, 32), 3, box=(0, 130, 40, 170))).transpose(2, 0, 1)
    orders = {first: squared(Square(Preprocessing(32), tall_first=first), picture) for first in (True, False)}
    assert not np.array_equal(orders[True], orders[False])
    assert np.array_equal(orders[int(PIL.__version__.split(".")[0]) >= 13], wanted)


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(BadOption, match="lanczos"):
        Square(Preprocessing(8, interpolation="lanczos"))
