"""What holds for every baseline in the room, whichever files are there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.base import discovery
from headstart.base.errors import HeadstartError, ModelFolderError, Undecodable
from headstart.baselines import predictor
from tests.baselines.pictures import coloured, kinds, png, through_a_file

NAMES = tuple(predictor.reading("images"))


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    items, y = coloured(45)
    return {name: discovery.load("baselines", name).fit(items, y, kinds(3), 0) for name in NAMES}


def test_the_room_is_not_empty() -> None:
    assert {"majority", "pixels", "pixels_svm"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities(fitted: dict[str, Any], name: str) -> None:
    p = fitted[name].predict(coloured(20, seed=1)[0])
    assert p.shape == (20, 3)
    assert p.sum(axis=1) == pytest.approx(np.ones(20))
    assert (p > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_restored_from_a_file_it_gives_the_same_probabilities(fitted: dict[str, Any], name: str) -> None:
    items = coloured(20, seed=1)[0]
    again = through_a_file(fitted[name])
    assert np.array_equal(again.predict(items), fitted[name].predict(items))
    assert again.name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_predictor(fitted: dict[str, Any], name: str) -> None:
    items, y = coloured(45)
    arrays, meta = discovery.load("baselines", name).fit(items, y, kinds(3), 0).state()
    known, known_meta = fitted[name].state()
    assert meta == known_meta
    assert all(np.array_equal(arrays[key], known[key]) for key in known)


@pytest.mark.parametrize("name", NAMES)
def test_an_item_counts_the_same_alone_and_as_a_file(fitted: dict[str, Any], name: str) -> None:
    items = coloured(5, seed=2)[0]
    together = fitted[name].predict(items)
    alone = np.concatenate([fitted[name].predict([png(item)]) for item in items])
    assert alone == pytest.approx(together, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_no_items_no_probabilities(fitted: dict[str, Any], name: str) -> None:
    assert fitted[name].predict([]).shape == (0, 3)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_without_training_items_is_improbable(name: str) -> None:
    items, y = coloured(40)
    p = discovery.load("baselines", name).fit(items, y, kinds(5), 0).predict(items)
    assert p.shape == (40, 5)
    assert p[:, 3:].mean() < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_a_rare_class_and_few_items_are_no_error(name: str) -> None:
    items, _ = coloured(7)
    p = discovery.load("baselines", name).fit(items, [0, 0, 0, 1, 1, 1, 2], kinds(3), 0).predict(items)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"majority"}))
def test_it_learns_from_the_pixels(fitted: dict[str, Any], name: str) -> None:
    items, y = coloured(150, seed=1)
    p = fitted[name].predict(items)
    assert (p.argmax(axis=1) == y).mean() > 0.9
    majority = -np.log(fitted["majority"].predict(items)[np.arange(150), y]).mean()
    assert -np.log(p[np.arange(150), y]).mean() < 0.6 * majority


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"majority"}))
def test_on_noise_it_knows_that_it_knows_nothing(name: str) -> None:
    rng = np.random.default_rng(0)
    items, y = list(rng.integers(0, 256, (90, 16, 16, 3), dtype=np.uint8)), np.arange(90) % 3
    predictor = discovery.load("baselines", name).fit(items, y, kinds(3), 0)
    new = predictor.predict(list(rng.integers(0, 256, (90, 16, 16, 3), dtype=np.uint8)))
    assert -np.log(new[np.arange(90), y]).mean() < np.log(3) + 0.06


@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_one_colour_are_no_error(name: str) -> None:
    items = [np.full((9, 9, 3), 80, dtype=np.uint8)] * 12
    p = discovery.load("baselines", name).fit(items, np.arange(12) % 3, kinds(3), 0).predict(items)
    assert p == pytest.approx(np.full((12, 3), 1 / 3), abs=1e-3)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"majority"}))
def test_a_picture_that_cannot_be_read_is_named(fitted: dict[str, Any], name: str, tmp_path: Any) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no picture")
    with pytest.raises(Undecodable, match=r"broken\.png"):
        fitted[name].predict([str(path)])


@pytest.mark.parametrize("name", NAMES)
def test_a_state_without_an_array_is_refused(fitted: dict[str, Any], name: str) -> None:
    arrays, meta = fitted[name].state()
    for missing in arrays:
        rest = {key: value for key, value in arrays.items() if key != missing}
        with pytest.raises(ModelFolderError, match=missing):
            discovery.load("baselines", name).restore(rest, meta, kinds(3))


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_state_is_refused(fitted: dict[str, Any], name: str) -> None:
    arrays, meta = fitted[name].state()
    for edited, value in arrays.items():
        wrong = [value.astype(np.float16 if value.dtype != np.float16 else np.float32), value[None]]
        if value.dtype.kind == "f":
            wrong.append(np.full_like(value, np.nan))
        for each in wrong:
            with pytest.raises(ModelFolderError):
                discovery.load("baselines", name).restore({**arrays, edited: each}, meta, kinds(3))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, "many", -1, 10**9, True, [3]])
def test_an_edited_description_is_refused_or_harmless(fitted: dict[str, Any], name: str, value: object) -> None:
    arrays, meta = fitted[name].state()
    items = coloured(2)[0]
    for key in meta:
        try:
            p = discovery.load("baselines", name).restore(arrays, {**meta, key: value}, kinds(3)).predict(items)
        except HeadstartError as error:
            assert str(error)
        else:
            assert p.shape == (2, 3)
            assert np.isfinite(p).all()
