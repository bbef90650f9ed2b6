"""One file from pictures to predictions: run without headstart and without torch, it gives what the model gives."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from headstart.backbones import catalogue
from headstart.base.errors import ExportError, MissingExtra
from headstart.base.manifest import GOLDEN
from headstart.baselines import majority, pixels, pixels_svm
from headstart.features.network import Network
from headstart.ship import exporting, golden, onnx
from headstart.ship.exporting import Exported, Written, export
from headstart.ship.sealed import Model, load
from headstart.ship.sealing import seal
from headstart.tasks import classification, multilabel, regression
from tests.ship.conftest import CLASSES, ODD, sealed_to

pytestmark = pytest.mark.slow

EVIL = ('</script><img onerror="x">', "a: [b]\n- c", "ünïcode 🐱")


def run(path: Path, pictures: np.ndarray) -> np.ndarray:
    import onnxruntime

    (found,) = onnxruntime.InferenceSession(str(path)).run(None, {"images": pictures})
    return found


@pytest.fixture(scope="session")
def exported(_original: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The sealed model of this room's tests, whose head reads two stages, as a graph."""
    return export(_original, tmp_path_factory.mktemp("onnx") / "shapes.onnx", to="onnx")


def test_it_says_how_it_was_checked(exported: Exported) -> None:
    assert exported.golden == 8 and exported.items == 6
    assert 0 < exported.difference <= exported.tolerance == 1e-4
    assert exported.path.stat().st_size == exported.size
    assert json.loads(json.dumps(exported.as_dict()))["cost"] is None
    assert [path.name for path in exported.path.parent.iterdir()] == ["shapes.onnx"], "nothing else is left"


def test_a_process_without_torch_gives_the_models_answer(
    exported: Exported, model_folder: Path, pictures: Path, tmp_path: Path
) -> None:
    picture = Image.open(next(pictures.rglob("*.png"))).convert("RGB").resize((90, 70))
    picture.save(tmp_path / "photo.jpg", quality=90)
    script = "\n".join([*exported.use, "import sys, json", "print(json.dumps(probabilities.tolist()))"])
    script += '\nassert not {"torch", "headstart", "timm", "sklearn"} & set(sys.modules), "more than the runtime"'
    shutil.copy(exported.path, tmp_path)
    # Not this test's path: what is run there must not find the package.
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    wanted = load(model_folder).predict_proba(tmp_path / "photo.jpg")
    assert np.abs(np.array(json.loads(done.stdout)) - wanted).max() < 1e-4


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (37, 201), (300, 20)])
def test_batches_and_shapes_are_free(
    exported: Exported, model_folder: Path, count: int, shape: tuple[int, int]
) -> None:
    batch = np.random.default_rng(0).integers(0, 256, (count, *shape, 3), dtype=np.uint8)
    wanted = load(model_folder).predict_proba(list(batch))
    assert np.abs(run(exported.path, batch) - wanted).max() < 1e-4


def test_golden_examples_are_replayed_behind_the_preparation(exported: Exported, model_folder: Path) -> None:
    kept = golden.read(model_folder / GOLDEN, columns=3)
    found = onnx.reload(exported.path, load(model_folder)).replay(kept.inputs)
    assert np.abs(found - kept.predictions).max() < 1e-4
    assert np.ptp(found, axis=0).max() > 1e-3, "a network that answers the same to everything proves nothing"


def test_the_file_says_what_it_is(exported: Exported, model_folder: Path) -> None:
    graph = importlib.import_module("onnx").load(str(exported.path))
    said = {each.key: each.value for each in graph.metadata_props}
    assert json.loads(said["labels"]) == list(CLASSES) and said["task"] == "classification"
    assert json.loads(said["preprocessing"])["size"] == 64 and said["temperature"] == "0.5"
    assert said["base_model"].startswith("torchvision/mobilenet") and said["licence_of_base_model"]
    assert "(n, H, W, 3) uint8" in said["input"] and said["verdict"] == "Transfer helped."
    assert graph.graph.output[0].name == "probabilities"
    axes = [each.dim_param or each.dim_value for each in graph.graph.input[0].type.tensor_type.shape.dim]
    assert axes == ["batch", "height", "width", 3]
    data = exported.path.read_bytes()
    assert b"site-packages" not in data and str(Path(exporting.__file__).parent).encode() not in data


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("timm/resnet18", 64),
        ("timm/mobilenetv3_small_050", 64),
        ("timm/convnext_atto", 64),
        ("timm/vit_tiny_patch16_224", 224),
    ],
)
def test_networks_of_other_families(tmp_path: Path, name: str, size: int) -> None:
    backbone = catalogue.load(name, weights=False, seed=1)
    torch.manual_seed(0)
    network = Network(backbone, torch.nn.Linear(backbone.info.width, 3))
    preprocessing = replace(backbone.info.preprocessing, size=size)
    sealed_to(tmp_path / "m", network, preprocessing=preprocessing)
    made = export(tmp_path / "m", tmp_path / "m.onnx", to="onnx")
    assert made.difference <= 1e-4


