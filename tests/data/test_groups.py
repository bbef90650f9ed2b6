from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.base.errors import BadOption, BadSource, DataError, HeadstartError, TooFewExamples, UnknownName
from headstart.base.vocabulary import Table
from headstart.data import groups
from headstart.data.dataset import Dataset, build
from headstart.data.opening import open_source
from headstart.data.splitting import FOLDS, split
from tests.data.pictures import noise, write


def digest(value: object) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()


@st.composite
def patients(draw: st.DrawFn) -> tuple[np.ndarray, list[str], list[str | None]]:
    """Targets, digests and groups: groups of one or several classes, some copies across groups, some items alone."""
    classes = draw(st.integers(2, 5))
    number = draw(st.integers(8, 40))
    targets: list[int] = []
    own: list[str | None] = []
    for group in range(number):
        kinds = draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=2)) if group >= 4 else range(classes)
        for label in kinds:
            size = draw(st.integers(1, 12))
            targets += [label] * size
            own += [f"p{group}"] * size
    for label in draw(st.lists(st.integers(0, classes - 1), max_size=10)):
        targets.append(label)
        own.append(None)
    digests = [digest(i) for i in range(len(targets))]
    for _ in range(draw(st.integers(0, 2))):
        a, b = draw(st.integers(0, len(targets) - 1)), draw(st.integers(0, len(targets) - 1))
        digests[a] = digests[b]
    return np.array(targets), digests, own


def sides(values: Sequence[object], *parts: np.ndarray) -> bool:
    """True if no value is in two of the parts."""
    found = [{values[i] for i in part if values[i] is not None} for part in parts]
    return all(not a & b for i, a in enumerate(found) for b in found[:i])


@settings(deadline=None, max_examples=80)
@given(patients(), st.integers(0, 9))
def test_no_group_is_ever_on_two_sides(data: tuple[np.ndarray, list[str], list[str | None]], seed: int) -> None:
    targets, digests, own = data
    units = groups.units(digests, own)
    found = split(targets, units, [None] * len(targets), seed=seed, mixed=True)
    places = [np.flatnonzero(found.parts == part) for part in ("train", "val", "test")]
    assert sides(own, *places)
    assert sides(digests, *places)
    for train, held in found.folds:
        assert sides(own, train, held)
        assert sides(digests, train, held)
        assert len(train)
        assert len(held)
        assert set(targets[train]) == set(targets), "every class is in every training part"
    if len(found.folds) == FOLDS:
        held = np.concatenate([held for _, held in found.folds])
        assert sorted(held) == np.flatnonzero(found.parts != "test").tolist()


@settings(deadline=None, max_examples=30)
@given(patients(), st.integers(0, 9), st.randoms(use_true_random=False))
def test_grouped_splits_do_not_depend_on_the_order_of_items(
    data: tuple[np.ndarray, list[str], list[str | None]], seed: int, random: object
) -> None:
    targets, digests, own = data
    order = list(range(len(targets)))
    random.shuffle(order)  # type: ignore[attr-defined]
    first = split(targets, groups.units(digests, own), [None] * len(targets), seed=seed, mixed=True)
    turned = groups.units([digests[i] for i in order], [own[i] for i in order])
    second = split(targets[order], turned, [None] * len(targets), seed=seed, mixed=True)
    assert (first.parts[order] == second.parts).all()


@settings(deadline=None, max_examples=40)
@given(patients())
def test_units_are_what_is_connected(data: tuple[np.ndarray, list[str], list[str | None]]) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, digests, own = data
    n = len(digests)
    same = [(i, j) for i in range(n) for j in range(i) if digests[i] == digests[j] or (own[i] and own[i] == own[j])]
    rows, columns = zip(*same, strict=True) if same else ((), ())
    _, wanted = connected_components(coo_array((np.ones(len(same)), (rows, columns)), shape=(n, n)), directed=False)
    found = groups.units(digests, own)
    assert len(set(zip(wanted.tolist(), found, strict=True))) == len(set(found)) == wanted.max() + 1


