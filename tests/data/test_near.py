from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist, pdist

from headstart.base.vocabulary import Table
from headstart.data.dataset import Dataset, build
from headstart.data.near import find, linked, pairs


def names(n: int, seed: int = 0) -> list[str]:
    """Distinct digests in no particular order."""
    return [f"{number:08x}" for number in np.random.default_rng(seed).permutation(n)]


@st.composite
def clouds(draw: st.DrawFn) -> np.ndarray:
    """Points in small heaps, among them exact copies."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    heaps = rng.uniform(0, 3, (draw(st.integers(1, 30)), draw(st.integers(1, 60))))
    sizes = rng.integers(1, 6, len(heaps))
    points = np.repeat(heaps, sizes, axis=0)
    return points + rng.normal(0, draw(st.sampled_from([0.0, 0.01, 0.05])), points.shape)


@settings(deadline=None, max_examples=60)
@given(clouds())
def test_pairs_are_all_pairs(points: np.ndarray) -> None:
    left, right, apart, crowded = pairs(points, 0.2)
    own = points.astype(np.float32)
    far = cdist(own, own)
    wanted = {(i, j) for i in range(len(own)) for j in range(i + 1, len(own)) if far[i, j] <= 0.2}
    unsure = {(i, j) for i in range(len(own)) for j in range(i + 1, len(own)) if abs(far[i, j] - 0.2) < 1e-6}
    found = set(zip(left.tolist(), right.tolist(), strict=True))
    assert found - unsure == wanted - unsure
    assert len(found) == len(left)
    assert np.allclose(apart, far[left, right], atol=1e-6)
    assert not crowded.any()


@settings(deadline=None, max_examples=60)
@given(clouds())
def test_clusters_are_those_of_complete_linkage(points: np.ndarray) -> None:
    points = np.unique(points, axis=0) + np.random.default_rng(0).normal(0, 1e-3, np.unique(points, axis=0).shape)
    left, right, apart, _ = pairs(points, 0.2)
    found = {tuple(members) for members in linked(left, right, apart)}
    if len(points) < 2:
        assert not found
        return
    labels = fcluster(linkage(pdist(points.astype(np.float32)), "complete"), 0.2, "distance")
    assert found == {tuple(np.flatnonzero(labels == own)) for own in set(labels) if (labels == own).sum() > 1}


@settings(deadline=None, max_examples=60)
@given(clouds(), st.randoms(use_true_random=False))
def test_every_pair_in_a_cluster_is_near_and_the_order_does_not_matter(points: np.ndarray, random: Any) -> None:
    _, copies = np.unique(points, axis=0, return_inverse=True)
    distinct = names(len(points))
    digests = [distinct[copy] for copy in copies.ravel()]
    classes = [0] * len(points)
    clusters, crowds = find(points, digests, classes, threshold=0.2)
    seen = [position for cluster in (*clusters, *crowds) for position in cluster]
    assert len(seen) == len(set(seen))
    for cluster in clusters:
        assert pdist(points[list(cluster)]).max() <= 0.2 + 1e-5
        assert len({digests[i] for i in cluster}) > 1
    order = list(range(len(points)))
    random.shuffle(order)
    again, _ = find(points[order], [digests[i] for i in order], classes, threshold=0.2)
    assert {frozenset(order[i] for i in cluster) for cluster in again} == {frozenset(each) for each in clusters}


def test_a_chain_does_not_become_a_cluster() -> None:
    chain = np.arange(10)[:, None] * 0.15
    clusters, _ = find(chain, names(10), [0] * 10, threshold=0.2)
    assert all(len(cluster) == 2 for cluster in clusters)


def test_a_cluster_over_a_twentieth_of_its_class_is_a_crowd() -> None:
    points = np.concatenate([np.zeros((6, 2)) + np.arange(6)[:, None] * 1e-3, np.arange(120)[:, None] + np.ones(2)])
    for size, crowds in ((114, 0), (113, 1)):
        clusters, found = find(points[: 6 + size], names(6 + size), [0] * (6 + size), threshold=0.2)
        assert (len(clusters), len(found)) == (1 - crowds, crowds)
    clusters, _ = find(points[:20], names(20), [0] * 20, threshold=0.2)
    assert clusters == []
    clusters, _ = find(points[1:20], names(19), [0] * 19, threshold=0.2)
    assert clusters == [(0, 1, 2, 3, 4)], "five are never a crowd"


def test_crowds_of_any_size_are_reported_by_class_and_cost_little_memory() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (6_000, 60))
    points[:4_000] = rng.normal(0, 1e-4, (4_000, 60))
    classes = ["a"] * 3_000 + ["b"] * 3_000
    points[5_999] = points[5_998] + 1e-3
    clusters, crowds = find(points, names(6_000), classes, threshold=0.2)
    assert clusters == [(5_998, 5_999)]
    assert crowds == [tuple(range(3_000)), tuple(range(3_000, 4_000))]


def test_no_items_and_one() -> None:
    assert find(np.zeros((0, 3)), [], [], threshold=0.2) == ([], [])
    assert find(np.zeros((1, 3)), ["a"], [0], threshold=0.2) == ([], [])


def test_twenty_thousand_take_seconds() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (20_000, 150)).astype(np.float16) * np.float16(0.1)
    points[-1_000:] = points[:1_000] + rng.normal(0, 0.005, (1_000, 150))
    start = time.perf_counter()
    clusters, _ = find(points, names(20_000), [0] * 20_000, threshold=0.2)
    assert time.perf_counter() - start < 10
    assert clusters == [(i, 19_000 + i) for i in range(1_000)]


def scene(seed: int, size: int = 96) -> Image.Image:
    """A picture with coarse and fine structure and a colour of its own."""
    rng = np.random.default_rng(seed)
    values = np.zeros((size, size, 3))
    for cells in (3, 6, 12, 24):
        grid = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        values += np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float64) / cells**0.5
    values -= values.min()
    return Image.fromarray((255 * values / values.max()).astype(np.uint8))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of 40 pictures; ten of the first come again as JPEG, and one as a blurred twin in the second."""
    for label, start in (("a", 0), ("b", 100)):
        (tmp_path / label).mkdir()
        for i in range(40):
            scene(start + i).save(tmp_path / label / f"{i}.png")
    for i in range(10):
        scene(i).save(tmp_path / "a" / f"again {i}.jpg", quality=60)
    scene(139).resize((60, 60)).save(tmp_path / "a" / "wrong.png")
    return tmp_path


