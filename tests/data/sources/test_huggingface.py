from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.base.errors import BadSource, MissingExtra, UnknownName
from headstart.data import images
from headstart.data.dataset import build
from headstart.data.deferred import Deferred
from headstart.data.opening import open_source
from tests.data.pictures import noise

datasets = pytest.importorskip("datasets")


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(seed)).save(stream, "PNG")
    return stream.getvalue()


def trees(number: int = 30, start: int = 0, *, names: tuple[str, ...] = ("oak", "ash", "elm"), **more: Any) -> Any:
    """A data set with the picture column last and class numbers in the order of ``names``."""
    columns: dict[str, Any] = {
        "id": list(range(start, start + number)),
        "species": [i % len(names) for i in range(number)],
        **more,
        "photo": [{"bytes": png(start + i), "path": None} for i in range(number)],
    }
    kinds: dict[str, Any] = {
        "id": datasets.Value("int64"),
        "species": datasets.ClassLabel(names=list(names)),
        **{name: datasets.Value("string") for name in more},
        "photo": datasets.Image(),
    }
    return datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_data_set_in_memory() -> None:
    found = open_source(trees())
    assert found.labels[:4] == ("oak", "ash", "elm", "oak")
    assert "column 'photo' is the image, column 'species' the label" in found.understood
    assert "Hugging Face data set with 30 rows" in found.understood
    assert set(found.parts) == {None}
    data = build(found)
    assert data.classes == ("ash", "elm", "oak")
    assert data.cross_validated


def test_pictures_stay_undecoded_and_count_as_their_files() -> None:
    found = open_source(trees())
    assert all(isinstance(item, Deferred) for item in found.items)
    assert images.digest(found.items[7]) == hashlib.sha256(png(7)).hexdigest()
    assert (np.asarray(images.decode(found.items[7])) == noise(7)).all()
    assert found.items[7].name == "the data set, item 8"


def test_splits_become_parts() -> None:
    whole = datasets.DatasetDict(train=trees(30), validation=trees(9, 100), test=trees(9, 200), extra=trees(3, 300))
    found = open_source(whole)
    assert [found.parts.count(part) for part in ("train", "val", "test")] == [30, 9, 9]
    assert "(train 30, validation 9, test 9)" in found.understood
    assert any("not used: the splits extra" in note for note in found.notes)
    assert open_source({"train": trees(30), "test": trees(9, 100)}).parts.count("test") == 9


def test_a_single_split_is_split_here() -> None:
    assert set(open_source(datasets.DatasetDict(train=trees())).parts) == {None}


def test_splits_with_other_class_numbers_are_joined_by_name() -> None:
    whole = {"train": trees(6), "test": trees(6, 100, names=("elm", "oak", "ash"))}
    assert open_source(whole).labels[6:9] == ("elm", "oak", "ash")


def test_missing_pictures_and_labels_are_listed() -> None:
    raw = trees(40)
    columns = raw.cast_column("photo", datasets.Image(decode=False))[:]
    columns["photo"][3], columns["photo"][4] = None, {"bytes": b"junk", "path": None}
    columns["species"][5] = -1
    data = build(open_source(datasets.Dataset.from_dict(columns, features=raw.features)))
    assert [one.where for one in data.skipped] == [f"the data set, item {i}" for i in (4, 5, 6)]
    assert "no image in this row" in data.skipped[0].why
    assert "not an image" in data.skipped[1].why
    assert "no label" in data.skipped[2].why


def test_columns_can_be_named_and_groups_too() -> None:
    data = trees(12, who=[f"p{i // 2}" for i in range(12)], kind=["x", "y"] * 6)
    found = open_source(data, label="kind", path="photo", group="who")
    assert found.labels[:2] == ("x", "y")
    assert found.groups[:4] == ("p0", "p0", "p1", "p1")
    with pytest.raises(UnknownName, match="did you mean species"):
        open_source(data, label="specis")