def test_without_ties_a_unit_is_its_digest() -> None:
    digests = [digest(i % 7) for i in range(20)]
    assert groups.units(digests) == digests
    assert groups.units(digests, [None] * 20) == digests


def test_classes_come_out_even_although_groups_are_uneven() -> None:
    draw = np.random.default_rng(0)
    own = np.repeat(np.arange(60), draw.integers(2, 30, 60))
    rate = draw.random(60)  # each patient has a rate of its own
    targets = (draw.random(len(own)) < rate[own]).astype(np.int64)
    units = groups.units([digest(i) for i in range(len(own))], own.tolist())
    found = split(targets, units, [None] * len(own), seed=0, mixed=True)
    for part, share in (("test", 0.2), ("val", 0.16), ("train", 0.64)):
        for label in (0, 1):
            assert abs((found.parts[targets == label] == part).mean() - share) < 0.02


def test_grouped_splits_are_the_same_in_every_version() -> None:
    own = [i % 37 for i in range(600)]
    units = groups.units([digest(i) for i in range(600)], own)
    found = split(np.arange(600) % 3, units, [None] * 600, seed=0, mixed=True)
    assert digest(found.parts.tolist()) == "c05f53115702379f2e8c0b09832178874abd39f5122b383041ce54a433afbea8"