@pytest.mark.parametrize("kind", ["multilabel", "regression"])
def test_other_tasks(tmp_path: Path, kind: str) -> None:
    backbone = catalogue.load("embedded/resnet10-8-16-24-32", weights=False, seed=1)
    if kind == "multilabel":
        task, gives, close = multilabel.learn([EVIL]), "probabilities", 1e-4
    else:
        task = regression.learn([1.0], name="year").fitted(np.array([1990.0, 2000.0, 2010.0]))
        gives, close = "values", 1e-3
    taps = (backbone.depth - 1, backbone.depth)
    network = Network(backbone, torch.nn.Linear(sum(map(backbone.pooled_width, taps)), task.outputs), taps)
    model = sealed_to(tmp_path / "m", network, task=task, extra={}, evidence=[])
    made = export(model.path, tmp_path / "m.onnx", to="onnx")
    batch = np.random.default_rng(0).integers(0, 256, (2, 50, 60, 3), dtype=np.uint8)
    assert np.abs(run(made.path, batch) - model.predict_proba(list(batch))).max() < close
    assert made.use[-1].startswith(gives)
    graph = importlib.import_module("onnx").load(str(made.path))
    assert json.loads({each.key: each.value for each in graph.metadata_props}["labels"]) == list(task.names)


def without_network(folder: Path, kind: str, colours: bool) -> Model:
    task, predictor = learnt(kind, colours)
    return seal(
        folder,
        network=None,
        predictor=predictor,
        task=task,
        info=None,
        preprocessing=None,
        temperature=1.0,
        modality="images",
        evidence=[],
        verdict={},
        data={},
        depth=0,
    )


def learnt(kind: str, colours: bool) -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    task = classification.learn(["a", "b", "c", "d"][: 2 if kind == "duel" else 4])
    targets = np.arange(40) % (2 if kind == "duel" else 3)  # the fourth class has no items
    shades = draw.integers(0, 256, (40, 20, 30, 3 if colours else 1))
    items = [
        np.repeat(each, 1 if colours else 3, 2).astype(np.uint8) // (1 + t)
        for each, t in zip(shades, targets, strict=True)
    ]
    if kind == "majority":
        return task, majority.fit(items, targets, task, 0)
    room: Any = pixels if kind == "pixels" else pixels_svm
    return task, room.fit(items, targets, task, 0, size=8)


@pytest.mark.parametrize(
    ("kind", "colours"), [("majority", True), ("pixels", True), ("pixels", False), ("svm", True), ("duel", False)]
)
def test_models_without_a_network(tmp_path: Path, kind: str, colours: bool) -> None:
    model = without_network(tmp_path / "m", kind, colours)
    made = export(model.path, tmp_path / "m.onnx", to="onnx")
    assert made.difference <= 1e-4
    batch = np.random.default_rng(3).integers(0, 256, (3, 40, 30, 3), dtype=np.uint8)
    assert np.abs(run(made.path, batch) - model.predict_proba(list(batch))).max() < 1e-5