def test_a_column_of_paths(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(png(i))
    data = datasets.Dataset.from_dict({"file": [str(tmp_path / f"{i}.png") for i in range(4)], "label": [0, 1] * 2})
    assert open_source(data).items == tuple(data["file"])


def test_two_image_columns_need_a_choice() -> None:
    data = trees(6).add_column("mask", [None] * 6).cast_column("mask", datasets.Image())
    with pytest.raises(BadSource, match="More than one column holds images: photo, mask"):
        open_source(data)
    assert "column 'photo' is the image" in open_source(data, path="photo").understood


@pytest.mark.parametrize("kind", ["saved", "saved parts", "parquet", "lines"])
@pytest.mark.usefixtures("cache")
def test_folders_that_the_library_wrote(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "trees"
    if kind == "saved":
        trees().save_to_disk(folder)
    elif kind == "saved parts":
        datasets.DatasetDict(train=trees(), test=trees(9, 100)).save_to_disk(folder)
    elif kind == "parquet":
        (folder / "data").mkdir(parents=True)
        (folder / "README.md").write_text("# Trees\n")
        trees().to_parquet(folder / "data" / "train-00000-of-00001.parquet")
        trees(9, 100).to_parquet(folder / "data" / "test-00000-of-00001.parquet")
    else:
        folder.mkdir()
        lines = [json.dumps({"file_name": f"{i}.png", "label": "ab"[i % 2]}) for i in range(30)]
        (folder / "metadata.jsonl").write_text("\n".join(lines))
        for i in range(30):
            (folder / f"{i}.png").write_bytes(png(i))
    found = open_source(folder)
    assert found.parts.count("test") == (9 if kind in ("saved parts", "parquet") else 0)
    assert set(found.labels) == ({"a", "b"} if kind == "lines" else {"oak", "ash", "elm"})
    assert str(folder) in found.understood
    assert images.digest(found.items[0]) == hashlib.sha256(png(0)).hexdigest()


@pytest.mark.usefixtures("cache")
def test_a_damaged_folder(tmp_path: Path) -> None:
    trees().save_to_disk(tmp_path / "trees")
    for file in (tmp_path / "trees").glob("*.arrow"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BadSource, match="cannot be read as a Hugging Face data set"):
        open_source(tmp_path / "trees")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (lambda: trees().to_iterable_dataset(), "can only be streamed"),
        (lambda: trees().select([]), "has no rows"),
        (lambda: {"small": trees(3), "large": trees(6)}, "None of the data set's splits is a part: small, large"),
        (lambda: trees().remove_columns("photo"), "No column holds image paths"),
        (lambda: "hf:", "no name of a data set"),
        (lambda: "hf:a/b/c", "no name of a data set"),
    ],
)
def test_nothing_usable(source: Any, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        open_source(source())


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadSource, match=r"nobody/nothing cannot be fetched(.|\n)*save_to_disk"):
        open_source("hf:nobody/nothing")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"headstart\[datasets\]"):
        open_source("hf:owner/name")


def test_a_folder_of_classes_beside_a_table_is_still_a_folder(tmp_path: Path) -> None:
    from tests.data.pictures import write_classes

    write_classes(tmp_path, {"a": 2, "b": 2})
    trees(4).remove_columns("photo").to_parquet(tmp_path / "labels.parquet")
    assert "one subfolder a class" in open_source(tmp_path).understood


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    for number in (100, 1000):
        rows = [{"bytes": png(i) + bytes(40_000), "path": None} for i in range(number)]
        labels = [i % 2 for i in range(number)]
        datasets.Dataset.from_dict({"image": rows, "label": labels}, features=kinds).save_to_disk(
            tmp_path / str(number)
        )
    code = """
import sys
from pathlib import Path
from headstart.data.opening import open_source
from headstart.data.dataset import build
for number in (100, 1000):
    build(open_source(f"{sys.argv[1]}/{number}"))
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) >> 10 for line in lines if line.startswith("RssAnon")))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    few, many = map(int, done.stdout.split())
    assert many - few < 20, f"36 MB of pictures more, and {many - few} MB more in memory"