def test_tens_of_thousands_of_groups_take_seconds() -> None:
    n = 60_000
    start = time.perf_counter()
    units = groups.units([digest(i) for i in range(n)], [i // 2 for i in range(n)])
    split(np.arange(n) % 10, units, [None] * n, seed=0, mixed=True)
    assert time.perf_counter() - start < 30


def table(labels: list[str], own: list[object], parts: list[str | None] | None = None) -> Table:
    items = tuple(noise(seed) for seed in range(len(labels)))
    return Table(items, tuple(labels), tuple(parts or [None] * len(labels)), "here", "so", groups=tuple(own))


def built(number: int, per_group: int, **more: object) -> Dataset:
    labels = ["a" if i % 2 else "b" for i in range(number)]
    return build(table(labels, [i // per_group for i in range(number)]), **more)  # type: ignore[arg-type]


def test_a_data_set_keeps_groups_together_and_says_so() -> None:
    data = built(300, 5)
    assert sides(data.groups, data.test, *data.folds[0])
    assert "60 groups of 5 items each: a group stays on one side of every split" in data.notes
    assert built(300, 5).digest == data.digest


def test_items_without_a_group_go_anywhere() -> None:
    own: list[object] = [i // 4 if i < 40 else [None, "", float("nan")][i % 3] for i in range(60)]
    data = build(table(["a" if i % 2 else "b" for i in range(60)], own))
    assert any("20 items have no group" in note for note in data.notes)
    assert len({i for _, held in data.folds for i in held}) == 60


@pytest.mark.parametrize(
    ("own", "parts", "error", "words"),
    [
        ([0] * 31 + list(range(1, 30)), None, DataError, "The group 0 holds 31 of 60 items"),
        ([i % 2 for i in range(60)], None, TooFewExamples, "2 classes are in fewer than 3 groups: b .1., a"),
        ([i // 20 for i in range(60)], None, TooFewExamples, "3 groups are left for 5-fold"),
        (
            [i // 5 for i in range(60)],
            ["test"] * 12 + [None] * 48,
            DataError,
            "1 group is on both sides.*2 .test and tra",
        ),
        ([None] * 60, None, DataError, "No item has a group"),
        ([[1]] * 60, None, BadOption, "A group is a list"),
    ],
)
def test_groups_that_no_split_can_keep(
    own: list[object], parts: list[str | None] | None, error: type[HeadstartError], words: str
) -> None:
    labels = ["a" if i % 2 else "b" for i in range(60)]
    with pytest.raises(error, match=words):
        build(table(labels, own, parts))


def test_given_parts_with_groups_on_one_side_each_are_kept() -> None:
    parts: list[str | None] = ["train"] * 40 + ["val"] * 10 + ["test"] * 10
    data = build(table(["a" if i % 2 else "b" for i in range(60)], [i // 10 for i in range(60)], parts))
    assert data.parts.tolist() == parts


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two classes, three patients in each, two pictures of each patient."""
    for number, name in enumerate(("ill/p1/a", "ill/p1/b", "ill/p2/a", "ill/p2/b", "ill/p3/a", "ill/p3/b")):
        write(tmp_path / "tree" / f"{name}.png", number)
        write(tmp_path / "tree" / f"{name.replace('ill', 'well')}.png", 100 + number)
        flat = name.replace("ill/", "").replace("/", "_")
        write(tmp_path / "flat/ill" / f"{flat}.png", number)
        write(tmp_path / "flat/well" / f"{flat}.png", 100 + number)
    rows = [f"flat/{kind}/p{i}_{j}.png,{kind},p{i}" for kind in ("ill", "well") for i in (1, 2, 3) for j in "ab"]
    (tmp_path / "scans.csv").write_text("file,label,patient\n" + "\n".join(rows))
    return tmp_path


@pytest.mark.parametrize(
    ("source", "group", "said"),
    [
        ("tree", "folder", "the first folder inside a class folder is the group"),
        ("tree", r"p\d", "is in p1"),
        ("flat", r"/(p\d)_", "ill/p1_a.png is in p1"),
        ("scans.csv", "patient", "column 'patient' the group"),
    ],
)
def test_groups_of_folders_and_tables(scans: Path, source: str, group: str, said: str) -> None:
    found = open_source(scans / source, group=group)
    assert sorted(found.groups) == ["p1"] * 4 + ["p2"] * 4 + ["p3"] * 4
    assert all(own in item for own, item in zip(found.groups, found.items, strict=True))
    assert said in " ".join((found.understood, *found.notes))


@pytest.mark.parametrize(
    ("source", "group", "error", "words"),
    [
        ("scans.csv", "pateint", UnknownName, "did you mean patient"),
        ("scans.csv", "label", BadSource, "both the group and the label"),
        ("flat", "folder", BadOption, "finds no folders"),
        ("flat", "(p", BadOption, "no regular expression"),
        ("flat", "video", BadOption, "matches none of 12 paths, such as ill/p1_a.png"),
    ],
)
def test_groups_that_are_not_there(
    scans: Path, source: str, group: str, error: type[HeadstartError], words: str
) -> None:
    if (source, group) == ("scans.csv", "label"):
        with pytest.raises(error, match=words):
            open_source(scans / source, group=group, label="label")
        return
    with pytest.raises(error, match=words):
        open_source(scans / source, group=group)


def test_groups_of_items_in_memory() -> None:
    import pandas

    pictures = [noise(i) for i in range(4)]
    assert open_source(pictures, ["a", "b"] * 2, groups=np.array([1, 1, 2, 2])).groups == (1, 1, 2, 2)
    frame = pandas.DataFrame({"image": pictures, "label": ["a", "b"] * 2, "who": [1, 1, 2, 2]})
    assert open_source(frame, group="who").groups == (1, 1, 2, 2)
    with pytest.raises(BadOption, match="4 items but 3 groups"):
        open_source(pictures, ["a", "b"] * 2, groups=[1, 2, 3])
    with pytest.raises(BadOption, match=r"groups=.* gives one group an item"):
        open_source(pictures, ["a", "b"] * 2, group="who")


def test_groups_do_not_go_with_a_path(scans: Path) -> None:
    with pytest.raises(BadOption, match="groups were given for"):
        open_source(scans / "flat", groups=[1] * 12)
