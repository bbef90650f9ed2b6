"""A folder that timm or transformers loads with one line, and that gives what the model gives."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import load_file, save_file

from headstart.backbones import catalogue
from headstart.base.errors import ExportError
from headstart.base.manifest import GOLDEN
from headstart.features.network import Network
from headstart.ship import golden, hf
from headstart.ship.exporting import MARK, Written, export
from headstart.ship.sealed import Model, load
from headstart.tasks import classification, multilabel, regression
from tests.ship.conftest import sealed_to

EVIL = ("</script><img onerror=x>", 'a": [b]\n---\n# c', "ünïcode 🐱")


def fitted(folder: Path, name: str = "timm/resnet18", *, size: int = 64, task: Any = None, config: Any = None) -> Model:
    """A sealed model over a network of random weights, whose answers differ from picture to picture."""
    backbone = catalogue.build(name, config, seed=1)
    task = task or classification.learn(EVIL)
    torch.manual_seed(0)
    head = torch.nn.Linear(backbone.info.width, task.outputs)
    torch.nn.init.normal_(head.weight, std=0.3)
    wanted = replace(backbone.info.preprocessing, size=size, crop=0.9, mean=(0.4, 0.5, 0.6), interpolation="bilinear")
    backbone.known_as(replace(backbone.info, preprocessing=wanted))
    info = replace(backbone.info, name="timm/resnet18.a1_in1k", licence="Apache-2.0", source="ImageNet-1k")
    given = {"extra": {}, "evidence": []} if task.kind != "classification" else {}
    return sealed_to(folder, Network(backbone, head), preprocessing=wanted, info=info, task=task, **given)


def normalised(model: Model) -> torch.Tensor:
    inputs = torch.from_numpy(golden.read(model.path / GOLDEN, columns=len(model.task.names)).inputs).float() / 255
    wanted = model.manifest.preprocessing
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (wanted.mean, wanted.std))
    return (inputs - mean) / std


def logits(model: Model) -> np.ndarray:
    """What the model's own network gives for its golden examples, at its temperature."""
    scorer: Any = model.scorer
    inputs = torch.from_numpy(golden.read(model.path / GOLDEN, columns=len(model.task.names)).inputs)
    with torch.inference_mode():
        return (scorer.network(inputs) / scorer.temperature).numpy()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return fitted(tmp_path_factory.mktemp("hf") / "flowers")


@pytest.fixture(scope="module")
def folder(model: Model) -> Path:
    made = export(model.path, model.path.parent / "out", to="hf")
    assert made.difference <= 1e-5 and made.notes and made.use
    return made.path


def test_timm_loads_it_with_one_line(model: Model, folder: Path) -> None:
    import timm

    again = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    with torch.inference_mode():
        found = again(normalised(model)).numpy()
    assert np.abs(found - logits(model)).max() < 1e-5 and np.ptp(found, axis=0).max() > 0.1
    data = timm.data.resolve_model_data_config(again)
    assert (
        tuple(data["mean"]) == (0.4, 0.5, 0.6) and data["crop_pct"] == 0.9 and tuple(data["input_size"]) == (3, 64, 64)
    )
    assert data["interpolation"] == "bilinear"


def test_transformers_loads_it_with_one_line(model: Model, folder: Path) -> None:
    from transformers import AutoModelForImageClassification

    again = AutoModelForImageClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        found = again(pixel_values=normalised(model)).logits.numpy()
    assert np.abs(found - logits(model)).max() < 1e-5
    assert [again.config.id2label[i] for i in range(3)] == list(model.classes)


@pytest.mark.slow
def test_the_lines_it_tells_run_in_a_new_process(model: Model, folder: Path, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(picture).resize((64, 64)).resize((200, 200)).save(folder.parent / "photo.jpg", quality=95)
    use = [
        line[4:] for line in (folder / "README.md").read_text().split("## Use")[1].splitlines() if line[:4] == "    "
    ]
    code = "\n".join([*use, "import json", "print(json.dumps(predictions.tolist()))"])
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    wanted = model.predict_proba(folder.parent / "photo.jpg")
    assert np.abs(np.array(json.loads(done.stdout)) - wanted).max() < 0.02, "timm's own resizing, on a square picture"


def test_the_card_is_what_the_hub_reads(model: Model, folder: Path) -> None:
    found = ModelCard.load(folder / "README.md")
    assert found.data.license == "apache-2.0" and found.data.pipeline_tag == "image-classification"
    assert found.data.base_model == "timm/resnet18.a1_in1k" and found.data.library_name == "timm"
    (result,) = found.data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.9)
    assert "<img" not in found.text and "</script" not in found.text
    assert "resizes first and crops afterwards" in found.text and 'create_model("' not in found.text


