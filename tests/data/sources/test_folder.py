from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from headstart.base.errors import BadOption, BadSource
from headstart.base.vocabulary import Table
from headstart.data.sources import folder
from tests.data.pictures import write, write_classes


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def rows(table: Table, root: Path) -> list[tuple[str, str, str | None]]:
    found = zip(table.items, table.labels, table.parts, strict=True)
    return [(str(Path(item).relative_to(root)), label, part) for item, label, part in found]


def test_class_subfolders(tmp_path: Path) -> None:
    touch(tmp_path, "cat/10.jpg", "cat/9.jpg", "dog/1.PNG")
    table = folder.open(str(tmp_path))
    assert rows(table, tmp_path) == [
        ("cat/9.jpg", "cat", None),
        ("cat/10.jpg", "cat", None),
        ("dog/1.PNG", "dog", None),
    ]
    assert table.understood == f"{tmp_path}/: 3 images in 2 classes (cat, dog), one subfolder a class"
    assert table.notes == ()


def test_parts(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/2.png", "Validation/a/3.png", "test/b/4.png")
    table = folder.open(tmp_path)
    assert sorted(rows(table, tmp_path)) == [
        ("Validation/a/3.png", "a", "val"),
        ("test/b/4.png", "b", "test"),
        ("train/a/1.png", "a", "train"),
        ("train/b/2.png", "b", "train"),
    ]
    assert table.understood.endswith("split by its folders: train 2, val 1, test 1")


def test_train_alone(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/2.png")
    assert set(folder.open(tmp_path).parts) == {"train"}


def test_folders_beside_the_parts_are_ignored_and_said(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "test/a/2.png", "extra/3.png", "4.png")
    table = folder.open(tmp_path)
    assert len(table.items) == 2
    assert any("extra/" in note for note in table.notes)
    assert any("1 image beside the class folders" in note for note in table.notes)


@pytest.mark.parametrize("others", [["bus/3.png"], ["bus/3.png", "bus/deep/3.png"]])
def test_a_class_may_be_called_train(tmp_path: Path, others: list[str]) -> None:
    touch(tmp_path, "train/1.png", "train/steam/2.png", *others)
    table = folder.open(tmp_path)
    assert set(table.labels) == {"train", "bus"}
    assert set(table.parts) == {None}


def test_nested_folders_belong_to_their_class_and_that_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "cat/1.png", "cat/indoor/night/2.png", "dog/3.png")
    table = folder.open(tmp_path)
    assert table.labels == ("cat", "cat", "dog")
    assert any("cat/indoor/night as cat" in note for note in table.notes)


def test_a_lone_folder_of_folders_is_looked_through(tmp_path: Path) -> None:
    touch(tmp_path, "photos/cat/1.png", "photos/dog/2.png", "__MACOSX/photos/cat/._1.png", "readme.txt")
    table = folder.open(tmp_path)
    assert table.labels == ("cat", "dog")
    assert any("the only folder" in note for note in table.notes)
    touch(tmp_path / "outer", "data/train/a/1.png", "data/test/a/1.png")
    assert set(folder.open(tmp_path / "outer").parts) == {"train", "test"}


def test_one_class_is_not_looked_through(tmp_path: Path) -> None:
    touch(tmp_path, "cat/1.png", "cat/old/2.png", "cat/new/3.png")
    assert set(folder.open(tmp_path).labels) == {"cat"}


def test_a_test_folder_alone_is_read_as_classes(tmp_path: Path) -> None:
    touch(tmp_path, "test/cat/1.png", "test/dog/2.png")
    assert folder.open(tmp_path / "test").labels == ("cat", "dog")
    assert folder.open(tmp_path).labels == ("cat", "dog")


def test_what_is_no_image_is_ignored_with_a_count(tmp_path: Path) -> None:
    touch(tmp_path, "cat/1.png", "cat/.DS_Store", "cat/a.txt", "dog/2.png", "Thumbs.db", "labels.csv", "nil/x.txt")
    table = folder.open(tmp_path)
    assert len(table.items) == 2
    assert table.notes == (
        "ignored: no images in nil/",
        "ignored: 3 files that are no images by name (2 .txt, 1 .csv)",
        "ignored: 2 hidden or system files",
    )


def test_class_folders_may_be_links(tmp_path: Path) -> None:
    touch(tmp_path, "store/one/1.png", "store/two/2.png", "set/x/.keep")
    (tmp_path / "set/x").joinpath(".keep").unlink()
    (tmp_path / "set/x").rmdir()
    (tmp_path / "set/cat").symlink_to(tmp_path / "store/one")
    (tmp_path / "set/dog").symlink_to(tmp_path / "store/two")
    (tmp_path / "set/cat/again").symlink_to(tmp_path / "set")
    table = folder.open(tmp_path / "set")
    assert table.labels == ("cat", "dog")
    assert any("1 link" in note for note in table.notes)


@pytest.mark.parametrize("name", ["two\nlines", "חתולים", os.fsdecode(b"caf\xe9"), "a\u202eb"])
def test_odd_class_names(tmp_path: Path, name: str) -> None:
    write_classes(tmp_path, {name: 3, "other": 3})
    table = folder.open(tmp_path)
    assert name in table.labels
    assert table.understood.isprintable()
    from headstart.data.dataset import build

    classes = build(table).classes
    assert len(classes) == 2
    assert all(each.isprintable() for each in classes)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "nothing in it"),
        (["a.csv", "b.csv", "c.md"], r"no images, only other files \(2 .csv, 1 .md\)"),
        (["a.txt", "b.txt", "c.md"], "2 texts but no class subfolders"),
        (["1.png", "2.png"], "2 images but no class subfolders"),
        (["1.png", "labels.csv"], "name it: .*labels.csv"),
        (["1.png", "empty/x.txt"], "1 image but no class subfolders"),
        (["cat/x.md", "dog/y.md"], "2 folders without images"),
        (["train/1.png", "test/2.png"], "train/ hold no class subfolders"),
    ],
)
def test_nothing_usable(tmp_path: Path, names: list[str], words: str) -> None:
    touch(tmp_path, *names)
    with pytest.raises(BadSource, match=words):
        folder.open(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="no folder"):
        folder.open(tmp_path / "gone")
    assert not folder.claims(tmp_path / "gone")
    assert not folder.claims(write(tmp_path / "a.png"))
    assert not folder.claims(["a"])
    assert not folder.claims("x" * 5000)
    assert folder.claims(tmp_path)


@pytest.mark.parametrize("option", ["label", "path"])
def test_columns_do_not_go_with_a_folder(tmp_path: Path, option: str) -> None:
    touch(tmp_path, "cat/1.png")
    with pytest.raises(BadOption, match=f"--{option} x names a column"):
        folder.open(tmp_path, **{option: "x"})


def test_twenty_thousand_files_take_seconds(tmp_path: Path) -> None:
    for label in range(20):
        (tmp_path / str(label)).mkdir()
        for number in range(1000):
            (tmp_path / str(label) / f"{number}.png").touch()
    start = time.perf_counter()
    table = folder.open(tmp_path)
    assert time.perf_counter() - start < 5
    assert len(table.items) == 20_000
