"""Sealing is whole or not at all, keeps the run beside the model, and says what it sealed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.base import discovery
from headstart.base.errors import BadOption, HeadstartError, ModelFolderError, OutputExists
from headstart.base.manifest import CARD, GOLDEN, NAME, WEIGHTS, read
from headstart.features.network import Network
from headstart.ship import sealing
from headstart.ship.sealed import load
from headstart.tasks import classification
from tests.ship.conftest import CLASSES, sealed_to

FILES = {WEIGHTS, GOLDEN, CARD, NAME}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_folder_holds_plain_files_and_nothing_else(model_folder: Path) -> None:
    assert names(model_folder) == FILES
    manifest = json.loads((model_folder / NAME).read_text())
    assert set(manifest["files"]) == FILES - {NAME}
    assert manifest["schema_version"] == 4 and manifest["kind"] == "network"
    assert manifest["golden"] == {"origin": "generated", "count": 8, "tolerance": 0.001}
    assert {"torch", "numpy", "safetensors"} <= set(manifest["libraries"])


def test_whoever_may_read_the_folder_may_read_its_files(network: Network, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        sealed_to(tmp_path / "m", network)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "m").iterdir()} == {0o644}


def test_the_manifest_knows_the_tensors_digest(model_folder: Path, network: Network) -> None:
    manifest = read(model_folder)
    assert manifest.backbone is not None and manifest.backbone.digest == network.backbone.digest()


def test_a_run_that_lies_there_stays(network: Network, tmp_path: Path) -> None:
    (tmp_path / "m" / "run").mkdir(parents=True)
    (tmp_path / "m" / "run" / "config.json").write_text("{}")
    model = sealed_to(tmp_path / "m", network)
    assert names(tmp_path / "m") == FILES | {"run"}
    assert model.run is not None and model.run.config == {}
    assert names(tmp_path) == {"m"}


def test_an_earlier_model_is_replaced_whole(network: Network, tmp_path: Path) -> None:
    sealed_to(tmp_path / "m", network, verdict={"sentence": "first"})
    sealed_to(tmp_path / "m", network, verdict={"sentence": "second"})
    assert load(tmp_path / "m").verdict["sentence"] == "second"
    assert names(tmp_path) == {"m"}


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_leaves_nothing_half_done(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    if existing:
        (tmp_path / "m" / "run").mkdir(parents=True)

    def fail(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sealing.card, "render", fail)
    with pytest.raises(KeyboardInterrupt):
        sealed_to(tmp_path / "m", network)
    assert names(tmp_path) == ({"m"} if existing else set())
    assert not (tmp_path / "m" / NAME).exists()


def test_a_model_that_would_not_load_is_not_sealed(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = sealing.save_file

    def rotten(tensors: dict[str, torch.Tensor], path: Path) -> None:
        save({**tensors, "head.bias": tensors["head.bias"] + torch.tensor([1.0, 0.0, 0.0])}, path)

    monkeypatch.setattr(sealing, "save_file", rotten)
    with pytest.raises(ModelFolderError, match="no longer gives"):
        sealed_to(tmp_path / "m", network)
    assert names(tmp_path) == set()


def test_an_output_that_cannot_be_is_refused(network: Network, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputExists):
        sealed_to(tmp_path / "file", network)
    with pytest.raises(HeadstartError, match="cannot be written"):
        sealed_to(tmp_path / "file" / "m", network)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_is_told_in_words(network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sealing, "save_file", full)
    with pytest.raises(HeadstartError, match="The disk is full"):
        sealed_to(tmp_path / "m", network)
    assert names(tmp_path) == set()


def test_own_golden_examples_are_the_users_items(network: Network, tmp_path: Path, pictures: Path) -> None:
    items = sorted(pictures.rglob("*.png"))
    model = sealed_to(tmp_path / "m", network, golden="own", own_items=items)
    assert model.manifest.golden.origin == "own" and model.manifest.golden.count == 8
    assert "the owner's own items" in (tmp_path / "m" / CARD).read_text()


@pytest.mark.parametrize(("kind", "items"), [("own", None), ("own", []), ("none", None)])
def test_impossible_golden_examples_are_refused(network: Network, tmp_path: Path, kind: str, items: Any) -> None:
    with pytest.raises(BadOption):
        sealed_to(tmp_path / "m", network, golden=kind, own_items=items)


def test_nothing_to_seal_is_refused(tmp_path: Path, network: Network) -> None:
    with pytest.raises(BadOption, match="Nothing to seal"):
        sealed_to(tmp_path / "m", network, **{"network": None})


def test_numbers_that_are_none_do_not_stop_the_sealing(network: Network, tmp_path: Path) -> None:
    verdict = {"sentence": "?", "gap": {"value": float("nan")}, "tests": {"winner": {"accuracy": {"value": None}}}}
    model = sealed_to(tmp_path / "m", network, verdict=verdict, extra={"seconds": np.float32(1.5)})
    assert model.verdict["gap"]["value"] is None
    assert model.manifest.metrics == {} and model.manifest.training["seconds"] == 1.5


@pytest.mark.parametrize("name", ["majority", "pixels"])
def test_a_baseline_is_sealed_like_a_network(name: str, pictures: Path, tmp_path: Path) -> None:
    items = sorted(pictures.rglob("*.png"))
    task = classification.learn(CLASSES)
    targets = task.encode([path.parent.name for path in items])
    predictor = discovery.load("baselines", name).fit(items, targets, task, 0)
    model = sealing.seal(
        tmp_path / "m",
        network=None,
        predictor=predictor,
        task=task,
        info=None,
        preprocessing=None,
        temperature=3.0,
        modality="images",
        evidence=[],
        verdict={},
        data={},
        depth=0,
    )
    again = load(shutil.copytree(model.path, tmp_path / "copy"))
    assert np.abs(again.predict_proba(items) - predictor.predict(items)).max() < 1e-6
    assert name in repr(again)
    (tmp_path / "bad.png").write_bytes(b"")
    results = dict(again.stream([str(items[0]), str(tmp_path / "bad.png")]))
    if name == "pixels":
        assert isinstance(results[str(tmp_path / "bad.png")], Exception)
    assert results[str(items[0])].label in CLASSES  # type: ignore[union-attr]