def test_nothing_in_it_is_code_or_names_this_machine(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(["README.md", "config.json", "model.safetensors", MARK])
    config = json.loads((folder / "config.json").read_text())
    assert "auto_map" not in config and config["label_names"] == list(classification.learn(EVIL).names)
    for name in ("README.md", "config.json", MARK):
        assert str(folder.parent) not in (folder / name).read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [("timm/mobilenetv3_small_050", 64), ("timm/convnext_atto", 64), ("timm/vit_tiny_patch16_224", 224)],
)
def test_other_families_of_timm(tmp_path: Path, name: str, size: int) -> None:
    made = export(fitted(tmp_path / "m", name, size=size).path, tmp_path / "out", to="hf")
    assert made.difference <= 1e-5


@pytest.mark.parametrize("kind", ["multilabel", "regression"])
def test_other_tasks(tmp_path: Path, kind: str) -> None:
    task: Any = multilabel.learn([EVIL])
    if kind == "regression":
        task = regression.learn([1.0], name="weight").fitted(np.array([10.0, 14.0, 30.0]))
    model = fitted(tmp_path / "m", "timm/test_resnet", task=task)
    made = export(model.path, tmp_path / "out", to="hf")
    config = json.loads((made.path / "config.json").read_text())
    assert config["problem_type"] == {"multilabel": "multi_label_classification", "regression": "regression"}[kind]
    assert made.use[-1].endswith({"multilabel": ".sigmoid()", "regression": "[None])"}[kind])
    import timm

    again = timm.create_model(f"local-dir:{made.path}", pretrained=True).eval()
    inputs = golden.read(model.path / GOLDEN, columns=len(task.names)).inputs
    with torch.inference_mode():
        found = again(normalised(model)).double()
    found = found.sigmoid() if kind == "multilabel" else found
    assert np.abs(found.numpy() - model.scorer.replay(inputs)).max() < 1e-4


VIT = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48, "patch_size": 8}
FAMILIES: dict[str, tuple[dict[str, Any], int]] = {
    "vit": ({**VIT, "image_size": 32}, 32),
    "convnext": ({"hidden_sizes": [8, 12, 16, 24], "depths": [1, 1, 2, 1]}, 64),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_networks_of_transformers(tmp_path: Path, family: str) -> None:
    from transformers import AutoModelForImageClassification, pipeline

    options, size = FAMILIES[family]
    config = {"model": {"model_type": family, **options}, "teacher": False, "flip": False, "size": size}
    model = fitted(tmp_path / "m", f"hf/{family}", size=size, config=config)
    made = export(model.path, tmp_path / "out", to="hf")
    again = AutoModelForImageClassification.from_pretrained(made.path).eval()
    with torch.inference_mode():
        found = again(pixel_values=normalised(model)).logits.numpy()
    assert np.abs(found - logits(model)).max() < 1e-5 and np.ptp(found, axis=0).max() > 0.01
    assert [again.config.id2label[i] for i in range(3)] == list(model.classes)
    rows, columns = np.mgrid[:90, :120]
    picture = Image.fromarray(np.stack([2 * rows, 2 * columns, 255 - rows - columns], 2).astype(np.uint8))
    told = {each["label"]: each["score"] for each in pipeline("image-classification", str(made.path))(picture)}
    (own,) = model.predict(picture)
    assert max(abs(told[label] - own.probabilities[label]) for label in model.classes) < 0.02


def test_a_head_over_several_stages_is_refused_with_the_next_best(model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="Neither timm nor transformers has") as caught:
        export(model_folder, tmp_path / "out", to="hf")
    assert "--to onnx" in caught.value.next_move
    backbone = catalogue.load("timm/test_resnet", weights=False, seed=1)
    taps = (backbone.depth - 1, backbone.depth)
    head = torch.nn.Linear(sum(map(backbone.pooled_width, taps)), 3)
    sealed_to(tmp_path / "m", Network(backbone, head, taps))
    with pytest.raises(ExportError, match="reads the last one alone") as caught:
        export(tmp_path / "m", tmp_path / "out", to="hf")
    assert "--to onnx" in caught.value.next_move and not (tmp_path / "out").exists()


def test_a_changed_weight_is_seen(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = hf.write

    def write(given: Model, to: Path) -> Written:
        written = honest(given, to)
        tensors = load_file(to / "model.safetensors")
        tensors["fc.bias"][0] += 1e-3
        save_file(tensors, to / "model.safetensors", {"format": "pt"})
        return written

    monkeypatch.setattr(hf, "write", write)
    with pytest.raises(ExportError, match="predictions differ by"):
        export(model.path, tmp_path / "out", to="hf")
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_a_backbone_again(folder: Path) -> None:
    assert catalogue.load(f"local:{folder}").info.width == 512
    assert load(folder.parent / "flowers").classes == tuple(classification.learn(EVIL).names)
