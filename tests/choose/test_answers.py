"""The whole job on questions: from SQuAD files to a sealed folder that answers them in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.base.errors import BadOption, ExportError
from headstart.ship.sealed import Model
from tests import asked, topics

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local:{topics.saved(tmp_path_factory.mktemp('net'), layers=2)}"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for seed, (name, count) in enumerate({"train": 70, "dev": 25, "test": 30}.items()):
        asked.written(folder / f"{name}.json", asked.questions(count, seed))
    return folder


@pytest.fixture(scope="module")
def model(network: str, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    to = tmp_path_factory.mktemp("out") / "m"
    options = {"strategy.epochs": "12", "strategy.batch_size": "4", "strategy.rate": "0.01"}
    return headstart.fit(corpus, output=to, backbone=network, strategy="full", settings=options, budget="25s")


def test_the_evidence_is_of_answers_and_has_a_baseline_without_a_network(model: Model) -> None:
    rows = {row.name: row for row in model.evidence}
    assert {"majority", "answer_overlap", "full"} <= set(rows)
    found = {name: rows[name].scores["answer_f1"].value for name in ("majority", "answer_overlap", "full")}
    assert found["answer_overlap"] > found["majority"] + 0.2 and found["full"] > found["majority"] + 0.2
    assert "answer F1" in model.verdict["sentence"] and "test places" in model.verdict["sentence"]


def test_scores_are_those_of_what_is_answered(model: Model, corpus: Path) -> None:
    found = model.evaluate(corpus)
    assert found["answer_f1"] == model.verdict["tests"]["winner"]["answer_f1"]
    rows = asked.questions(30, 2)
    answers = [one.answer for one in model.predict([(question, context) for question, context, _ in rows])]
    right = [
        said["answer"] == (there[0][0] if there else "") for said, (_, _, there) in zip(answers, rows, strict=True)
    ]
    # One question that is also in train, if any, is all that may differ.
    assert np.mean(right) == pytest.approx(found["exact_match"]["value"], abs=0.05)
    assert found["with_answer"]["questions"] + found["without_answer"]["questions"] == found["questions"]
    for said, (_, context, _) in zip(answers, rows, strict=True):
        assert said["answer"] == ("" if said["start"] is None else context[said["start"] : said["end"]])


def test_another_process_answers_files_and_questions(model: Model, corpus: Path) -> None:
    asked_of = [str(corpus / "test.json"), "what was near it", "on near stew yesterday"]
    command = [sys.executable, "-m", "headstart", "predict", str(model.path), *asked_of, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(rows) == 31 and all({"answer", "start", "end", "confidence", "no_answer"} <= set(row) for row in rows)
    assert rows[3]["file"].endswith("question q3") and rows[-1]["file"] == "what was near it"


def test_answers_that_are_not_sure_enough_are_marked(model: Model) -> None:
    question = ("what was near it", "on near stew yesterday")
    sure = model.predict(question)[0].answer["confidence"]
    assert not model.predict(question, min_confidence=sure * 0.99)[0].unsure
    assert sure > 0.99 or model.predict(question, min_confidence=min(1.0, sure * 1.01))[0].unsure


@pytest.mark.parametrize("strategy", ["probe", "partial"])
def test_other_strategies_learn_too(network: str, corpus: Path, tmp_path: Path, strategy: str) -> None:
    options = {} if strategy == "probe" else {"strategy.epochs": "3", "strategy.rate": "0.01"}
    asked_for = {"output": tmp_path / "m", "backbone": network, "strategy": strategy, "settings": options}
    model = headstart.fit(corpus, **asked_for, baselines=False, pictures=False)
    (row,) = [row for row in model.evidence if row.name.startswith(strategy)]
    assert row.scores["answer_f1"].value > 0.3
    (found,) = headstart.load(model.path).predict(("what was near it", "on near stew yesterday"))
    assert found.scores.shape == (5, 2) and found.parts[0] == "(no answer)"


def test_the_report_shows_questions(model: Model) -> None:
    page = model.report().read_text()
    assert "answer F1" in page and "what was near it" in page
    assert "Traceback" not in (model.path / "run" / "log.txt").read_text()


def test_what_questions_cannot_do_is_said(model: Model, tmp_path: Path) -> None:
    for to, name in (("onnx", "m.onnx"), ("hf", "m"), ("safetensors", "m")):
        with pytest.raises(ExportError, match="does not leave as a graph"):
            headstart.export(model.path, tmp_path / name, to=to)
    with pytest.raises(BadOption, match="is not served"):
        headstart.serve(model, port=0)
    with pytest.raises(BadOption, match="no single row"):
        model.predict_proba([("what", "on near stew")])
