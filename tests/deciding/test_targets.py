"""The generators of the decision benchmark draw what their labels say, the same each time, and nothing twice."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.svm import SVC

from benchmarks.deciding import cells, targets
from benchmarks.deciding.arms import digests

DRAWN = [name for name, target in targets.TARGETS.items() if target.render is not None]


def ink(pictures):
    """How far each pixel is from the colour of the border, as a share of the furthest; True where it is over half."""
    border = np.concatenate([pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]], axis=1)
    away = np.abs(pictures - np.median(border, axis=1)[:, None, None]).sum(axis=3)
    return away > 0.5 * np.quantile(away, 0.995, axis=(1, 2))[:, None, None]


@pytest.mark.parametrize("name", targets.TARGETS)
def test_the_same_seed_draws_the_same_pictures_and_another_seed_others(name):
    first, labels = targets.labelled(name, 4, 3)
    again, same = targets.labelled(name, 4, 3)
    other, _ = targets.labelled(name, 4, 4)
    assert np.array_equal(first, again) and np.array_equal(labels, same)
    assert not np.array_equal(first, other)
    assert np.bincount(labels).tolist() == [4] * targets.TARGETS[name].classes


@pytest.mark.parametrize("name", cells.TARGETS)
def test_no_tested_picture_is_among_the_labelled_ones_of_any_seed_or_source(name):
    tested = set(digests(targets.population(name, 300)[0]))
    for seed, part in ((0, "labelled"), (1, "labelled"), (0, "fresh"), (0, "source")):
        assert not tested & set(digests(targets.labelled(name, 60 if name == "digits" else 20, seed, part)[0]))


@pytest.mark.parametrize("name", cells.TARGETS)
def test_a_drawn_population_has_twenty_thousand_and_every_class(name):
    labels = targets.population_labels(name)
    counts = np.bincount(labels, minlength=targets.TARGETS[name].classes)
    assert counts.min() > 0
    if targets.TARGETS[name].render is not None:
        assert len(labels) >= 20_000
        assert counts[0] / counts[-1] == pytest.approx(targets.TARGETS[name].skew, rel=0.01)


def test_the_labels_of_a_population_are_those_it_is_drawn_with():
    for name in ("size", "digits", "shifted letters"):
        assert np.array_equal(targets.population(name, 60)[1], targets.population_labels(name, 60))


def test_the_dots_can_be_counted():
    pictures, labels = targets.labelled("count", 40, 0)
    counted = np.array([ndimage.label(mask)[1] for mask in ink(pictures)])
    assert (counted == labels + 1).mean() > 0.97


def test_the_shape_is_in_the_ninth_that_the_label_says():
    pictures, labels = targets.labelled("position", 40, 0)
    centres = np.array([ndimage.center_of_mass(mask) for mask in ink(pictures)])
    ninths = (centres // (32 / 3)).astype(int)
    assert (3 * ninths[:, 0] + ninths[:, 1] == labels).mean() > 0.97


def test_the_bar_lies_in_the_direction_that_the_label_says():
    pictures, labels = targets.labelled("orientation", 40, 0)
    found = []
    for mask in ink(pictures):
        down, across = np.nonzero(mask)
        (xx, xy), (_, yy) = np.cov(across, down)
        found.append(np.rad2deg(0.5 * np.arctan2(2 * xy, xx - yy)))
    step = 180 / targets.DIRECTIONS
    assert (np.round(np.array(found) / step) % targets.DIRECTIONS == labels).mean() > 0.95


def test_the_shape_has_the_size_that_the_label_says():
    pictures, labels = targets.labelled("size", 40, 0)
    radius = np.sqrt(ink(pictures).sum(axis=(1, 2)) / np.pi)
    between = [(low[1] + high[0]) / 2 for low, high in zip(targets.RADII, targets.RADII[1:], strict=False)]
    assert (np.digitize(radius, between) == labels).mean() > 0.97


def test_a_texture_has_the_frequency_and_the_direction_that_the_label_says():
    pictures, labels = targets.labelled("textures", 30, 0)
    grey = pictures.mean(axis=3)
    power = np.abs(np.fft.fft2(grey - grey.mean(axis=(1, 2), keepdims=True))) ** 2
    fx, fy = np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32))
    top = power.reshape(len(power), -1).argmax(axis=1)
    far, turn = np.hypot(fx, fy).ravel()[top], np.rad2deg(np.arctan2(fy, fx)).ravel()[top]
    band = (far > (targets.BANDS[0][1] + targets.BANDS[1][0]) / 2).astype(int)
    off = np.abs((turn[:, None] - np.array(targets.ANGLES) + 90) % 180 - 90)
    assert (len(targets.ANGLES) * band + off.argmin(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize(("name", "least"), [("letters", 0.7), ("lower case", 0.5)])
def test_letters_of_one_draw_tell_those_of_another(name, least):
    (seen, taught), (asked, wanted) = targets.labelled(name, 30, 0), targets.labelled(name, 5, 1)
    flat = [np.abs(each.mean(axis=3) - np.median(each, axis=(1, 2, 3))[:, None, None]) for each in (seen, asked)]
    flat = [each.reshape(len(each), -1) for each in flat]
    assert SVC().fit(flat[0], taught).score(flat[1], wanted) > least
    assert SVC().fit(flat[0], np.random.default_rng(0).permutation(taught)).score(flat[1], wanted) < least / 2


@pytest.mark.parametrize(
    ("kind", "area"),
    [("disc", np.pi), ("square", 4 * 0.886**2), ("ring", np.pi * 0.75), ("cross", 2 * 1.2 - 0.36), ("bar", 1.2)],
)
def test_a_stamped_shape_covers_its_area_wherever_and_however_it_is_turned(kind, area):
    draw = np.random.default_rng(0)
    kinds = np.full(50, targets.KINDS.index(kind))
    covered = targets.stamp(kinds, draw.uniform(14, 18, (50, 2)), np.full(50, 9.0), draw.uniform(0, 6, 50))
    assert covered.sum(axis=(1, 2)) == pytest.approx(area * 81, rel=0.06)


def test_corruption_changes_every_picture_and_keeps_its_kind():
    pictures, _ = targets.labelled("letters", 5, 0)
    worse = targets.corrupt(pictures, np.random.default_rng(0))
    assert worse.shape == pictures.shape and worse.dtype == np.uint8
    assert all((a != b).mean() > 0.5 for a, b in zip(worse, pictures, strict=True))
