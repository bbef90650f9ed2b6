"""The bad inputs that people really have: a clear error of ours or a listed skip, and nothing good is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.base.errors import HeadstartError
from headstart.data.dataset import Dataset, build
from headstart.data.opening import open_source
from tests.data.pictures import write, write_classes


def read(source: Path, *, label: str | None = None, drop_rare: bool = False) -> Dataset:
    return build(open_source(source, label=label), drop_rare=drop_rare)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def pictures(root: Path, per_class: int = 15) -> Path:
    return write_classes(root, {"cat": per_class, "dog": per_class})


def csv(root: Path, rows: str, header: str = "file,label") -> Path:
    pictures(root)
    lines = "".join(f"{name}/{i}.png,{name}\n" for name in ("cat", "dog") for i in range(15))
    (root / "t.csv").write_text(f"{header}\n{lines}{rows}")
    return root / "t.csv"


def with_file(root: Path, name: str, data: bytes) -> Path:
    pictures(root)
    (root / name).write_bytes(data)
    return root


def truncated(root: Path) -> Path:
    cut(pictures(root) / "cat/3.png")
    return root


def folder_named_as_image(root: Path) -> Path:
    (pictures(root) / "cat/folder.png").mkdir()
    write(root / "cat/folder.png/inside.png", 500)
    return root


def link_to_nothing(root: Path) -> Path:
    (pictures(root) / "cat/link.png").symlink_to(root / "gone.png")
    return root


def folder_in_a_table(root: Path) -> Path:
    (root / "cat").mkdir(parents=True)
    return csv(root, "cat,cat\n")


SURVIVED: dict[str, tuple[Callable[[Path], Path], int, str]] = {
    "a truncated file": (truncated, 29, "does not decode"),
    "a zero-byte file": (lambda root: with_file(root, "cat/x.png", b""), 30, "empty"),
    "text called .jpg": (lambda root: with_file(root, "cat/x.jpg", b"no picture"), 30, "not an image"),
    "a page called .png": (lambda root: with_file(root, "cat/x.png", b"<!DOCTYPE html>" * 50), 30, "not an image"),
    "a picture by the wrong suffix": (lambda root: with_file(root, "cat/x.gif", jpeg()), 31, ""),
    "a text among the pictures": (lambda root: with_file(root, "cat/x.txt", b"a note"), 30, ""),
    "a system file": (lambda root: with_file(root, "cat/.DS_Store", b"\0\0"), 30, ""),
    "a folder named as an image": (folder_named_as_image, 31, ""),
    "a link to nothing": (link_to_nothing, 30, "no such file"),
    "a missing file in a table": (lambda root: csv(root, "cat/gone.png,cat\n"), 30, "no such file"),
    "an empty label in a table": (lambda root: csv(root, "cat/1.png,\n"), 30, "no label"),
    "NaN as a label in a table": (lambda root: csv(root, "cat/1.png,NaN\n"), 30, "no label"),
    "a short row in a table": (lambda root: csv(root, "cat/1.png\n"), 30, "no label"),
    "a folder in a table": (folder_in_a_table, 30, "is a folder"),
}


def jpeg() -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (9, 9), (9, 99, 199)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.parametrize("case", SURVIVED)
def test_skipped_and_listed(case: str, tmp_path: Path) -> None:
    make, left, why = SURVIVED[case]
    data = read(make(tmp_path / "d"))
    assert len(data) == left
    assert len(data.skipped) == (1 if why else 0)
    assert all(why in one.why and one.where for one in data.skipped)


def mostly_broken(root: Path) -> Path:
    for path in sorted(pictures(root).glob("cat/*"))[:4]:
        path.write_bytes(b"")
    return root


def rare(root: Path) -> Path:
    return write_classes(root, {"cat": 15, "dog": 15, "emu": 2, "owl": 1})


def mixed_parts(root: Path) -> Path:
    write_classes(root / "train", {"cat": 9, "dog": 9})
    write_classes(root / "test", {"cat": 3, "emu": 3}, start=100)
    return root


def made(root: Path) -> Path:
    root.mkdir()
    return root


STOPPED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a missing folder": (lambda root: root, "There is no file or folder"),
    "an empty folder": (made, "nothing in it"),
    "one class": (lambda root: write_classes(root, {"cat": 9}), "Only one class"),
    "no class subfolders": (lambda root: write_classes(root, {".": 9}), "9 images but no class subfolders"),
    "rare classes": (rare, r"2 classes have fewer than 3 different items: emu \(2\), owl \(1\)(.|\n)*--drop-rare"),
    "over a tenth broken": (mostly_broken, r"4 of 30 items cannot be used:\n(.|\n)*0\.png: the file is empty"),
    "a test class that train lacks": (mixed_parts, "1 class that train lacks: emu"),
    "an empty table": (lambda root: with_file(root, "t.csv", b"") / "t.csv", "is empty"),
    "a table without images": (lambda root: csv(root, "").parent / "gone.csv", "no file"),
    "a table whose files are all missing": (
        lambda root: with_file(root, "t.csv", b"file,label\n" + b"x/1.png,a\nx/2.png,b\n" * 9) / "t.csv",
        "18 of 18 items cannot be used",
    ),
    "a picture as source": (lambda root: pictures(root) / "cat/1.png", "no data source"),
    "an archive as source": (lambda root: with_file(root, "a.zip", b"PK") / "a.zip", "This is an archive"),
}


@pytest.mark.parametrize("case", STOPPED)
def test_stopped_with_a_clear_error(case: str, tmp_path: Path) -> None:
    make, words = STOPPED[case]
    with pytest.raises(HeadstartError, match=words) as caught:
        read(make(tmp_path / "d"))
    assert caught.value.expected or caught.value.next_move, "an error says what would be right, or what to do"


def test_a_missing_column(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"Unknown column: lable\n(.|\n)*did you mean label"):
        read(csv(tmp_path / "d", ""), label="lable")


def test_drop_rare_keeps_the_others(tmp_path: Path) -> None:
    data = read(rare(tmp_path / "d"), drop_rare=True)
    assert data.classes == ("cat", "dog")
    assert len(data) == 30
    assert len(data.skipped) == 3
