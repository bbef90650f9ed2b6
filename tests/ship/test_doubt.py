"""How far to believe a model travels with it: the same strangeness elsewhere, and refused when somebody touched it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from headstart.base import hashes, manifest
from headstart.base.errors import BadOption, ModelFolderError
from headstart.base.manifest import DOUBT, GOLDEN, NAME
from headstart.features import familiarity, inference
from headstart.features.network import Features, Network
from headstart.measure import strangeness
from headstart.ship import doubt
from headstart.ship.doubt import Doubt
from headstart.ship.sealed import Model, load
from tests.ship.conftest import ODD, sealed_to


@pytest.fixture
def folder(watched: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(watched, tmp_path / "m")
    return tmp_path / "m"


def resealed(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """What somebody would do who knows how manifests are sealed."""
    data = json.loads((folder / NAME).read_text())
    change(data)
    for name in data["files"]:
        path = folder / name
        data["files"][name] = {"sha256": hashes.of_file(path), "size": path.stat().st_size}
    (folder / NAME).write_text(json.dumps(manifest.sealed(data)))


def test_familiar_and_unfamiliar_items_are_told_apart(folder: Path) -> None:
    model = load(folder)
    even = np.full((40, 40, 3), 100, np.uint8)
    first, second = model.predict([even, ODD])
    assert first.unfamiliar is False and first.strangeness is not None and first.strangeness < 0.2
    assert second.unfamiliar is True and second.strangeness is not None and second.strangeness > 1
    assert "unfamiliar" in repr(second) and "unfamiliar" not in repr(first)
    assert model.unfamiliar([even, ODD]).tolist() == [False, True]


def test_it_is_the_distance_of_the_plain_maths_and_changes_no_prediction(folder: Path, network: Network) -> None:
    model = load(folder)
    known = model.doubt.known
    assert known is not None
    seen = Features(network.backbone, known.stages)
    features = inference.outputs(seen, [ODD], preprocessing=network.backbone.info.preprocessing)
    slow = strangeness.nearest(known.values, strangeness.side_by_side(seen.apart(features)))
    assert model.predict([ODD])[0].strangeness == pytest.approx(slow[0] / 0.2, rel=1e-4)
    unwatched = sealed_to(folder.parent / "other", network, preprocessing=network.backbone.info.preprocessing)
    np.testing.assert_allclose(unwatched.predict_proba([ODD]), model.predict_proba([ODD]), atol=1e-6)


@pytest.mark.slow
def test_another_process_finds_the_same(folder: Path) -> None:
    np.save(folder.parent / "odd.npy", ODD)
    asking = "headstart.load(sys.argv[1]).predict([numpy.load(sys.argv[2])])[0].strangeness"
    run = [
        sys.executable,
        "-c",
        f"import sys, numpy, headstart; print({asking})",
        str(folder),
        str(folder.parent / "odd.npy"),
    ]
    found = subprocess.run(run, capture_output=True, text=True, check=True)
    assert float(found.stdout) == pytest.approx(load(folder).predict([ODD])[0].strangeness, rel=1e-4)


def test_it_is_small(folder: Path) -> None:
    assert (folder / DOUBT).stat().st_size < 100_000
    assert familiarity.room(744) == 1000 and familiarity.room(12288) * 12288 <= familiarity.LARGEST


def test_an_edited_file_is_refused(folder: Path) -> None:
    (folder / DOUBT).write_bytes((folder / DOUBT).read_bytes()[:-1] + b"x")
    with pytest.raises(ModelFolderError, match=r"doubt\.safetensors was changed"):
        load(folder)
    (folder / DOUBT).unlink()
    with pytest.raises(ModelFolderError, match=r"doubt\.safetensors is missing"):
        load(folder)


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("reference", np.zeros((8, 3), np.int8), "does not hold the features"),
        ("reference", np.zeros((8, 60), np.float32), "does not hold the features"),
        ("scale", np.full(60, np.nan, np.float32), "does not hold the features"),
        ("confidence", np.ones(3, np.float32), "without losses"),
        ("loss", np.full(51, np.inf, np.float32), "no usable loss"),
        ("strangeness", np.ones((2, 2), np.float32), "no usable strangeness"),
    ],
)
def test_what_was_sealed_wrongly_is_refused_in_words(folder: Path, name: str, array: np.ndarray, said: str) -> None:
    save_file({**load_file(folder / DOUBT), name: array}, folder / DOUBT)
    resealed(folder, lambda data: None)
    with pytest.raises(ModelFolderError, match=said):
        load(folder)


def test_golden_examples_replay_it(folder: Path) -> None:
    resealed(folder, lambda data: data["familiar"].update(line=0.5))
    with pytest.raises(ModelFolderError, match="no longer finds the same items unfamiliar"):
        load(folder)
    examples = load_file(folder / GOLDEN)
    assert examples.pop("strangeness").shape == (8,)
    save_file(examples, folder / GOLDEN)
    resealed(folder, lambda data: data["familiar"].update(line=0.2))
    with pytest.raises(ModelFolderError, match="no longer finds"):
        load(folder)


def test_features_of_stages_that_the_network_does_not_have(folder: Path) -> None:
    resealed(folder, lambda data: data["familiar"].update(stages=[1, 99]))
    with pytest.raises(ModelFolderError, match="stages 1, 99"):
        load(folder)


def test_a_folder_of_the_second_version_says_that_it_does_not_know(folder: Path) -> None:
    examples = load_file(folder / GOLDEN)
    save_file({name: array for name, array in examples.items() if name != "strangeness"}, folder / GOLDEN)
    (folder / DOUBT).unlink()

    def back(data: dict[str, Any]) -> None:
        del data["familiar"], data["unmeasured"], data["files"][DOUBT]
        data["schema_version"] = 2

    resealed(folder, back)
    model = load(folder)
    assert model.predict([ODD])[0].unfamiliar is None and model.predict([ODD])[0].strangeness is None
    with pytest.raises(BadOption, match="before headstart measured it"):
        model.unfamiliar([ODD])


def test_a_least_confidence_and_what_it_would_have_kept(folder: Path) -> None:
    model = load(folder)
    assert [one.unsure for one in model.predict([ODD], min_confidence=1.0)] == [True]
    assert [one.unsure for one in model.predict([ODD], min_confidence=0.01)] == [False]
    assert [one.unsure for one in model.predict([ODD])] == [False]
    share, wrong = model.doubt.keeping(0.7499) or (0.0, None)
    assert share == pytest.approx(26 / 51) and wrong is not None and wrong.value == 0.0
    share, wrong = model.doubt.keeping(0.1) or (0.0, None)
    assert share == 1.0 and wrong is not None and wrong.value == pytest.approx(10 / 51)
    assert Doubt().keeping(0.5) is None and model.doubt.keeping(1.5) is None
    for wrong_one in (0.0, -1.0, 1.01, float("nan")):
        with pytest.raises(BadOption, match="confidence cannot be"):
            model.predict([ODD], min_confidence=wrong_one)


def test_marks_beside_an_answer() -> None:
    assert doubt.marks(1.23456) == {"unfamiliar": True, "strangeness": 1.235}
    assert doubt.marks(1.0)["unfamiliar"] is False
    assert doubt.marks(None) == doubt.marks(float("nan")) == {"unfamiliar": None, "strangeness": None}
    assert doubt.cells(0.5) == ["false", "0.5"] and doubt.cells(None) == ["", ""]


def test_the_model_says_it(folder: Path) -> None:
    model: Model = load(folder)
    card = (folder / "MODEL_CARD.md").read_text()
    assert "marks items that are unlike its training data" in card and "features of 8 training items" in card
    assert model.manifest.familiar is not None and model.manifest.unmeasured == ""
