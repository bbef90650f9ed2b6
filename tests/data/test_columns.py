from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.base.errors import BadSource, UnknownName
from headstart.data.columns import Chosen, find, sample
from tests.data.pictures import write

FILES = ["1.png", "2.png", "3.png", "4.png"]
KIND = ["x", "y", "x", "y"]
IDS = [101, 102, 103, 104]


def chosen(columns: dict[str, list[Any]], base: Path = Path("/none"), **named: str | None) -> Chosen:
    options: dict[str, str | None] = {"label": None, "path": None, **named}
    return find(columns, base=base, origin="t.csv", label=options["label"], path=options["path"])


@pytest.mark.parametrize(
    ("columns", "path", "label", "split"),
    [
        ({"file": FILES, "label": KIND}, "file", "label", None),
        ({"label": KIND, "whatever": FILES}, "whatever", "label", None),
        ({"Image Name": FILES, "Class Name": KIND}, "Image Name", "Class Name", None),
        ({"a": FILES, "colour": KIND}, "a", "colour", None),
        ({"id": IDS, "a": FILES, "colour": KIND}, "a", "colour", None),
        ({"a": FILES, "id": [1, 1, 2, 2], "target": KIND}, "a", "target", None),
        ({"a": FILES, "category": KIND, "label": [1, 2, 1, 2]}, "a", "label", None),
        ({"a": FILES, "name": ["one", "two", "three", "four"]}, "a", "name", None),
        ({"a": FILES, "label": KIND, "split": ["train", "Test", "valid", ""]}, "a", "label", "split"),
        ({"a": FILES, "kind": KIND, "Split": ["train", "test"] * 2}, "a", "kind", "Split"),
        ({"path": FILES, "mask": FILES, "label": KIND}, "path", "label", None),
        ({"a": ["1.png", None, "", "2.png"], "label": KIND}, "a", "label", None),
        ({"a": [np.zeros((2, 2))] * 4, "label": KIND}, "a", "label", None),
        ({"a": [Image.new("L", (1, 1))] * 4, "label": KIND}, "a", "label", None),
        ({"a": [Path("x.png")] * 4, "label": KIND}, "a", "label", None),
    ],
)
def test_columns_are_found(columns: dict[str, list[Any]], path: str, label: str, split: str | None) -> None:
    found = chosen(columns)
    assert (found.path, found.label, found.split) == (path, label, split)
    assert f"'{path}' is the image" in found.sentence()
    assert f"'{label}' the label" in found.sentence()
    assert ("the part" in found.sentence()) == bool(split)


def test_existing_files_are_found_whatever_their_names(tmp_path: Path) -> None:
    write(tmp_path / "scan1", 1)
    write(tmp_path / "scan2", 2)
    assert chosen({"a": ["scan1", "scan2"], "label": ["x", "y"]}, tmp_path).path == "a"


def test_of_two_image_columns_the_one_that_is_there(tmp_path: Path) -> None:
    for name in FILES:
        write(tmp_path / name, 1)
    missing = [f"mask_{name}" for name in FILES]
    assert chosen({"m": missing, "a": FILES, "label": KIND}, tmp_path).path == "a"


def test_named_columns_are_taken_as_they_are() -> None:
    columns = {"file": FILES, "other": FILES, "label": KIND, "breed": IDS}
    found = chosen(columns, path="other", label="breed")
    assert (found.path, found.label) == ("other", "breed")
    assert chosen({"a": FILES, "b": FILES}, label="b").path == "a"


@pytest.mark.parametrize(
    ("columns", "named", "error", "words"),
    [
        ({"file": FILES, "label": KIND}, {"label": "lable"}, UnknownName, "did you mean label"),
        ({"file": FILES, "label": KIND}, {"path": "fil"}, UnknownName, "columns of t.csv are 'file', 'label'"),
        ({"id": IDS, "label": KIND}, {}, BadSource, "No column holds image paths(.|\n)*'id', 'label'"),
        ({"a": FILES, "b": FILES, "label": KIND}, {}, BadSource, "More than one column(.|\n)*--path"),
        (
            {"a": FILES, "p": KIND, "q": KIND},
            {},
            BadSource,
            "2 columns could each be the label: 'p', 'q'(.|\n)*--label",
        ),
        ({"a": FILES}, {}, BadSource, "no label column"),
        ({"a": FILES, "b": IDS, "c": ["same"] * 4}, {}, BadSource, "none of which looks like a label"),
        ({"a": FILES, "label": KIND}, {"path": "label", "label": "label"}, BadSource, "both the image and the label"),
        ({"a": FILES, "label": KIND, "split": ["train", "holdout"] * 2}, {}, BadSource, "not known: holdout"),
    ],
)
def test_what_cannot_be_told(
    columns: dict[str, list[Any]], named: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        chosen(columns, **named)


def test_a_split_column_of_something_else_is_noted() -> None:
    found = chosen({"a": FILES, "label": KIND, "set": ["s1", "s2"] * 2})
    assert found.split is None
    assert found.notes == ("column 'set' is not used: its values are not train, val or test",)


def test_a_sample_is_spread_and_bounded() -> None:
    looked_at = sample([None, "", *range(100_000)])
    assert 200 <= len(looked_at) <= 201
    assert looked_at[0] == 0
    assert looked_at[-1] > 99_000
