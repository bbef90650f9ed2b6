"""Pictures become rows; a sample keeps the classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.base.errors import UnknownName
from headstart.baselines import flat
from tests.baselines.pictures import coloured, ringed


def test_pictures_are_read_in_order() -> None:
    items = [np.full((6, 9, 3), level, dtype=np.uint8) for level in range(0, 200, 10)]
    pixels = flat.read(items, modality="images", size=4)
    assert pixels.shape == (20, 3, 4, 4)
    assert pixels[:, 0, 0, 0].tolist() == list(range(0, 200, 10))


def test_a_misspelt_modality_is_answered() -> None:
    with pytest.raises(UnknownName, match="did you mean images"):
        flat.read([], modality="image", size=4)


def test_grey_pictures_need_one_channel() -> None:
    grey, colour = (flat.read(make(6)[0], modality="images", size=8) for make in (ringed, coloured))
    assert flat.is_grey(grey)
    assert not flat.is_grey(colour)
    assert flat.rows(grey, grey=True).shape == (6, 64)
    assert flat.rows(colour, grey=False).shape == (6, 192)
    assert flat.rows(grey, grey=True) == pytest.approx(grey[:, 0].reshape(6, 64) / 255)


@given(counts=st.lists(st.integers(1, 60), min_size=1, max_size=6), most=st.integers(6, 80), seed=st.integers(0, 99))
def test_a_sample_keeps_every_class_and_about_its_share(counts: list[int], most: int, seed: int) -> None:
    y = np.repeat(np.arange(len(counts)), counts)
    chosen = flat.at_most(most, y, seed)
    assert len(chosen) == len(set(chosen.tolist())) == min(most, len(y))
    assert (np.diff(chosen) > 0).all()
    kept = np.bincount(y[chosen], minlength=len(counts))
    share = min(1, most / len(y))
    assert (kept >= 1).all()
    assert (np.abs(kept - share * np.array(counts)) <= 2 + len(counts)).all()


def test_the_seed_draws_the_sample() -> None:
    y = np.arange(100) % 4
    first, again, other = (flat.at_most(20, y, seed).tolist() for seed in (0, 0, 1))
    assert first == again != other
