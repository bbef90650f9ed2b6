"""What counts as pictures, and the folder of a sealed model that lives as long as its estimator."""

from __future__ import annotations

import copy
import gc
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse

from headstart.base.errors import BadSource
from headstart.estimators import pictures
from headstart.estimators.pictures import Sealed

SQUARE = np.zeros((8, 8), np.uint8)
PATHS = ["a.jpg", "b.jpg"]

TAKEN: dict[str, Any] = {
    "paths": PATHS,
    "path objects": [Path("a.jpg"), Path("b.jpg")],
    "a tuple": tuple(PATHS),
    "an array of paths": np.array(PATHS),
    "an array of path objects": np.array([Path("a.jpg"), Path("b.jpg")], dtype=object),
    "a column of paths": np.array(PATHS).reshape(-1, 1),
    "a series": pd.Series(PATHS, index=[7, 3]),
    "a frame of one column": pd.DataFrame({"path": PATHS}, index=[7, 3]),
    "PIL images": [Image.new("RGB", (8, 8)), Image.new("L", (9, 9))],
    "arrays": [SQUARE, np.zeros((9, 7, 3), np.uint8)],
    "grey pictures": np.zeros((2, 8, 8)),
    "pictures in colour": np.zeros((2, 8, 8, 3), np.uint8),
    "a gap first": [None, "b.jpg"],
}

VECTORS: dict[str, Any] = {
    "an array": np.zeros((5, 3)),
    "one column": np.zeros((5, 1)),
    "lists": [[1, 2], [3, 4]],
    "rows": [np.zeros(3), np.zeros(3)],
    "numbers": [1.0, 2.0],
    "objects": np.array([[1, 2], [3, 4]], dtype=object),
    "words in columns": np.array([["a", "b"]]),
    "a frame": pd.DataFrame({"a": [1.0], "b": [2.0]}),
    "a frame of one number": pd.DataFrame({"a": [1.0]}),
    "a series of numbers": pd.Series([1.0, 2.0]),
    "sparse": sparse.csr_matrix(np.eye(3)),
    "nothing": [],
    "a number": 3,
}


@pytest.mark.parametrize("case", TAKEN)
def test_pictures_are_taken_as_pictures_one_by_one(case: str) -> None:
    assert pictures.holds(TAKEN[case])
    found = pictures.items(TAKEN[case])
    assert isinstance(found, list) and len(found) == 2
    if "path" in case or "series" in case or "frame" in case or "tuple" in case:
        assert found == PATHS
    if case.startswith("pictures") or case.startswith("grey"):
        assert [one.shape for one in found] == [TAKEN[case].shape[1:]] * 2


@pytest.mark.parametrize("case", VECTORS)
def test_everything_else_is_left_to_scikit_learn(case: str) -> None:
    assert not pictures.holds(VECTORS[case])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("photos/", "X is a single str"),
        (Path("a.jpg"), "X is a single"),
        (Image.new("RGB", (8, 8)), "X is a single Image"),
        (np.zeros((2, 3, 8, 8)), r"An array of shape \(2, 3, 8, 8\) holds no pictures"),
        (np.zeros((2, 8, 8, 3, 1)), "holds no pictures"),
        (np.zeros((0, 8, 8)), "X is empty"),
    ],
)
def test_what_looks_like_pictures_but_is_not_is_explained(given: Any, message: str) -> None:
    assert pictures.holds(given)
    with pytest.raises(BadSource, match=message):
        pictures.items(given)


def test_columns_follow_the_wanted_order() -> None:
    assert pictures.in_order(("1", "2", "10"), ["1", "10", "3", "2"]) == [0, 2, -1, 1]


def seal() -> Sealed:
    """A folder with files such as a sealed model's; the model itself is not asked for here."""
    folder = pictures.new_folder()
    for name in ("manifest.json", "weights.safetensors", "run/metrics.jsonl"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return Sealed(folder, None)  # type: ignore[arg-type]


def test_a_pickle_carries_the_folder_without_its_run() -> None:
    sealed = seal()
    again = pickle.loads(pickle.dumps(sealed))
    assert again.files() == {name: name.encode() for name in ("manifest.json", "weights.safetensors")}
    assert again.folder != sealed.folder
    assert copy.deepcopy(again).files() == again.files()


def test_the_folder_goes_with_its_owner_and_no_earlier() -> None:
    sealed = seal()
    folder = sealed.folder
    child = os.fork()
    if not child:
        del sealed
        gc.collect()
        os._exit(0 if folder.exists() else 1)
    assert os.waitpid(child, 0)[1] == 0 and folder.exists()
    del sealed
    gc.collect()
    assert not folder.exists()
