"""How strange items are: closed forms, independent implementations, invariances, and noise that is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

from headstart.base.errors import DataError
from headstart.measure import alarm, strangeness

RNG = np.random.default_rng(0)
KNOWN = RNG.normal(size=(120, 8)) @ RNG.normal(size=(8, 8))
LABELS = np.repeat([0, 1, 2], 40)
ASKED = RNG.normal(size=(50, 8)) * 2
TURN = stats.special_ortho_group.rvs(8, random_state=1)


@pytest.mark.parametrize("k", [1, 3, 120])
def test_nearest_is_the_library_s(k: int) -> None:
    wanted = NearestNeighbors(n_neighbors=k).fit(KNOWN).kneighbors(ASKED)[0][:, -1]
    np.testing.assert_allclose(strangeness.nearest(KNOWN, ASKED, k=k), wanted, rtol=1e-9)


def test_nearest_of_a_known_item_is_itself() -> None:
    assert strangeness.nearest(KNOWN, KNOWN).max() < 1e-5


def test_nearest_many_at_once_is_one_by_one() -> None:
    many = np.random.default_rng(3).normal(size=(2500, 8))
    each = np.concatenate([strangeness.nearest(KNOWN, many[i : i + 7]) for i in range(0, 2500, 7)])
    np.testing.assert_allclose(strangeness.nearest(KNOWN, many), each, rtol=1e-9)


def test_mahalanobis_is_that_of_the_shrunk_covariance() -> None:
    unit = KNOWN.std(axis=0)
    known, asked = KNOWN / unit, ASKED / unit
    fitted = LedoitWolf().fit(known)
    np.testing.assert_allclose(strangeness.mahalanobis(KNOWN, ASKED) ** 2, fitted.mahalanobis(asked), rtol=1e-6)
    means = np.stack([known[c == LABELS].mean(axis=0) for c in range(3)])
    inverse = LedoitWolf(assume_centered=True).fit(known - means[LABELS]).precision_
    away = asked[:, None] - means
    slow = np.sqrt(np.einsum("nci,ij,ncj->nc", away, inverse, away)).min(axis=1)
    np.testing.assert_allclose(strangeness.mahalanobis(KNOWN, ASKED, LABELS), slow, rtol=1e-6)
    relative = strangeness.relative_mahalanobis(KNOWN, ASKED, LABELS)
    np.testing.assert_allclose(relative, slow**2 - fitted.mahalanobis(asked), rtol=1e-6)


def test_mahalanobis_in_one_dimension_counts_standard_deviations() -> None:
    known = np.random.default_rng(5).normal(3.0, 2.0, size=(5000, 1))
    found = strangeness.mahalanobis(known, [[3.0], [5.0], [9.0]])
    np.testing.assert_allclose(found, [0.0, 1.0, 3.0], atol=0.06)


def test_what_the_maths_leaves_alone() -> None:
    """Shifts and the scale of each feature for the densities; rotations for the distance; all items twice for it."""
    scale, shift = RNG.uniform(0.1, 10, 8), RNG.normal(size=8)
    for score in (strangeness.mahalanobis, strangeness.residual):
        np.testing.assert_allclose(score(KNOWN * scale + shift, ASKED * scale + shift), score(KNOWN, ASKED), rtol=1e-6)
    plain = strangeness.nearest(KNOWN, ASKED)
    np.testing.assert_allclose(strangeness.nearest(KNOWN @ TURN, ASKED @ TURN), plain, rtol=1e-9)
    np.testing.assert_allclose(strangeness.nearest(np.tile(KNOWN, (2, 1)), ASKED), plain, rtol=1e-12)
    beside = strangeness.side_by_side([KNOWN, ASKED[:1].repeat(120, 0)])
    np.testing.assert_allclose(strangeness.side_by_side([KNOWN * 7, ASKED[:1].repeat(120, 0) * 0.1]), beside)


def test_residual_is_what_lies_outside_the_plane() -> None:
    first, second, tiny = np.random.default_rng(2).normal(size=(3, 200))
    plane = np.stack([first, second, first + 1e-3 * tiny], axis=1)
    found = strangeness.residual(plane, plane.mean(axis=0) + plane.std(axis=0) * [[1, 5, 1], [1, 0, -1]], kept=0.99)
    np.testing.assert_allclose(found, [0, np.sqrt(2)], atol=1e-2)


def test_of_logits() -> None:
    logits = np.array([[0.0, 0.0], [4.0, 0.0]])
    np.testing.assert_allclose(strangeness.unsureness(logits), [0.5, 1 - 1 / (1 + np.exp(-4))])
    np.testing.assert_allclose(strangeness.energy(logits), [-np.log(2), -np.log1p(np.exp(4))])
    np.testing.assert_allclose(strangeness.energy(logits + 3), strangeness.energy(logits) - 3)


def test_noise_of_one_kind_is_not_told_apart_and_another_kind_is() -> None:
    rng = np.random.default_rng(7)
    known, fresh, other = rng.normal(size=(200, 16)), rng.normal(size=(400, 16)), rng.normal(1.0, 1.0, size=(400, 16))
    for score in (strangeness.nearest, strangeness.mahalanobis, strangeness.residual):
        assert abs(alarm.separation(score(known, fresh[:200]), score(known, fresh[200:])) - 0.5) < 0.08, score
    for score in (strangeness.nearest, strangeness.mahalanobis):
        assert alarm.separation(score(known, fresh), score(known, other)) > 0.8, score


@pytest.mark.parametrize("score", [strangeness.nearest, strangeness.mahalanobis, strangeness.residual])
def test_constant_features_and_single_items_give_numbers(score: object) -> None:
    assert callable(score)
    for known in (np.ones((10, 4)), np.zeros((10, 4)), np.arange(4.0)[None]):
        assert np.isfinite(score(known, ASKED[:, :4])).all()
        assert np.isfinite(score(known, np.zeros((1, 4)))).all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="features"):
        strangeness.nearest(KNOWN, ASKED[:, :3])
    with pytest.raises(DataError, match="not finite"):
        strangeness.mahalanobis(KNOWN, np.full((1, 8), np.nan))
    with pytest.raises(DataError, match="nearest"):
        strangeness.nearest(KNOWN, ASKED, k=121)
    with pytest.raises(DataError, match="differ in number"):
        strangeness.mahalanobis(KNOWN, ASKED, LABELS[:5])
    with pytest.raises(DataError, match="different numbers"):
        strangeness.side_by_side([KNOWN, ASKED])
