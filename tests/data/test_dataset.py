from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base.errors import DataError, TooFewExamples, UnknownName
from headstart.base.vocabulary import Table
from headstart.data import pixels
from headstart.data.dataset import Dataset, build
from tests.data.pictures import noise


def table(labels: list[Any], parts: list[str | None] | None = None, seeds: list[int] | None = None) -> Table:
    """Random pictures with these labels; equal seeds make equal pictures."""
    seeds = list(range(len(labels))) if seeds is None else seeds
    items = tuple(noise(seed) for seed in seeds)
    given = (None,) * len(labels) if parts is None else tuple(parts)
    return Table(items, tuple(labels), given, "here", "understood so", ("a note",))


class Watch:
    def __init__(self) -> None:
        self.total, self.done, self.ended = 0, 0, False

    def begin(self, task: str, total: int | None = None) -> None:
        self.total = total or 0

    def advance(self, units: int = 1) -> None:
        self.done += units

    def end(self) -> None:
        self.ended = True

    def say(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def expect(self, seconds: float) -> None: ...


def test_a_table_becomes_a_data_set() -> None:
    watch = Watch()
    data = build(table(["b10", "b2", "a"] * 100), seed=3, report=watch)
    assert data.classes == ("a", "b2", "b10")
    assert data.targets[:3].tolist() == [2, 1, 0]
    assert data.targets.dtype == np.int64
    assert len(data) == len(data.digests) == len(data.parts) == 300
    assert data.counts() == {name: {"train": 64, "val": 16, "test": 20} for name in data.classes}
    assert sorted([*data.development, *data.test]) == list(range(300))
    assert (data.parts[data.test] == "test").all()
    assert not data.cross_validated
    assert (data.modality, data.origin, data.understood, data.notes) == (
        "images",
        "here",
        "understood so",
        ("a note",),
    )
    assert (data.seed, data.skipped) == (3, ())
    assert (watch.total, watch.done, watch.ended) == (300, 300, True)


def test_a_small_table_is_cross_validated() -> None:
    data = build(table(["a", "b"] * 20))
    assert data.cross_validated
    assert len(data.folds) == 5
    assert len(data.test) == 0
    assert len(data.development) == 40


def test_the_digest_names_the_experiment() -> None:
    labels = ["a", "b"] * 20
    first, again = build(table(labels)), build(table(labels))
    assert first.digest == again.digest
    others = [build(table(labels), seed=1), build(table(["a", "c"] * 20)), build(table(labels[::-1]))]
    others.append(build(table(labels, seeds=[99, *range(1, 40)])))
    assert len({first.digest, *(other.digest for other in others)}) == 5


def test_equal_pictures_split_alike_in_any_order() -> None:
    labels, order = ["a", "b"] * 150, np.random.default_rng(0).permutation(300)
    first = build(table(labels))
    second = build(table([labels[i] for i in order], seeds=order.tolist()))
    assert (first.parts[order] == second.parts).all()


def test_bad_items_are_skipped_and_listed() -> None:
    source = table(["a", "b"] * 50)
    items = list(source.items)
    items[3], items[10] = "gone.png", np.array([[0.0, 9.0]])
    labels = list(source.labels)
    labels[20] = None
    data = build(Table(tuple(items), tuple(labels), source.parts, "here", ""))
    assert len(data) == 97
    assert [(one.where, one.why) for one in data.skipped] == [
        ("gone.png", "there is no such file"),
        ("item 11", "the array's values go from 0 to 9; expected 0 to 1 for float64"),
        ("item 21", "it has no label"),
    ]


def test_over_a_tenth_bad_stops_with_the_first_few() -> None:
    source = table(["a", "b"] * 50)
    items = tuple(f"gone{i}.png" if i < 11 else item for i, item in enumerate(source.items))
    with pytest.raises(DataError) as caught:
        build(Table(items, source.labels, source.parts, "here", ""))
    text = str(caught.value)
    assert "11 of 100 items cannot be used" in text
    assert all(f"gone{i}.png: there is no such file" in text for i in range(5))
    assert "gone5" not in text
    assert "and 6 more" in text
    exactly = tuple("gone.png" if i < 10 else item for i, item in enumerate(source.items))
    assert len(build(Table(exactly, source.labels, source.parts, "here", ""))) == 90


def test_a_rare_class_is_named_and_can_be_dropped() -> None:
    source = table(["a", "b"] * 10 + ["rare"] * 2)
    with pytest.raises(TooFewExamples, match=r"1 class has fewer than 3 .*rare \(2\)(.|\n)*--drop-rare"):
        build(source)
    data = build(source, drop_rare=True)
    assert data.classes == ("a", "b")
    assert len(data) == 20
    assert [one.why for one in data.skipped] == ["its class, rare, is too rare"] * 2
    assert any("rare" in note for note in data.notes)


def test_three_copies_of_one_picture_are_one_example() -> None:
    with pytest.raises(TooFewExamples, match=r"b \(1\)"):
        build(table(["a"] * 10 + ["b"] * 3, seeds=[*range(10), 50, 50, 50]))


def test_three_different_pictures_are_enough() -> None:
    data = build(table(["a"] * 10 + ["b"] * 3))
    assert all(1 in data.targets[train] for train, _ in data.folds)
    large = build(table(["a"] * 300 + ["b"] * 3))
    assert large.counts()["b"] == {"train": 1, "val": 1, "test": 1}


@pytest.mark.parametrize("labels", [["a"] * 20, ["a"] * 20 + [None]])
def test_one_class(labels: list[Any]) -> None:
    with pytest.raises(DataError, match=r"Only one class is there: a \(here\)\n.*two classes"):
        build(table(labels))


def test_nothing_is_left() -> None:
    with pytest.raises(DataError, match="No class is left"):
        build(table(["a", "b"] * 2), drop_rare=True)
    with pytest.raises(DataError, match="no items"):
        build(table([]))


def test_labels_that_are_nearly_unique_point_at_the_column() -> None:
    with pytest.raises(TooFewExamples, match="--label"):
        build(table([f"id{i}" for i in range(40)]))


def test_given_parts_are_kept_and_a_test_part_may_lack_a_class() -> None:
    labels = ["a", "b", "c"] * 80 + ["c", "b"] * 5
    data = build(table(labels, ["train"] * 240 + ["test"] * 10))
    assert data.classes == ("a", "b", "c")
    assert (data.parts[240:] == "test").all()
    assert [data.classes[i] for i in data.targets[240:]] == ["c", "b"] * 5, "no shift"
    assert data.counts()["a"]["test"] == 0


@pytest.mark.parametrize("part", ["test", "val"])
def test_a_part_with_classes_that_train_lacks(part: str) -> None:
    source = table(["a", "b"] * 20 + ["new"] * 5 + ["a", "b"], ["train"] * 40 + [part] * 7)
    with pytest.raises(DataError, match=rf"The {part} part has 1 class that train lacks: new(.|\n)*--drop-rare"):
        build(source)
    assert build(source, drop_rare=True).classes == ("a", "b")


def test_no_train_part() -> None:
    with pytest.raises(DataError, match="no train part"):
        build(table(["a", "b"] * 10, ["val", "test"] * 10))


def test_copies_of_given_test_items_leave_train() -> None:
    seeds = [*range(40), 0, 1, 2, 100, 101, 102]
    data = build(table(["a", "b"] * 23, ["train"] * 40 + ["test"] * 6, seeds))
    assert len(data) == 43
    tested = {data.digests[i] for i in data.test}
    assert len(data.test) == 6
    assert not tested & {data.digests[i] for i in data.development}
    assert [one.why for one in data.skipped] == ["an exact duplicate is in the test part"] * 3
    assert any("3 items left out of train or val" in note for note in data.notes)


def test_copies_of_given_val_items_leave_train_and_test_wins_over_val() -> None:
    seeds = [*range(30), 0, 50, 51, 50, 60, 61]
    parts: list[str | None] = ["train"] * 30 + ["val"] * 3 + ["test"] * 3
    data = build(table(["a", "b"] * 15 + ["a", "b", "a", "b", "a", "b"], parts, seeds))
    where = {digest: set() for digest in data.digests}
    for digest, part in zip(data.digests, data.parts, strict=True):
        where[digest].add(part)
    assert all(len(places) == 1 for places in where.values())
    assert data.counts()["b"]["test"] == 2
    assert len(data) == 34


def test_an_unknown_modality() -> None:
    with pytest.raises(UnknownName, match="images"):
        build(table(["a", "b"] * 5), modality="image")


def test_paths_stay_as_they_are(tmp_path: Path) -> None:
    from tests.data.pictures import write

    items = tuple(str(write(tmp_path / f"{i}.png", i)) for i in range(8))
    data = build(Table(items, ("a", "b") * 4, (None,) * 8, "here", ""))
    assert data.items == items


def test_items_are_streamed_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []
    most = 0
    read = pixels.read

    def watched(item: Any, *, least: int | None = None) -> pixels.Picture:
        nonlocal most
        picture = read(item, least=least)
        alive.append(weakref.ref(picture.image))
        most = max(most, sum(ref() is not None for ref in alive))
        return picture

    monkeypatch.setattr(pixels, "read", watched)
    build(table(["a", "b"] * 200))
    assert len(alive) == 400
    assert most <= 8, "one decoded picture a thread"


def test_fields_cannot_be_replaced() -> None:
    data = build(table(["a", "b"] * 5))
    assert isinstance(data, Dataset)
    with pytest.raises(AttributeError):
        data.items = ()  # type: ignore[misc]


def test_copies_of_one_picture_stay_in_one_fold() -> None:
    data = build(table(["a", "b"] * 20 + ["a", "b"], seeds=[*range(40), 0, 0]))
    for train, val in data.folds:
        assert not {data.digests[i] for i in train} & {data.digests[i] for i in val}
