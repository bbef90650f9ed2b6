"""Weights that travel without headstart: named as their library names them, and the README's own lines use them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from headstart.backbones import catalogue
from headstart.base.errors import ExportError
from headstart.features.network import Network
from headstart.ship import safetensors
from headstart.ship.exporting import Written, export
from headstart.ship.sealed import Model
from headstart.tasks import classification, multilabel, regression
from tests.ship.conftest import sealed_to

EVIL = ("</script><img onerror=x>", 'a": [b]\n---\n# c', "ünïcode 🐱")
VIT = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48, "patch_size": 8}
OF_TRANSFORMERS = {"model": {"model_type": "vit", **VIT, "image_size": 32}, "teacher": False, "flip": False, "size": 32}


def fitted(folder: Path, name: str, *, taps: int = 1, task: Any = None, config: Any = None) -> Model:
    backbone = catalogue.build(name, config, seed=1)
    task = task or classification.learn(EVIL)
    chosen = tuple(range(backbone.depth - taps + 1, backbone.depth + 1))
    torch.manual_seed(0)
    head = torch.nn.Linear(sum(map(backbone.pooled_width, chosen)), task.outputs)
    torch.nn.init.normal_(head.weight, std=0.3)
    given = {"extra": {}, "evidence": []} if task.kind != "classification" else {}
    wanted = backbone.info.preprocessing
    return sealed_to(folder, Network(backbone, head, chosen), preprocessing=wanted, task=task, **given)


def lines_of(readme: Path) -> str:
    """The code of the README's last section."""
    return "\n".join(
        line[4:] for line in readme.read_text().split("## Use")[1].splitlines() if line[:4] in ("    ", "")
    )


def told(folder: Path, picture: Image.Image) -> dict[str, float]:
    """What the README's lines say of a picture, in a process that has no headstart."""
    picture.save(folder / "photo.jpg", quality=95)
    code = lines_of(folder / "README.md") + "\nimport sys; assert 'headstart' not in sys.modules"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = ast.literal_eval(done.stdout.splitlines()[-1])
    return found


CASES: dict[str, tuple[str, int, Any]] = {
    "torchvision": ("torchvision/mobilenet_v3_small", 2, None),
    "timm": ("timm/test_resnet", 3, None),
    "embedded": ("embedded/resnet10-8-16-24-32", 2, None),
    "transformers": ("hf/vit", 2, OF_TRANSFORMERS),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_readmes_lines_give_the_models_answer(tmp_path: Path, case: str) -> None:
    name, taps, config = CASES[case]
    model = fitted(tmp_path / "m", name, taps=taps, config=config)
    made = export(model.path, tmp_path / "out", to="safetensors")
    assert made.difference <= 1e-4
    rows, columns = np.mgrid[:300, :200]
    picture = Image.fromarray(np.stack([rows // 2, columns, 255 - rows // 2], 2).astype(np.uint8))
    found = told(made.path, picture)
    # The same bytes as an array: reading the file, the model may decode it at a fraction of its size.
    (own,) = model.predict([np.asarray(Image.open(made.path / "photo.jpg"))])
    assert list(found) == list(model.classes)
    assert max(abs(found[label] - own.probabilities[label]) for label in model.classes) < 1e-4


@pytest.mark.parametrize("kind", ["multilabel", "regression"])
def test_other_tasks(tmp_path: Path, kind: str) -> None:
    task: Any = multilabel.learn([EVIL])
    if kind == "regression":
        task = regression.learn([1.0], name="year").fitted(np.array([1990.0, 2000.0, 2010.0]))
    model = fitted(tmp_path / "m", "embedded/resnet10-8-16-24-32", task=task)
    made = export(model.path, tmp_path / "out", to="safetensors")
    assert made.difference <= 1e-4
    about = json.loads((made.path / "model.json").read_text())
    assert about["activation"] == {"multilabel": "sigmoid()", "regression": "none"}[kind]
    assert about["labels"] == list(task.names)


def test_the_tensors_have_the_librarys_names(model_folder: Path, tmp_path: Path) -> None:
    import torchvision

    made = export(model_folder, tmp_path / "out", to="safetensors")
    library = torchvision.models.mobilenet_v3_small().state_dict()
    found = load_file(made.path / "model.safetensors")
    assert {name: each.shape for name, each in found.items()} == {
        name: each.shape for name, each in library.items() if not name.startswith("classifier.3")
    }
    about = json.loads((made.path / "model.json").read_text())
    assert [tap["features"] for tap in about["head"]["reads"]] == [576, 1024]
    assert load_file(made.path / "head.safetensors")["weight"].shape == (3, 1600)
    assert (made.path / "model.safetensors").stat().st_mode & 0o077 == made.path.stat().st_mode & 0o066
    assert "<img" not in (made.path / "README.md").read_text()


def test_a_changed_weight_is_seen(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = safetensors.write

    def write(given: Model, to: Path) -> Written:
        written = honest(given, to)
        tensors = load_file(to / "head.safetensors")
        tensors["bias"][0] += 1e-2
        save_file(tensors, to / "head.safetensors")
        return written

    monkeypatch.setattr(safetensors, "write", write)
    with pytest.raises(ExportError, match="predictions differ by"):
        export(model_folder, tmp_path / "out", to="safetensors")
    assert not (tmp_path / "out").exists()


def test_a_weight_too_many_is_seen(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = safetensors.write

    def write(given: Model, to: Path) -> Written:
        written = honest(given, to)
        save_file(load_file(to / "model.safetensors") | {"more": torch.zeros(1)}, to / "model.safetensors")
        return written

    monkeypatch.setattr(safetensors, "write", write)
    with pytest.raises(ExportError, match="do not fit"):
        export(model_folder, tmp_path / "out", to="safetensors")


def test_what_is_between_modules_is_refused(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safetensors, "_giving", lambda network, pixels, wanted: {})
    with pytest.raises(ExportError, match="no module of the library's network") as caught:
        export(model_folder, tmp_path / "out", to="safetensors")
    assert "--to onnx" in caught.value.next_move
