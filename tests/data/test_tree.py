from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from headstart.base.errors import BadSource
from headstart.data import tree
from headstart.data.tree import Tally, as_path, items, level


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def relative(root: Path, found: list[str]) -> list[str]:
    return [str(Path(path).relative_to(root)) for path in found]


def test_natural_order_whatever_the_file_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(*(tmp_path / name for name in ("10.png", "9.png", "b/2.JPG", "b/10.jpg", "a/x/1.png", "a/1.png")))
    expected = ["9.png", "10.png", "a/1.png", "a/x/1.png", "b/2.JPG", "b/10.jpg"]
    assert relative(tmp_path, items(tmp_path, Tally())) == expected
    scandir = os.scandir

    class Backwards:
        def __init__(self, folder: Any) -> None:
            with scandir(folder) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Backwards)
    assert relative(tmp_path, items(tmp_path, Tally())) == expected


def test_what_is_ignored_is_counted(tmp_path: Path) -> None:
    names = ".DS_Store Thumbs.db desktop.ini .hidden.png a.txt b.TXT Makefile 1.png .git/x.png __MACOSX/y.png"
    touch(*(tmp_path / name for name in names.split()))
    tally = Tally()
    assert relative(tmp_path, items(tmp_path, tally)) == ["1.png"]
    assert tally.notes() == [
        "ignored: 3 files that are no images by name (2 .txt, 1 no suffix)",
        "ignored: 6 hidden or system files",
    ]


def test_loops_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path / "a/1.png", tmp_path / "b/2.png")
    (tmp_path / "a/up").symlink_to(tmp_path)
    (tmp_path / "a/self").symlink_to(tmp_path / "a")
    (tmp_path / "a/root").symlink_to("/")
    (tmp_path / "a/b").symlink_to(tmp_path / "b")
    (tmp_path / "b/a").symlink_to(tmp_path / "a")
    tally = Tally()
    assert relative(tmp_path, items(tmp_path / "a", tally)) == ["a/1.png", "a/b/2.png"]
    assert tally.loops == 4
    assert "4 links" in tally.notes()[0]


def test_links_that_lead_nowhere_are_items_to_be_reported(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert relative(tmp_path, items(tmp_path, Tally())) == ["gone.png", "loop.png"]


def test_a_level(tmp_path: Path) -> None:
    touch(tmp_path / "c2/x", tmp_path / "c10/x", tmp_path / "p.png", tmp_path / "n.txt")
    (tmp_path / "folder.png").mkdir()
    found = level(tmp_path)
    assert [path.name for path in found.folders] == ["c2", "c10", "folder.png"]
    assert [path.name for path in found.items] == ["p.png"]
    assert [path.name for path in found.others] == ["n.txt"]


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadSource, match="Permission denied"):
        level(tmp_path)


def test_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert as_path("~/x") == tmp_path / "x"
    assert as_path(b"x") is None
    assert as_path(["x"]) is None
    assert as_path("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
    assert not tree.holds(Path("x" * 5000).is_dir)
