"""Models of texts leave the house, as a graph with its tokenizer and as a folder that transformers loads."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headstart.base.errors import ExportError
from headstart.ship.exporting import MARK, export
from headstart.ship.sealed import load
from headstart.tasks import multilabel, regression
from tests.ship import sealed_texts

TEXT, LONG = "Salt and oven near the harbour", "the crew and a rail " * 40


def lines(card: Path) -> str:
    """The Python of a model card."""
    inside = card.read_text(encoding="utf-8").split("## Use", 1)[1].splitlines()
    return "\n".join(line[4:] for line in inside if line.startswith("    "))


def run(code: str, folder: Path, text: str) -> dict:
    """The variables that a card's lines leave, with another text in them."""
    script = folder / "try_it.py"
    script.write_text(
        code.replace('"The text"', repr(text)).replace('"The text; of a pair, encode(first, second)"', repr(text))
    )
    return runpy.run_path(str(script))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("texts")
    sealed_texts.sealed(where / "topics", where / "bert")
    return where / "topics"


@pytest.mark.parametrize("taps", [(), (2, 4)], ids=["last", "several"])
def test_a_folder_of_transformers_gives_what_the_model_gives(taps, tmp_path, monkeypatch):
    model = sealed_texts.sealed(tmp_path / "topics", tmp_path / "bert", taps=taps)
    done = export(model.path, tmp_path / "hub", to="hf")
    assert done.difference < 1e-5
    assert done.golden == 8
    names = {each.name for each in (tmp_path / "hub").iterdir()}
    assert names == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"),
        *("head.safetensors", "head.json", MARK),
    }
    monkeypatch.chdir(tmp_path)
    for text in (TEXT, LONG):
        said = run(lines(tmp_path / "hub" / "README.md"), tmp_path, text)
        np.testing.assert_allclose(said["predictions"].numpy(), model.predict([text])[0].scores, atol=1e-5)


def test_its_card_says_what_loads_and_what_does_not(folder, tmp_path):
    done = export(folder, tmp_path / "hub", to="hf")
    card = (tmp_path / "hub" / "README.md").read_text(encoding="utf-8")
    assert "AutoModel" in card
    assert "head.safetensors" in card
    assert 'pipeline_tag: "text-classification"' in card
    assert any("base model" in note for note in done.notes)
    about = json.loads((tmp_path / "hub" / "head.json").read_text())
    assert about["labels"] == list(sealed_texts.CLASSES)
    assert json.loads((tmp_path / "hub" / "config.json").read_text())["id2label"]["1"] == sealed_texts.CLASSES[1]


def test_plain_weights_of_a_text_network_are_the_folder_of_its_library(folder, tmp_path):
    with pytest.raises(ExportError, match="--to hf") as refused:
        export(folder, tmp_path / "plain", to="safetensors")
    assert not (tmp_path / "plain").exists()
    assert "head.json" in refused.value.expected


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_other_tasks_leave_as_a_folder_too(kind, tmp_path, monkeypatch):
    task = (
        regression.learn([1.0, 5.0], name="stars") if kind == "regression" else multilabel.learn([("a", "b"), ("c",)])
    )
    given = {"task": task, "extra": {}, "evidence": []}
    model = sealed_texts.sealed(tmp_path / "m", tmp_path / "bert", outputs=task.outputs, **given)
    assert export(model.path, tmp_path / "hub", to="hf").difference < 1e-4
    monkeypatch.chdir(tmp_path)
    said = run(lines(tmp_path / "hub" / "README.md"), tmp_path, TEXT)
    np.testing.assert_allclose(said["predictions"].numpy(), model.predict([TEXT])[0].scores, atol=1e-4)


@pytest.mark.slow
def test_a_graph_takes_token_ids_of_any_number_and_lies_beside_its_tokenizer(folder, tmp_path):
    pytest.importorskip("onnxruntime")
    import onnx
    import onnxruntime

    done = export(folder, tmp_path / "topics.onnx", to="onnx")
    assert done.difference < 1e-4
    assert (done.golden, done.items) == (8, 6)
    assert (tmp_path / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes()
    given = {each.name: each for each in onnx.load(tmp_path / "topics.onnx").graph.input}
    assert set(given) == {"input_ids", "attention_mask", "token_type_ids"}
    for each in given.values():
        assert each.type.tensor_type.elem_type == onnx.TensorProto.INT64
        assert all(axis.dim_param for axis in each.type.tensor_type.shape.dim)
    model = load(folder)
    code = "\n".join(done.use).replace('"The text; of a pair, encode(first, second)"', "sys.argv[1]")
    script = tmp_path / "use.py"
    script.write_text(f"import sys, json\n{code}\nprint(json.dumps(probabilities.tolist()))")
    for text in (TEXT, LONG):
        # Nothing but onnxruntime, numpy and tokenizers is imported.
        ran = subprocess.run(
            [sys.executable, "-I", script, text], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        np.testing.assert_allclose(json.loads(ran.stdout)[0], model.predict([text])[0].scores, atol=1e-4)
    # Texts of several lengths in one batch, the shorter ones with windows and tokens of nothing.
    texts = ["salt", LONG, TEXT]
    inputs = _together(model, texts)
    session = onnxruntime.InferenceSession(str(tmp_path / "topics.onnx"))
    found = session.run(None, inputs)[0]
    np.testing.assert_allclose(found, [each.scores for each in model.predict(texts)], atol=1e-4)


def _together(model, texts):
    from headstart.data.token_inputs import inputs
    from headstart.features import inference

    return inputs(inference.batch(texts, model.scorer.preprocessing, modality="texts").numpy())