def opened(source: Path, **more: Any) -> Dataset:
    from headstart.data.opening import open_source

    return build(open_source(source), **more)


def test_near_duplicates_stay_on_one_side_and_are_said_and_listed(photos: Path) -> None:
    data = opened(photos)
    assert sum("22 near duplicates in 11 clusters stay on one side" in note for note in data.notes) == 1
    assert len(data.near.torn) == 1
    assert len(data.near.clusters) == 11
    assert all(Path(name).suffix for cluster in data.near.listed["on_one_side"] for name in cluster)
    assert {name.rsplit("(")[-1] for name in data.near.listed["different_labels"][0]} == {"a)", "b)"}
    for train, held in data.folds:
        for cluster in data.near.clusters:
            assert set(cluster) <= set(train.tolist()) or set(cluster) <= set(held.tolist())


def test_they_can_be_left_alone(photos: Path) -> None:
    data = opened(photos, near_duplicates=False)
    assert data.near.clusters == ()
    assert not any("near duplicate" in note for note in data.notes)
    assert data.digest != opened(photos).digest


def table(pictures: list[Any], labels: list[str], parts: list[str | None] | None = None) -> Table:
    return Table(tuple(pictures), tuple(labels), tuple(parts or [None] * len(labels)), "here", "so")


def test_without_near_duplicates_the_split_is_what_it_was() -> None:
    pictures, labels = [np.asarray(scene(i, 32)) for i in range(260)], ["a", "b"] * 130
    data = build(table(pictures, labels))
    assert data.near.clusters == ()
    assert data.digest == build(table(pictures, labels), near_duplicates=False).digest


def test_blank_pictures_are_a_crowd_and_split_as_before() -> None:
    rng = np.random.default_rng(0)
    blank = [np.full((20, 20, 3), 250, np.uint8) - rng.integers(0, 3, (20, 20, 3), dtype=np.uint8) for _ in range(70)]
    pictures = [*blank, *(np.asarray(scene(i, 32)) for i in range(70))]
    data = build(table(pictures, ["blank"] * 70 + ["full"] * 70))
    assert data.near.clusters == ()
    assert data.near.untied == (tuple(range(70)),)
    assert any("70 items of blank look so much alike" in note for note in data.notes)


def test_a_class_keeps_enough_to_be_split() -> None:
    twins = [np.asarray(scene(0).resize((size, size))) for size in (40, 64, 80)]
    pictures = [*twins, np.asarray(scene(1)), *(np.asarray(scene(i, 32)) for i in range(10, 20))]
    data = build(table(pictures, ["few"] * 4 + ["many"] * 10))
    assert data.near.clusters == ()
    assert any("may go anywhere" in note for note in data.notes)
    assert all("few" in {data.classes[t] for t in data.targets[train]} for train, _ in data.folds)


def test_near_duplicates_across_given_parts_are_a_warning_and_stay_where_they_are() -> None:
    pictures = [np.asarray(scene(i, 64)) for i in range(30)]
    pictures[29] = np.asarray(scene(0, 64).resize((50, 50)))
    parts: list[str | None] = ["train"] * 20 + ["val"] * 5 + ["test"] * 5
    data = build(table(pictures, ["a" if i % 2 else "b" for i in range(30)], parts))
    assert data.parts.tolist() == parts
    assert data.near.across == ((0, 29),)
    assert data.near.listed["across_given_parts"] == [["item 1 (train)", "item 30 (test)"]]


def test_handwritten_digits_are_not_merged_wholesale() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    data = build(table([(x * 15.9).astype(np.uint8) for x in digits.images], [str(t) for t in digits.target]))
    assert sum(map(len, data.near.clusters)) < 0.02 * len(data)
