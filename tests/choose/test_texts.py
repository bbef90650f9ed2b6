"""The whole job on texts: from labelled sentences to a sealed folder that answers in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.base.errors import BadOption, ModelFolderError, WeightsError
from headstart.base.manifest import NAME, sealed
from headstart.base.readings import FILES
from headstart.ship.sealed import Model
from tests import topics

TOKENIZER = FILES["pieces"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("net")
    return f"local:{topics.saved(folder)}"


@pytest.fixture(scope="module")
def model(network: str, tmp_path_factory: pytest.TempPathFactory) -> Model:
    items, labels = topics.sentences(80)
    to = tmp_path_factory.mktemp("out") / "m"
    return headstart.fit(items, labels, output=to, backbone=network, strategy="probe", baselines=False)


def test_a_model_of_texts_learns_and_says_what_it_reads(model: Model) -> None:
    fresh, labels = topics.sentences(30, seed=9)
    right = [one.label == label for one, label in zip(model.predict(fresh), labels, strict=True)]
    assert np.mean(right) > 0.75
    assert model.manifest.modality == "texts" and model.manifest.schema_version == 4
    assert "Input: windows of" in (model.path / "MODEL_CARD.md").read_text()
    assert model.evaluate(fresh, labels)["accuracy"]["value"] == pytest.approx(np.mean(right))


def test_the_tokenizer_lies_beside_the_weights_and_is_checked(model: Model, tmp_path: Path) -> None:
    manifest = json.loads((model.path / NAME).read_text())
    assert TOKENIZER in manifest["files"] and manifest["preprocessing"]["reader"] == "pieces"
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in [*manifest["files"], NAME]:
        (copy / name).write_bytes((model.path / name).read_bytes())
    assert headstart.load(copy).predict("salt and butter")[0].label == model.predict("salt and butter")[0].label
    (copy / TOKENIZER).write_text((copy / TOKENIZER).read_text().replace("butter", "buttar"))
    with pytest.raises(ModelFolderError, match=f"{TOKENIZER} was changed"):
        headstart.load(copy)
    del manifest["files"][TOKENIZER]
    (copy / NAME).write_text(json.dumps(sealed(manifest)))
    with pytest.raises(ModelFolderError, match=f"does not list {TOKENIZER}"):
        headstart.load(copy)


@pytest.mark.slow
def test_another_process_gives_the_same_answers(model: Model) -> None:
    items = topics.sentences(4, seed=3, longest=60)[0]
    code = (
        "import json, sys, headstart\n"
        "print(json.dumps(headstart.load(sys.argv[1]).predict_proba(json.loads(sys.argv[2])).tolist()))"
    )
    command = [sys.executable, "-c", code, str(model.path), json.dumps(items)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == model.predict_proba(items).tolist()


def test_a_long_text_is_read_whole_in_windows_and_it_is_said(model: Model) -> None:
    short, long = "we saw the sail", "we saw the sail " * 30
    answers = model.predict([short, long, "salt " * 2000, ("salt", "sail")])
    assert answers[0].remark == "" and answers[1].remark.startswith("read in ")
    assert answers[2].remark.startswith("16 of its ")
    # What stands behind the first window counts.
    beginning, whole = model.predict_proba(["we saw the sail " * 8, "we saw the sail " * 8 + "engine rail " * 60])
    assert whole[model.classes.index("trains")] > beginning[model.classes.index("trains")] + 0.05
    assert repr(model.predict(short)[0]).startswith("Prediction('we saw the sail', ")


def test_a_backbone_of_pictures_is_refused_for_texts_and_the_other_way_round(network: str, tmp_path: Path) -> None:
    items, labels = topics.sentences(10)
    with pytest.raises(WeightsError, match="reads images, not texts"):
        headstart.fit(items, labels, output=tmp_path / "a", backbone="embedded/resnet10-procedural")
    pictures = np.random.default_rng(0).integers(0, 255, (12, 16, 16, 3), np.uint8)
    with pytest.raises(WeightsError, match="reads texts, not images"):
        headstart.fit(pictures, list("aabb" * 3), output=tmp_path / "b", backbone=network)


@pytest.mark.parametrize("setting", ["flip", "mixup", "cutmix", "randaugment"])
def test_views_that_mean_nothing_for_texts_are_refused(network: str, tmp_path: Path, setting: str) -> None:
    items, labels = topics.sentences(10)
    given = {"backbone": network, "strategy": "full", "settings": {f"augmentation.{setting}": "1"}}
    with pytest.raises(BadOption, match=f"Views of texts have no {setting}"):
        headstart.fit(items, labels, output=tmp_path / "m", **given)


def test_two_networks_of_texts_are_compared(network: str, tmp_path: Path) -> None:
    items, labels = topics.sentences(20)
    other = f"local:{topics.saved(tmp_path, 1)}"
    found = headstart.rank_backbones(items, labels, backbones=[network, other, "embedded/resnet10-procedural"])
    assert {row.name for row in found.measured} == {network, other}
    (refused,) = [row for row in found.rows if not row.place]
    assert refused.status == "It reads images, not texts"


@pytest.mark.slow
def test_scikit_learn_takes_texts(network: str) -> None:
    items, labels = topics.sentences(30)
    features = headstart.TransferFeatures(backbone=network).fit_transform(items)
    assert features.shape == (90, 32)
    classifier = headstart.TransferClassifier(backbone=network).fit(np.array(items), labels)
    assert (classifier.predict(items[:20]) == np.array(labels[:20])).mean() > 0.6
    pairs = [(text, text) for text in items]
    values = [float(len(text.split())) for text in items]
    regressor = headstart.TransferRegressor(backbone=network).fit(pairs, values)
    assert regressor.predict(pairs[:3]).shape == (3,)


@pytest.mark.slow
def test_the_ladder_is_climbed_on_texts(network: str, tmp_path: Path) -> None:
    items, labels = topics.sentences(40)
    model = headstart.fit(items, labels, output=tmp_path / "m", backbone=network, budget="12s")
    kinds = {row.kind for row in model.evidence if row.status == "measured"}
    assert {"baseline", "transfer", "scratch"} <= kinds
    assert "majority" in {row.name for row in model.evidence}
    assert not any(row.name.startswith("pixels") for row in model.evidence)
    assert model.verdict["sentence"] and headstart.load(tmp_path / "m").predict("salt")[0].label in model.classes
