"""The ridge on pixels is the ridge of the measures, and samples when there are too many items."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.base.errors import BadOption
from headstart.baselines import flat, pixels
from headstart.measure import ridge
from tests.baselines.pictures import coloured, kinds, ringed


def test_probabilities_are_those_of_the_ridge() -> None:
    items, y = coloured(40)
    found = pixels.fit(items, y, kinds(3), 0).predict(items)
    features = flat.rows(flat.read(items, modality="images", size=32), grey=False)
    assert found == pytest.approx(
        ridge.classify(features, y, classes=3, floor=0.3).linear.probabilities(features), abs=1e-5
    )


def test_grey_training_pictures_give_a_third_of_the_weights() -> None:
    items, y = ringed(20)
    assert pixels.fit(items, y, kinds(2), 0).weight.shape == (2, 32 * 32)
    assert pixels.fit(*coloured(20), kinds(3), 0).weight.shape == (3, 3 * 32 * 32)


def test_a_grey_baseline_takes_coloured_pictures() -> None:
    grey = pixels.fit(*ringed(20), kinds(2), 0)
    assert grey.predict(coloured(3)[0]).shape == (3, 2)


def test_more_items_than_the_limit_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    items, y = coloured(60)
    monkeypatch.setattr(pixels, "MOST_ITEMS", 30)
    chosen = flat.at_most(30, y, 5)
    found, known = pixels.fit(items, y, kinds(3), 5), pixels.fit([items[i] for i in chosen], y[chosen], kinds(3), 5)
    assert np.array_equal(found.weight, known.weight)


@pytest.mark.parametrize("size", [3, 65])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(BadOption, match="4 to 64"):
        pixels.fit(*coloured(9), kinds(3), 0, size=size)