def test_a_baseline_that_is_no_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_network(tmp_path / "m", "majority", True)
    monkeypatch.delattr(majority.Majority, "graph")
    with pytest.raises(ExportError, match="majority does not say"):
        export(tmp_path / "m", tmp_path / "m.onnx", to="onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_a_task_that_is_no_graph_is_refused(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(classification.Classification, "in_graph")
    with pytest.raises(ExportError, match="does not say how outputs become predictions"):
        export(model_folder, tmp_path / "m.onnx", to="onnx")


def test_int8_is_smaller_and_its_cost_is_measured(model_folder: Path, pictures: Path, tmp_path: Path) -> None:
    made = export(model_folder, tmp_path / "m.onnx", to="onnx", options={"int8": True}, validate=pictures)
    cost = made.cost
    assert cost is not None and cost.n == 15
    assert cost.size[1] == made.size < 0.5 * cost.size[0] and min(cost.milliseconds) > 0
    model, items = load(model_folder), sorted(pictures.rglob("*.png"))
    truth = np.array([CLASSES.index(item.parent.name) for item in items])
    right = {
        "exact": (model.predict_proba(items).argmax(1) == truth).mean(),
        "now": np.mean(
            [run(made.path, np.asarray(Image.open(i))[None]).argmax() == t for i, t in zip(items, truth, strict=True)]
        ),
    }
    found = cost.scores["accuracy"]
    assert {key: found[key] for key in right} == pytest.approx(right)
    assert found["gain"]["low"] <= right["now"] - right["exact"] <= found["gain"]["high"]
    assert "Accuracy on 15 items" in cost.notes[0] and "MB instead of" in " ".join(cost.notes)
    kinds = {node.op_type for node in importlib.import_module("onnx").load(str(made.path)).graph.node}
    assert {"ConvInteger", "DynamicQuantizeLinear"} <= kinds


def test_a_missing_library_is_named(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtra, match=r"onnxscript"):
        export(model_folder, tmp_path / "m.onnx", to="onnx")
    assert list(tmp_path.glob("*.onnx")) == []


def test_this_module_is_not_the_library() -> None:
    """A file called onnx.py must not be what ``import onnx`` finds, not even from the folder it lies in."""
    code = "import headstart.ship.onnx, onnx; assert hasattr(onnx, 'helper'), onnx.__file__"
    root = Path(exporting.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=None)


def drifting(good: Path, change: Callable[[Path], None]) -> Any:
    """The plug-in with something done to what it wrote."""

    def write(model: Any, to: Path, *, int8: bool = False) -> Written:
        shutil.copy(good, to)
        change(to)
        return Written(paths=(to,))

    return write


def nudge(path: Path) -> None:
    """One weight of the head, a little larger."""
    library: Any = importlib.import_module("onnx")
    graph = library.load(str(path))
    head = next(each for each in graph.graph.initializer if each.name.endswith("head.bias"))
    values = library.numpy_helper.to_array(head).copy()
    values[0] += 1e-3
    head.CopyFrom(library.numpy_helper.from_array(values, head.name))
    path.write_bytes(graph.SerializeToString())


def leave_alone(path: Path) -> None:
    """Nothing: the same steps without a change must end well."""


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("change", "told"), [(nudge, "predictions differ by"), (cut_short, "onnxruntime does not take")]
)
def test_a_graph_that_gives_something_else_is_refused_and_removed(
    model_folder: Path, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, told: str
) -> None:
    monkeypatch.setattr(onnx, "write", drifting(exported.path, change))
    before = set(tmp_path.iterdir())
    with pytest.raises(ExportError, match=told):
        export(model_folder, tmp_path / "m.onnx", to="onnx")
    assert set(tmp_path.iterdir()) == before


def test_without_the_change_it_is_accepted(
    model_folder: Path, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "write", drifting(exported.path, leave_alone))
    assert export(model_folder, tmp_path / "m.onnx", to="onnx").difference <= 1e-4
    assert (tmp_path / "m.onnx").read_bytes() == exported.path.read_bytes()


def test_a_network_that_cannot_be_followed_is_refused_in_words(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **given: Any) -> None:
        raise RuntimeError("no such operator\nand much more")

    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(ExportError, match="cannot follow the network: no such operator") as caught:
        export(model_folder, tmp_path / "m.onnx", to="onnx")
    assert "safetensors" in caught.value.next_move and "\nand much" not in str(caught.value)


def test_weights_beyond_the_formats_size_are_refused(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "LARGEST", 1000)
    with pytest.raises(ExportError, match="GB at most"):
        export(model_folder, tmp_path / "m.onnx", to="onnx")


def test_results_are_frozen(exported: Exported) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        exported.to = "hf"  # type: ignore[misc]


def test_the_second_output_is_the_strangeness(watched: Path, tmp_path: Path) -> None:
    model = load(watched)
    made = export(watched, tmp_path / "m.onnx", to="onnx")
    import onnxruntime

    session = onnxruntime.InferenceSession(str(made.path))
    assert [each.name for each in session.get_outputs()] == ["probabilities", onnx.STRANGENESS]
    probabilities, strange = session.run(None, {session.get_inputs()[0].name: ODD[None]})
    (wanted,) = model.predict([ODD])
    assert strange == pytest.approx([wanted.strangeness], rel=1e-3)
    assert np.abs(probabilities[0] - wanted.scores).max() < 1e-4
    said = {each.key: each.value for each in importlib.import_module("onnx").load(str(made.path)).metadata_props}
    assert "second output" in said[onnx.STRANGENESS]


def test_a_file_without_it_says_why(exported: Exported) -> None:
    said = {each.key: each.value for each in importlib.import_module("onnx").load(str(exported.path)).metadata_props}
    assert "not in this file" in said[onnx.STRANGENESS]
