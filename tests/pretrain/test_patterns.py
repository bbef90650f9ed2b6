"""Every family of patterns, found by looking in the folder: pure, varied, and its classes can be told apart."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

from headstart.pretrain import patterns
from headstart.pretrain.mixture import SHARES
from headstart.pretrain.patterns import canvas

FAMILIES = sorted(
    module.name for module in pkgutil.iter_modules(patterns.__path__) if module.name not in ("canvas", "__init__")
)


def draw(family: str, class_id: int, instances: range | list[int], size: int = 32, seed: int = 0) -> np.ndarray:
    return importlib.import_module(f"headstart.pretrain.patterns.{family}").render(
        class_id, instances, size=size, seed=seed
    )


def test_every_family_in_the_folder_is_in_the_mixture() -> None:
    assert sorted(SHARES) == FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
class TestFamily:
    def test_gives_uint8_colour_images_of_the_size_asked_for(self, family: str) -> None:
        for size in (32, 48):
            images = draw(family, 1, range(3), size)
            assert images.shape == (3, 3, size, size)
            assert images.dtype == np.uint8

    def test_is_pure_in_seed_class_and_instance(self, family: str) -> None:
        once, again = draw(family, 2, range(6)), draw(family, 2, range(6))
        np.testing.assert_array_equal(once, again)

    def test_an_instance_does_not_depend_on_its_company(self, family: str) -> None:
        together, alone = draw(family, 3, range(6)), draw(family, 3, [4])
        # The company changes which sums numpy vectorises, so the last bit of a float may differ, a pixel may not.
        assert np.abs(together[4].astype(int) - alone[0].astype(int)).max() <= 1

    def test_another_seed_gives_another_pattern(self, family: str) -> None:
        assert (draw(family, 0, range(4), seed=0) != draw(family, 0, range(4), seed=1)).mean() > 0.3

    def test_no_image_is_blank(self, family: str) -> None:
        for class_id in range(6):
            images = draw(family, class_id, range(8)).astype(float)
            assert (images.std(axis=(2, 3)).max(axis=1) > 3).all()

    def test_instances_vary(self, family: str) -> None:
        images = draw(family, 5, range(8)).astype(float)
        pairs = [np.abs(images[i] - images[j]).mean() for i in range(8) for j in range(i)]
        assert min(pairs) > 4

    def test_classes_differ_by_more_than_chance(self, family: str) -> None:
        """Nearest class mean of plain shape statistics: far from good, and far above guessing."""
        classes, shown = 8, 24
        features = np.stack([_statistics(draw(family, class_id, range(shown * 2))) for class_id in range(classes)])
        flat = features.reshape(-1, features.shape[-1])
        features = (features - flat.mean(0)) / (flat.std(0) + 1e-6)
        means = features[:, :shown].mean(1)
        distance = np.linalg.norm(features[:, shown:, None] - means, axis=-1)
        right = (distance.argmin(-1) == np.arange(classes)[:, None]).mean()
        assert right > 2 / classes


def _statistics(images: np.ndarray) -> np.ndarray:
    """Per image (n, d): spectrum in rings and directions, and a coarse edge map; all blind to colour and polarity."""
    grey = images.astype(float).mean(1)
    grey = (grey - grey.mean((1, 2), keepdims=True)) / (grey.std((1, 2), keepdims=True) + 1e-6)
    power = np.log(np.abs(np.fft.fft2(grey)) + 1)
    size = grey.shape[-1]
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    ring = np.minimum((np.hypot(fx, fy) * 14).astype(int), 6)
    sector = ((np.arctan2(fy, fx) % np.pi) / np.pi * 6).astype(int) % 6
    rings = np.stack([power[:, ring == k].mean(1) for k in range(7)], 1)
    sectors = np.stack([power[:, sector == k].mean(1) for k in range(6)], 1)
    edges = np.hypot(np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1])
    coarse = edges[:, :28, :28].reshape(len(grey), 4, 7, 4, 7).mean((2, 4)).reshape(len(grey), -1)
    return np.concatenate([rings, sectors, coarse], axis=1)


class TestCanvas:
    def test_a_pose_maps_its_own_centre_to_the_origin(self) -> None:
        rng = np.random.default_rng(0)
        matrix = canvas.pose(rng, turn=0.5, stretch=0.5, shift=0.3, scale=(0.5, 1.0))
        centre = -np.linalg.inv(matrix[:, :2]) @ matrix[:, 2]
        assert np.abs(centre).max() <= 0.3 + 1e-6
        x, y = canvas.coordinates(65, matrix[None])
        column, row = np.round((centre + 1) / 2 * 65 - 0.5).astype(int)
        assert np.hypot(x[0, row, column], y[0, row, column]) < 0.1

    def test_a_step_is_one_inside_zero_outside_and_half_on_the_edge(self) -> None:
        np.testing.assert_allclose(canvas.step(np.array([-1.0, 0.0, 1.0]), 0.5), [1, 0.5, 0])

    def test_inks_stand_out_from_their_ground(self) -> None:
        for seed in range(50):
            ground, *inks = canvas.contrasting(np.random.default_rng(seed))
            assert min(abs(ink.mean() - ground.mean()) for ink in inks) > 0.15

    def test_smooth_noise_is_smooth(self) -> None:
        noise = canvas.smooth_noise(np.random.default_rng(0), 64, 4)
        assert noise.shape == (64, 64)
        assert np.abs(np.diff(noise, axis=0)).max() < 0.2
        assert noise.std() > 0.1
