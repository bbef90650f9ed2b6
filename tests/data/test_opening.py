from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headstart.base.errors import BadOption, BadSource
from headstart.data.opening import open_source
from tests.data.pictures import noise, write, write_classes


def test_a_folder_a_table_and_values(tmp_path: Path) -> None:
    write_classes(tmp_path / "photos", {"a": 2, "b": 2})
    assert "2 classes" in open_source(tmp_path / "photos").understood
    assert "2 classes" in open_source(str(tmp_path / "photos") + "/").understood
    (tmp_path / "t.csv").write_text("file,label\nphotos/a/0.png,a\nphotos/b/0.png,b\n")
    assert open_source(tmp_path / "t.csv").labels == ("a", "b")
    assert open_source([noise(0), noise(1)], ["a", "b"]).labels == ("a", "b")
    assert open_source({"a": [noise(0)], "b": [noise(1)]}).labels == ("a", "b")
    assert open_source(np.zeros((2, 4, 4)), np.array([0, 1])).labels == (0, 1)


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_classes(tmp_path / "photos", {"a": 2, "b": 2})
    assert len(open_source("~/photos").items) == 4


def test_labels_do_not_go_with_a_path(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 2, "b": 2})
    with pytest.raises(BadOption, match="labels were given for"):
        open_source(str(tmp_path), ["a", "b"])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("fotos", "no file or folder fotos(.|\n)*did you mean photos"),
        ("nothing like it", "class subfolders"),
        ("photos/a/0.png", "no data source: photos/a/0.png"),
        ("photos.zip", "no file or folder"),
        ("", "No data source was named"),
        (7, "A int is no data source"),
        (None, "A NoneType is no data source"),
        ("gone.csv", "no file gone.csv(.|\n)*the path of a .csv"),
    ],
)
def test_nothing_usable(source: object, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "photos/a/0.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSource, match=words):
        open_source(source)
