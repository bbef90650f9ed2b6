"""Whatever a person may hand to ``predict`` becomes a list of items."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.base.errors import BadSource
from headstart.ship.items import listed

PICTURE = Image.new("RGB", (4, 4))


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (PICTURE, 1),
        ([PICTURE, PICTURE], 2),
        ((PICTURE,), 1),
        (iter([PICTURE] * 3), 3),
        (np.zeros((4, 4), np.uint8), 1),
        (np.zeros((4, 4, 3), np.uint8), 1),
        (np.zeros((5, 8, 8), np.uint8), 5),
        (np.zeros((5, 4, 4, 3), np.uint8), 5),
        (["a.jpg", Path("b.jpg")], 2),
    ],
)
def test_one_or_many(given: Any, count: int) -> None:
    assert len(listed(given)) == count


@pytest.mark.parametrize("given", [[], (), iter([]), np.zeros((0, 4, 4, 3), np.uint8)])
def test_nothing_is_refused(given: Any) -> None:
    with pytest.raises(BadSource, match="nothing to predict"):
        listed(given)


def test_a_folder_and_a_file(tmp_path: Path, write_shapes: Callable[..., Path]) -> None:
    folder = write_shapes(tmp_path / "new", per_class=2)
    assert len(listed(folder)) == 6
    one = next(folder.rglob("*.png"))
    assert [str(each) for each in listed(str(one))] == [str(one)]
    with pytest.raises(BadSource):
        listed(tmp_path / "nowhere.png")
