from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from headstart.base.errors import BadSource
from headstart.data.inputs import inputs
from tests.data.pictures import write


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for i, name in enumerate(("a.png", "new/2.png", "new/10.png", "new/deep/3.jpg", "odd.dat")):
        write(tmp_path / name, i)
    (tmp_path / "new/notes.txt").write_text("x")
    (tmp_path / "new/.hidden.png").write_text("x")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["a.png"], ["a.png"]),
        (["odd.dat"], ["odd.dat"]),
        (["new"], ["new/2.png", "new/10.png", "new/deep/3.jpg"]),
        (["new/"], ["new/2.png", "new/10.png", "new/deep/3.jpg"]),
        (["new/*.png"], ["new/2.png", "new/10.png"]),
        (["new/*"], ["new/2.png", "new/10.png", "new/deep/3.jpg"]),
        (["new/**/*"], ["new/2.png", "new/10.png", "new/deep/3.jpg"]),
        (["new/**/*.jpg"], ["new/deep/3.jpg"]),
        (["*.dat"], ["odd.dat"]),
        (["new/10.png", "a.png", "new", "a.png"], ["new/10.png", "a.png", "new/2.png", "new/deep/3.jpg"]),
    ],
)
def test_what_arguments_name(args: list[str], expected: list[str]) -> None:
    assert inputs(args) == expected


def test_absolute_patterns(here: Path) -> None:
    assert inputs([f"{here}/new/[0-9].png"]) == [f"{here}/new/2.png"]


def test_an_existing_name_with_pattern_characters_is_that_file(here: Path) -> None:
    write(here / "x[1].png", 9)
    assert inputs(["x[1].png"]) == ["x[1].png"]


def test_home(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    assert inputs(["~/a.png"]) == [str(here / "a.png")]
    assert inputs(["~/new/?.png"]) == [str(here / "new/2.png")]


def test_a_list_on_standard_input() -> None:
    assert inputs(["-"], stdin=io.BytesIO(b"a.png\n\nnew\r\nnot there.png\n")) == [
        "a.png",
        "new/2.png",
        "new/10.png",
        "new/deep/3.jpg",
        "not there.png",
    ]
    assert inputs(["-"], stdin=io.BytesIO(b"two\nlines.png\0caf\xe9.png\0")) == [
        "two\nlines.png",
        os.fsdecode(b"caf\xe9.png"),
    ]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "nothing to predict"),
        (["-"], "nothing to predict"),
        ([""], "empty name"),
        (["empty"], "no images in this folder"),
        (["b.png"], "no file or folder b.png"),
        (["nev"], "did you mean new"),
        (["a.pgn"], "did you mean a.png"),
        (["*.gif"], "No image matches"),
        (["missing/x.png"], "no file or folder"),
        (["two\nlines.png"], r"two\\nlines.png"),
    ],
)
def test_nothing_there(args: list[str], words: str) -> None:
    with pytest.raises(BadSource, match=words):
        inputs(args, stdin=io.BytesIO(b""))
