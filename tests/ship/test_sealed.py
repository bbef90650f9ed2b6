"""A sealed model comes back as it was, in another process too, and nothing else is accepted in its place."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from headstart.base.errors import BadOption, BadSource, ModelFolderError, Undecodable
from headstart.base.manifest import CARD, GOLDEN, NAME, WEIGHTS
from headstart.features import inference
from headstart.features.network import Network
from headstart.measure.calibration import softmax
from headstart.ship.sealed import Model, Prediction, load
from tests.ship.conftest import CLASSES, resealed, small_network

Change = Callable[[dict[str, Any]], None]


def test_probabilities_are_the_networks_at_its_temperature(
    model_folder: Path, network: Network, pictures: Path
) -> None:
    model = load(model_folder)
    items = sorted(pictures.rglob("*.png"))
    wanted = softmax(inference.outputs(network, items, preprocessing=model.manifest.preprocessing.value()) / 0.5)
    found = model.predict_proba(items)
    assert found.shape == (15, 3)
    assert np.abs(found - wanted).max() < 1e-6
    assert found.std(axis=0).max() > 1e-3, "a network that answers the same to everything proves nothing"


@pytest.mark.slow
def test_a_new_process_gives_the_same_probabilities(model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from headstart.ship.sealed import load\n"
        "model = load(sys.argv[1]); np.save(sys.argv[3], model.predict_proba(sys.argv[2]))"
    )
    out = tmp_path / "p.npy"
    subprocess.run([sys.executable, "-c", code, model_folder, pictures, out], check=True)
    assert np.abs(np.load(out) - load(model_folder).predict_proba(pictures)).max() < 1e-6


def test_it_says_what_it_is(model_folder: Path) -> None:
    model = load(model_folder)
    assert model.classes == CLASSES
    assert model.evidence[0].scores["accuracy"].value == 0.9
    assert model.verdict["sentence"] == "Transfer helped."
    assert model.path == model_folder and model.run is None
    assert "3 classes" in repr(model) and "mobilenet" in repr(model)
    assert "Transfer helped." in model.summary() and "accuracy: 90.0 %" in model.summary()


def test_predictions_say_label_confidence_and_the_rest(model_folder: Path, pictures: Path) -> None:
    model = load(model_folder)
    item = str(next(pictures.rglob("*.png")))
    (found,) = model.predict(item)
    assert found.item == item and found.label in CLASSES
    assert found.probabilities[found.label] == pytest.approx(found.confidence)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.top(2)[0] == (found.label, found.confidence) and len(found.top(2)) == 2


def test_a_prediction_shows_itself_in_a_line_whatever_its_item_is(model_folder: Path) -> None:
    large, model = np.zeros((400, 500, 3), np.uint8), load(model_folder)
    for item, shown in ((large, "<ndarray (400, 500, 3)>"), (Image.fromarray(large), "<PIL.Image.Image")):
        text = repr(model.predict(item)[0])
        assert text.startswith(f"Prediction({shown}") and text.endswith("%)") and len(text) < 160
        assert "\n" not in text


def test_every_kind_of_input_gives_the_same_answer(model_folder: Path, pictures: Path) -> None:
    model = load(model_folder)
    path = next(pictures.rglob("*.png"))
    image = Image.open(path).convert("RGB")
    wanted = model.predict_proba(path)
    for given in (str(path), [path], image, [image], np.asarray(image), np.asarray(image)[None]):
        assert np.abs(model.predict_proba(given) - wanted).max() < 1e-6


def test_an_unreadable_item_is_raised_or_skipped(model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    model = load(model_folder)
    good, bad = str(next(pictures.rglob("*.png"))), tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    with pytest.raises(Undecodable, match=r"bad\.png"):
        model.predict([good, str(bad)])
    assert [each.item for each in model.predict([str(bad), good], on_error="skip")] == [good]
    rows = model.predict_proba([str(bad), good], on_error="skip")
    assert np.isnan(rows[0]).all() and np.isfinite(rows[1]).all()
    with pytest.raises(BadOption, match="on_error"):
        model.predict([good], on_error="ignore")  # type: ignore[arg-type]


def test_nothing_to_predict_is_said(model_folder: Path) -> None:
    with pytest.raises(BadSource, match="nothing to predict"):
        load(model_folder).predict([])


def test_a_stream_keeps_order_over_many_chunks(
    model_folder: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, items = load(model_folder), sorted(pictures.rglob("*.png"))
    whole = model.predict_proba(items)
    monkeypatch.setattr("headstart.ship.sealed.CHUNK", 4)
    pairs = list(model.stream(items))
    assert [item for item, _ in pairs] == items
    rows = [result.scores for _, result in pairs if isinstance(result, Prediction)]
    assert np.abs(np.stack(rows) - whole).max() < 1e-6


def test_evaluation_reports_every_score_with_its_interval(model_folder: Path, pictures: Path) -> None:
    found = load(model_folder).evaluate(pictures)
    assert found["n"] == 15 and found["skipped"] == []
    assert sum(map(sum, found["confusion"])) == 15
    for name in ("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "calibration_error"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    json.dumps(found, allow_nan=False)


def test_evaluation_takes_items_with_labels(model_folder: Path, pictures: Path) -> None:
    items = sorted(pictures.rglob("*.png"))
    found = load(model_folder).evaluate(items, [path.parent.name for path in items])
    assert found["accuracy"] == load(model_folder).evaluate(pictures)["accuracy"]


def refused(folder: Path) -> str:
    with pytest.raises(ModelFolderError) as caught:
        load(folder)
    return str(caught.value)


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, CARD])
def test_an_edited_file_is_refused_by_name(model_folder: Path, name: str) -> None:
    data = bytearray((model_folder / name).read_bytes())
    data[-1] ^= 1
    (model_folder / name).write_bytes(data)
    assert f"{name} was changed" in refused(model_folder)


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, CARD, NAME])
def test_a_truncated_file_is_refused(model_folder: Path, name: str) -> None:
    data = (model_folder / name).read_bytes()
    (model_folder / name).write_bytes(data[: len(data) // 2])
    assert name in refused(model_folder)


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, CARD, NAME])
def test_a_missing_file_is_refused(model_folder: Path, name: str) -> None:
    (model_folder / name).unlink()
    assert name in refused(model_folder)


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)
    resealed(folder)


def test_weights_that_were_swapped_with_their_digest_still_drift(model_folder: Path) -> None:
    rewrite(model_folder, lambda tensors: tensors["head.bias"].add_(torch.tensor([1.0, 0.0, 0.0])))
    text = refused(model_folder)
    assert "no longer gives" in text and "got" in text and "allowed 0.001" in text


def test_a_weight_that_is_no_number_is_refused(model_folder: Path) -> None:
    rewrite(model_folder, lambda tensors: tensors["head.weight"].fill_(float("nan")))
    assert "no longer gives" in refused(model_folder)


def test_a_missing_an_additional_and_a_misshapen_tensor_are_named(model_folder: Path) -> None:
    rewrite(model_folder, lambda tensors: tensors.update(evil=torch.zeros(1)))
    assert "evil, which the network does not" in refused(model_folder)
    rewrite(model_folder, lambda tensors: (tensors.pop("evil"), tensors.update({"head.bias": torch.zeros(4)})))
    assert "head.bias is (4,) float32" in refused(model_folder)
    rewrite(model_folder, lambda tensors: tensors.update({"head.bias": torch.zeros(3, dtype=torch.float64)}))
    assert "head.bias is (3,) float64" in refused(model_folder)
    rewrite(model_folder, lambda tensors: tensors.pop("head.bias"))
    assert "lacks head.bias" in refused(model_folder)


def test_a_pickle_in_place_of_weights_is_never_run(model_folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "executed"

    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
            return Path.touch, (witness,)

    for name in (WEIGHTS, GOLDEN):
        before = (model_folder / name).read_bytes()
        torch.save({"head.weight": Evil()}, model_folder / name)
        resealed(model_folder)
        assert f"{name} cannot be read" in refused(model_folder)
        (model_folder / name).write_bytes(before)
    assert not witness.exists()


def test_code_in_the_folder_is_never_run(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("__init__.py", "sitecustomize.py", "torch.py", "model.py"):
        (model_folder / name).write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    monkeypatch.chdir(model_folder)
    load(model_folder)
    load(".")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("architecture", "torchvision/mobilenet_v3_smal", "did you mean"),
        ("architecture", "nobody/knows", "nobody"),
        ("architecture", "torchvision/mobilenet_v3_large", "weights.safetensors"),
        ("taps", [99], "99"),
    ],
)
def test_a_backbone_that_does_not_fit_is_refused(model_folder: Path, field: str, value: Any, told: str) -> None:
    resealed(model_folder, lambda manifest: manifest["backbone"].update({field: value}))
    assert told in refused(model_folder)


@pytest.mark.parametrize(("field", "value"), [("task", "divination"), ("modality", "smell"), ("temperature", 5.0)])
def test_another_field_that_does_not_fit_is_refused(model_folder: Path, field: str, value: Any) -> None:
    resealed(model_folder, lambda manifest: manifest.update({field: value}))
    assert str(value) in refused(model_folder) or "no longer gives" in refused(model_folder)


def test_another_normalisation_drifts(model_folder: Path) -> None:
    resealed(model_folder, lambda manifest: manifest["preprocessing"].update(mean=[0.1, 0.1, 0.1]))
    assert "no longer gives" in refused(model_folder)


def test_a_normalisation_other_than_the_architectures_own_is_kept(tmp_path: Path) -> None:
    from dataclasses import replace

    from headstart.backbones.chain import Backbone
    from tests.ship.conftest import sealed_to

    network = small_network(1)
    preprocessing = replace(network.backbone.info.preprocessing, size=64, mean=(0.1, 0.2, 0.3), std=(0.3, 0.3, 0.3))
    backbone = Backbone(network.backbone.module, replace(network.backbone.info, preprocessing=preprocessing))
    other = Network(backbone, network.head, network.taps)
    model = sealed_to(tmp_path / "m", other, preprocessing=preprocessing)
    assert model.manifest.preprocessing.mean == (0.1, 0.2, 0.3)
    assert isinstance(load(tmp_path / "m"), Model)


def test_a_future_version_is_refused_with_what_it_needs(model_folder: Path) -> None:
    resealed(model_folder, lambda manifest: manifest.update(schema_version=99, headstart="9.0.0"))
    assert "headstart>=9.0.0" in refused(model_folder)


def test_a_folder_of_the_first_version_still_predicts(model_folder: Path, pictures: Path) -> None:
    wanted = load(model_folder).predict_proba(pictures)

    def back(manifest: dict[str, Any]) -> None:
        del manifest["target"], manifest["familiar"], manifest["unmeasured"]
        manifest |= {"schema_version": 1, "classes": manifest.pop("names")}
        manifest["head"]["classes"] = manifest["head"].pop("outputs")

    examples = load_file(model_folder / GOLDEN)
    save_file({"inputs": examples["inputs"], "probabilities": examples["predictions"]}, model_folder / GOLDEN)
    resealed(model_folder, lambda manifest: manifest.update(schema_version=0))
    assert "schema version" in refused(model_folder), "version 0 never was"
    resealed(model_folder, back)
    old = load(model_folder)
    assert old.classes == CLASSES and old.task.kind == "classification"
    assert np.array_equal(old.predict_proba(pictures), wanted)
    assert old.predict(pictures)[0].unfamiliar is None and "before headstart measured it" in old.doubt.missing


def test_class_names_that_were_swapped_are_an_edited_manifest(model_folder: Path) -> None:
    """The golden examples hold probabilities by column, so they cannot see it; the seal does."""
    manifest = json.loads((model_folder / NAME).read_text())
    manifest["names"] = manifest["names"][::-1]
    (model_folder / NAME).write_text(json.dumps(manifest))
    assert "was edited" in refused(model_folder)
    del manifest["seal"]
    (model_folder / NAME).write_text(json.dumps(manifest))
    assert "was edited" in refused(model_folder)
