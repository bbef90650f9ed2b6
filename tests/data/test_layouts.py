"""Trees as people really have them: what was understood is said, and what is no classification is refused by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from headstart.base.errors import BadSource
from headstart.base.vocabulary import Table
from headstart.data import layouts
from headstart.data.dataset import build
from headstart.data.opening import open_source
from tests.data.pictures import write, write_classes


def said(table: Table) -> str:
    return " | ".join((table.understood, *table.notes))


def pictures(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        write(root / name, number)
    return root


def test_parts_inside_each_class_are_parts(tmp_path: Path) -> None:
    pictures(tmp_path, "cat/train/1.png", "cat/test/2.png", "dog/train/3.png", "dog/Test/4.png")
    table = open_source(tmp_path)
    assert dict(zip(table.labels, table.parts, strict=True)).keys() == {"cat", "dog"}
    assert sorted(map(str, table.parts)) == ["test", "test", "train", "train"]
    assert "the parts are the folders inside each class folder" in said(table)
    assert "split by its folders: train 2, test 2" in table.understood


def test_one_class_without_parts_makes_them_ordinary_folders(tmp_path: Path) -> None:
    pictures(tmp_path, "cat/train/1.png", "cat/test/2.png", "dog/3.png")
    table = open_source(tmp_path)
    assert set(table.parts) == {None}
    assert "read as part of the class" in said(table)


def test_classes_two_levels_down_are_said_with_what_to_do(tmp_path: Path) -> None:
    pictures(tmp_path, "animals/cat/1.png", "animals/dog/2.png", "plants/rose/3.png")
    table = open_source(tmp_path)
    assert set(table.labels) == {"animals", "plants"}
    assert "where they are the classes, name the folder that holds them" in said(table)


def test_a_test_folder_without_classes_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    pictures(tmp_path / "test", "1.png", "2.png")
    table = open_source(tmp_path)
    assert set(table.parts) == {"train"}
    assert "not used: 2 images in test/, which has no class folders" in said(table)


def test_an_empty_test_folder_is_said(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    (tmp_path / "test").mkdir()
    assert "ignored: no images in test/" in said(open_source(tmp_path))


def test_a_part_unpacked_into_itself(tmp_path: Path) -> None:
    write_classes(tmp_path / "train/train", {"a": 4, "b": 4})
    write_classes(tmp_path / "test/test", {"a": 2, "b": 2}, start=50)
    table = open_source(tmp_path)
    assert (table.parts.count("train"), table.parts.count("test")) == (8, 4)
    assert set(table.labels) == {"a", "b"}


def test_classes_of_test_that_train_lacks(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    write_classes(tmp_path / "test", {"a": 2, "c": 2}, start=50)
    with pytest.raises(Exception, match="test part has 1 class that train lacks: c"):
        build(open_source(tmp_path))


@pytest.mark.parametrize("depth", ["images/1.png", "1.png", "train/1.png"])
def test_a_table_beside_the_pictures_is_suggested(depth: str, tmp_path: Path) -> None:
    pictures(tmp_path, depth, depth.replace("1", "2"))
    if depth.startswith("train"):
        pictures(tmp_path, "test/3.png")
    (tmp_path / "labels.csv").write_text("file,label\n")
    with pytest.raises(BadSource, match=r"if the labels are in a table, name it: .*labels\.csv"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("photos.zip", "python -m zipfile -e .*photos.zip photos/"),
        ("photos.tar.gz", "mkdir photos; tar -xf .*photos.tar.gz -C photos"),
        ("photos.7z", "unpack it first"),
    ],
)
def test_archives_are_to_be_unpacked(name: str, command: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK")
    for source in (tmp_path / name, tmp_path):
        with pytest.raises(BadSource, match=command):
            open_source(source)


def coco(root: Path) -> None:
    pictures(root, "train2017/1.png", "val2017/2.png")
    (root / "annotations").mkdir()
    boxes = {"images": [], "annotations": [{"image_id": 1, "bbox": [0, 0, 1, 1]}], "categories": []}
    (root / "annotations/instances_train2017.json").write_text(json.dumps(boxes))


def yolo(root: Path) -> None:
    pictures(root, "images/train/1.png", "images/val/2.png")
    (root / "labels/train").mkdir(parents=True)
    (root / "labels/train/1.txt").write_text("0 0.5 0.5 0.1 0.1\n")


def voc(root: Path) -> None:
    pictures(root, "JPEGImages/1.png")
    (root / "Annotations").mkdir()
    (root / "Annotations/1.xml").write_text("<annotation/>")


@pytest.mark.parametrize(("make", "name"), [(coco, "COCO"), (yolo, "YOLO"), (voc, "Pascal VOC")])
def test_detection_is_refused_by_name(make: object, name: str, tmp_path: Path) -> None:
    make(tmp_path)  # type: ignore[operator]
    with pytest.raises(BadSource, match=f"This is a {name} data set.*where things are(.|\n)*cut the boxes"):
        open_source(tmp_path)


def test_classes_that_only_sound_like_it_are_classes(tmp_path: Path) -> None:
    write_classes(tmp_path, {"images": 3, "labels": 3})
    (tmp_path / "notes.json").write_text('{"images": 6}')
    assert "2 classes (images, labels)" in open_source(tmp_path).understood


def test_links_into_their_own_folder_are_not_followed(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "a/up").symlink_to(tmp_path)
    table = open_source(tmp_path)
    assert set(table.labels) == {"a", "b"}
    assert len(set(table.items)) == len(table.items)
    assert "not followed: " in said(table)


def test_names_with_line_breaks_and_right_to_left_marks_are_shown_safely(tmp_path: Path) -> None:
    write_classes(tmp_path, {"new\nline": 3, "\u202egnp.evil": 3, "חתול": 3})
    data = build(open_source(tmp_path), drop_rare=False)
    assert set(data.classes) == {"new\\nline", "\\u202egnp.evil", "חתול"}
    assert "\n" not in data.understood
    assert "\u202e" not in data.understood


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_that_may_not_be_read_are_named(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "b").chmod(0)
    with pytest.raises(BadSource, match="cannot be opened: Permission denied"):
        open_source(tmp_path)
    (tmp_path / "b").chmod(0o755)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_tables_in_every_encoding_and_separator(encoding: str, separator: str, tmp_path: Path) -> None:
    pictures(tmp_path, "ä 1.png", "2.png")
    lines = [("file", "label"), ("ä 1.png", "größer"), ("2.png", "kleiner")]
    text = "\r\n".join(separator.join(cells) for cells in lines)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    table = open_source(tmp_path / "t.csv")
    assert table.labels == ("größer", "kleiner")
    assert all(Path(item).is_file() for item in table.items)


@pytest.mark.parametrize("head", ["C:\\Users\\me\\trees\\", "/home/me/trees/", "..\\elsewhere\\"])
def test_paths_of_another_machine_are_found_by_their_ends(head: str, tmp_path: Path) -> None:
    write_classes(tmp_path, {"oak": 3, "ash": 3})
    separator = "\\" if "\\" in head else "/"
    rows = [f"{head}{name}{separator}{i}.png,{name}" for name in ("oak", "ash") for i in range(3)]
    (tmp_path / "t.csv").write_text("file,label\n" + "\n".join(rows))
    table = open_source(tmp_path / "t.csv")
    assert all(Path(item).is_file() for item in table.items)
    assert "is not here; the paths are read from" in said(table)


def test_what_an_archive_is() -> None:
    assert layouts.is_archive(Path("a.TAR.GZ"))
    assert not layouts.is_archive(Path("a.csv"))
