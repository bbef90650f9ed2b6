"""The whole job on words: from a file of tags to a sealed folder that answers sentences in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.base.errors import BadOption, ExportError, WeightsError
from headstart.ship.sealed import Model
from tests import labelled, topics

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local:{topics.saved(tmp_path_factory.mktemp('net'), layers=2)}"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (name, count) in enumerate({"train": 70, "dev": 25, "test": 30}.items()):
        labelled.written(folder / f"{name}.conll", labelled.sentences(count, seed))
    return folder


@pytest.fixture(scope="module")
def model(network: str, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    to = tmp_path_factory.mktemp("out") / "m"
    options = {"strategy.epochs": "15", "strategy.batch_size": "4", "strategy.rate": "0.01"}
    return headstart.fit(corpus, output=to, backbone=network, strategy="full", settings=options, budget="25s")


def test_the_evidence_is_of_entities_and_has_a_baseline_without_a_network(model: Model) -> None:
    rows = {row.name: row for row in model.evidence}
    assert {"majority", "word_shapes", "full"} <= set(rows)
    assert rows["majority"].scores["entity_f1"].value == 0.0
    assert rows["full"].scores["entity_f1"].value > 0.6
    assert "entity F1" in model.verdict["sentence"] and "test words" in model.verdict["sentence"]


def test_sentences_are_answered_with_their_entities(network: str, corpus: Path, tmp_path: Path) -> None:
    model = headstart.fit(
        corpus, output=tmp_path / "p", backbone=network, strategy="probe", baselines=False, pictures=False
    )
    (found,) = model.predict("we bake garlic soup near the old harbour again")
    assert found.parts == ("we", "bake", "garlic", "soup", "near", "the", "old", "harbour", "again")
    assert found.scores.shape == (9, len(model.classes))
    entities = {(one["kind"], *one["words"]) for one in found.answer["entities"]}
    assert ("SEA", "harbour") in entities and any(kind == "FOOD" for kind, *_ in entities)
    text = str(found.item)
    assert all(text[one["start"] : one["end"]] == " ".join(one["words"]) for one in found.answer["entities"])
    with pytest.raises(BadOption, match="9 parts"):
        _ = found.probabilities
    with pytest.raises(BadOption, match="no single row"):
        model.predict_proba(["we bake"])


def test_scores_of_labelled_words_are_those_of_the_test_part(model: Model, corpus: Path) -> None:
    found = model.evaluate(corpus)
    assert found["entity_f1"] == model.verdict["tests"]["winner"]["entity_f1"]
    assert set(found["per_kind"]) == {"FOOD", "SEA"}
    answers = [one.answer["tags"] for one in model.predict([[w for w, _ in row] for row in labelled.sentences(30, 2)])]
    truth = [[tag for _, tag in row] for row in labelled.sentences(30, 2)]
    right = np.mean(
        [a == b for said, there in zip(answers, truth, strict=True) for a, b in zip(said, there, strict=True)]
    )
    # One sentence that is also in train, if any, is all that may differ.
    assert right == pytest.approx(found["accuracy"]["value"], abs=0.02)


def test_another_process_answers_files_and_sentences(model: Model, corpus: Path) -> None:
    command = [sys.executable, "-m", "headstart", "predict", str(model.path), str(corpus / "test.conll"), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(rows) == 30 and all(len(row["tags"]) == len(row["words"]) for row in rows)
    ran = subprocess.run([*command[:5], "the garlic was near", "--csv"], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0].startswith("file,word,tag,confidence") and len(ran.stdout.splitlines()) == 5


def test_a_run_is_resumed(network: str, corpus: Path, tmp_path: Path) -> None:
    asked = {"output": tmp_path / "m", "backbone": network, "strategy": "probe", "baselines": False, "pictures": False}
    before = headstart.fit(corpus, **asked)
    (before.path / "manifest.json").unlink()
    again = headstart.fit(corpus, **asked, resume=True)
    assert again.verdict["sentence"] == before.verdict["sentence"]


def test_the_report_shows_words_in_their_sentences(model: Model) -> None:
    page = model.report().read_text()
    assert "entity F1" in page and "B-FOOD" in page
    log = (model.path / "run" / "log.txt").read_text()
    assert "Traceback" not in log


def test_what_words_cannot_do_is_said(model: Model, network: str, corpus: Path, tmp_path: Path) -> None:
    for to, name in (("onnx", "m.onnx"), ("hf", "m"), ("safetensors", "m")):
        with pytest.raises(ExportError, match="does not leave as a graph"):
            headstart.export(model.path, tmp_path / name, to=to)
    with pytest.raises(BadOption, match="is not served"):
        headstart.serve(model, port=0)
    with pytest.raises(WeightsError, match="reads images, not words"):
        headstart.fit(corpus, output=tmp_path / "x", backbone="embedded/resnet10-procedural", strategy="probe")
