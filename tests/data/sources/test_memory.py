from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart.base.errors import BadOption, BadSource, UnknownName
from headstart.data.dataset import build
from headstart.data.sources import memory
from headstart.data.sources.memory import Values
from tests.data.pictures import noise, write

PICTURES = [noise(i) for i in range(12)]
LABELS = ["a", "b"] * 6


def items(tmp_path: Path) -> dict[str, Any]:
    return {
        "paths": [str(write(tmp_path / f"{i}.png", i)) for i in range(12)],
        "Path objects": [write(tmp_path / f"{i}.png", i) for i in range(12)],
        "PIL images": tuple(Image.fromarray(picture) for picture in PICTURES),
        "list of arrays": PICTURES,
        "array n,H,W,3": np.stack(PICTURES),
        "array n,H,W,1": np.stack(PICTURES)[..., :1],
        "array n,H,W": np.stack(PICTURES)[..., 0],
        "array of floats": np.stack(PICTURES) / 255,
        "array of paths": np.array([str(write(tmp_path / f"{i}.png", i)) for i in range(12)]),
        "series of paths": pd.Series([str(write(tmp_path / f"{i}.png", i)) for i in range(12)]),
        "mixed": [str(write(tmp_path / "0.png", 0)), *PICTURES[1:11], Image.fromarray(PICTURES[11])],
    }


KINDS = [
    *("paths", "Path objects", "PIL images", "list of arrays", "array n,H,W,3", "array n,H,W,1", "array n,H,W"),
    *("array of floats", "array of paths", "series of paths", "mixed"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_items_with_labels(kind: str, tmp_path: Path) -> None:
    source = Values(items(tmp_path)[kind], LABELS)
    assert memory.claims(source)
    data = build(memory.open(source))
    assert len(data) == 12
    assert data.classes == ("a", "b")
    assert not data.skipped
    assert all(isinstance(item, (str, np.ndarray, Image.Image)) for item in data.items)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.arange(12) % 2, ("0", "1")),
        (pd.Series([1.0, 2.0] * 6), ("1", "2")),
        ([True, False] * 6, ("False", "True")),
        (pd.Categorical(LABELS), ("a", "b")),
    ],
)
def test_kinds_of_labels(labels: Any, classes: tuple[str, ...]) -> None:
    assert build(memory.open(Values(PICTURES, labels))).classes == classes


def test_a_mapping_of_labels_to_items(tmp_path: Path) -> None:
    source = {"cat": PICTURES[:5], 7: np.stack(PICTURES[5:9]), "one": str(write(tmp_path / "x.png", 50))}
    table = memory.open(source)
    assert table.labels == ("cat",) * 5 + (7,) * 4 + ("one",)
    assert build(table, drop_rare=True).classes == ("7", "cat")
    assert "10 items in memory under 3 labels" in table.understood


def test_a_data_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(4):
        write(tmp_path / f"{i}.png", i)
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(
        {"pic": [f"{i}.png" for i in range(4)], "kind": ["a", "b"] * 2, "split": ["train", "test"] * 2}
    )
    table = memory.open(frame)
    assert table.items == ("0.png", "1.png", "2.png", "3.png")
    assert table.labels == ("a", "b", "a", "b")
    assert table.parts == ("train", "test") * 2
    assert table.understood == (
        "DataFrame with 4 rows; column 'pic' is the image, column 'kind' the label, column 'split' the part"
    )


def test_a_data_frame_with_named_or_separate_labels() -> None:
    frame = pd.DataFrame({"image": PICTURES[:4], "label": ["a", "b"] * 2, "breed": ["x", "y"] * 2}, index=[9, 9, 3, 1])
    assert memory.open(frame, label="breed").labels == ("x", "y") * 2
    assert memory.open(Values(frame, "breed")).labels == ("x", "y") * 2
    assert memory.open(Values(frame, [1, 2, 3, 4])).labels == (1, 2, 3, 4)
    assert memory.open(frame).labels == ("a", "b") * 2
    with pytest.raises(UnknownName, match="did you mean breed"):
        memory.open(frame, label="bread")


def test_missing_labels_in_a_data_frame_are_skipped_later() -> None:
    frame = pd.DataFrame({"image": PICTURES, "label": pd.Series([1, 0] * 5 + [None, 1], dtype="Int64")})
    data = build(memory.open(frame))
    assert data.classes == ("0", "1")
    assert [one.where for one in data.skipped] == ["item 11"]


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (PICTURES, BadSource, "12 items without labels(.|\n)*fit\\(items, labels\\)"),
        (Values(PICTURES, LABELS[:3]), BadOption, "12 items but 3 labels"),
        (Values(PICTURES, "label"), BadOption, "labels is a str"),
        (Values(PICTURES, 3), BadOption, "labels is a int"),
        (Values("photos/", LABELS), BadOption, "labels were given for photos/"),
        (Values({"a": PICTURES}, LABELS), BadOption, "keys are the labels"),
        (Values(np.zeros((12, 64)), LABELS), BadSource, r"\(12, 64\) has rows(.|\n)*reshape"),
        (Values(np.zeros((12, 3, 8, 8)), LABELS), BadSource, r"channels first(.|\n)*transpose\(0, 2, 3, 1\)"),
        (Values(np.zeros((12, 8, 8, 2)), LABELS), BadSource, "holds no pictures"),
        (Values(np.zeros((1, 2, 3, 4, 5)), LABELS), BadSource, "holds no pictures"),
        (Values(7, LABELS), BadSource, "A int holds no items"),
        (Values(iter(PICTURES), LABELS), BadSource, "holds no items"),
        (pd.DataFrame({"image": [], "label": []}), BadSource, "no rows"),
        ({"a": 7}, BadSource, "A int holds no items"),
    ],
)
def test_what_does_not_fit(source: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        memory.open(source)


def test_columns_do_not_go_with_a_list() -> None:
    with pytest.raises(BadOption, match="name columns"):
        memory.open(Values(PICTURES, LABELS), label="x")


def test_values_that_are_no_pictures_are_listed() -> None:
    data = build(memory.open(Values([*PICTURES, *PICTURES, 3, None], LABELS * 2 + ["a", "b"])))
    assert [one.why.split(";")[0] for one in data.skipped] == [
        "type int is not an image",
        "there is no image: the path is missing",
    ]


def test_claims() -> None:
    assert all(memory.claims(source) for source in ([], (), {}, np.zeros(3), pd.DataFrame()))
    assert not any(memory.claims(source) for source in ("a", Path("a"), 3, None))
