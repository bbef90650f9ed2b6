"""A folder is read only when it is exactly what was sealed; everything else is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base import hashes, manifest
from headstart.base.errors import ModelFolderError
from headstart.base.vocabulary import Evidence, Interval, Preprocessing


def plain_manifest(folder: Path) -> dict[str, Any]:
    files = {
        name: {"sha256": hashes.of_file(folder / name), "size": (folder / name).stat().st_size}
        for name in (manifest.WEIGHTS, manifest.GOLDEN)
    }
    return {
        "schema_version": 3,
        "familiar": None,
        "unmeasured": "",
        "headstart": "0.1.0",
        "created": "2026-01-01T00:00:00+00:00",
        "task": "classification",
        "kind": "network",
        "modality": "images",
        "names": ["2", "10"],
        "target": {},
        "preprocessing": Preprocessing(32).as_dict(),
        "backbone": {
            "name": "timm/resnet18.a1_in1k",
            "architecture": "timm/resnet18.a1_in1k",
            "stages": ["stem", "layer1"],
            "taps": [2],
            "depth": 1,
            "licence": "apache-2.0",
            "source": "ImageNet-1k",
            "digest": "0" * 64,
        },
        "head": {"width": 4, "outputs": 2},
        "baseline": None,
        "temperature": 1.5,
        "libraries": {"torch": "2.11"},
        "data": {"digest": "x"},
        "training": {},
        "evidence": [],
        "verdict": {"sentence": "It helped."},
        "metrics": {"accuracy": {"value": 0.9, "low": 0.8, "high": 1.0}},
        "golden": {"origin": "generated", "count": 8, "tolerance": 0.001},
        "files": files,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    (place / manifest.WEIGHTS).write_bytes(b"weights")
    (place / manifest.GOLDEN).write_bytes(b"golden")
    change(place)
    return place


def change(folder: Path, **values: Any) -> None:
    (folder / manifest.NAME).write_text(json.dumps(manifest.sealed({**plain_manifest(folder), **values})))


def refused(folder: Path) -> str:
    with pytest.raises(ModelFolderError) as caught:
        manifest.read(folder)
    return str(caught.value)


def test_a_good_folder_is_read(folder: Path) -> None:
    found = manifest.read(folder)
    assert found.names == ("2", "10")
    assert found.preprocessing.value() == Preprocessing(32)
    info = found.info()
    assert info is not None and info.licence == "apache-2.0" and info.width == 4


def test_a_folder_of_the_first_version_is_read(folder: Path) -> None:
    old = plain_manifest(folder)
    del old["target"], old["familiar"], old["unmeasured"]
    old |= {"schema_version": 1, "classes": old.pop("names"), "head": {"width": 4, "classes": 2}}
    (folder / manifest.NAME).write_text(json.dumps(manifest.sealed(old)))
    found = manifest.read(folder)
    assert found.names == ("2", "10") and found.target == {} and found.task == "classification"
    assert found.head is not None and found.head.outputs == 2


def test_a_folder_of_the_second_version_is_read_and_tells_nothing_familiar(folder: Path) -> None:
    old = plain_manifest(folder) | {"schema_version": 2}
    del old["familiar"], old["unmeasured"]
    (folder / manifest.NAME).write_text(json.dumps(manifest.sealed(old)))
    found = manifest.read(folder)
    assert found.familiar is None and "before" in found.unmeasured and found.schema_version == 4


def test_a_folder_of_the_third_version_reads_pictures_as_before(folder: Path) -> None:
    (folder / manifest.NAME).write_text(json.dumps(manifest.sealed(plain_manifest(folder) | {"schema_version": 3})))
    found = manifest.read(folder)
    assert found.schema_version == 4 and found.reading().value() == Preprocessing(32)


def test_only_a_model_without_a_network_reads_items_as_they_are(folder: Path) -> None:
    change(folder, preprocessing=None)
    assert "needs 'backbone', 'head' and 'preprocessing'" in refused(folder)
    change(folder, preprocessing=None, kind="baseline", baseline={"name": "words", "state": {}})
    with pytest.raises(ModelFolderError, match="words reads the images themselves"):
        manifest.read(folder).reading()


def test_what_is_familiar_needs_a_network(folder: Path) -> None:
    record = {"stages": [1], "line": 0.5, "rate": {"value": 0.01, "low": 0.0, "high": 0.03}}
    record |= {"held_out": 100, "compared_with": 80}
    change(folder, familiar=record)
    assert manifest.read(folder).familiar is not None
    for wrong in ({"line": 0.0}, {"stages": []}, {"held_out": 0}, {"rate": 0.5}, {"more": 1}):
        change(folder, familiar={**record, **wrong})
        assert "not as it should be" in refused(folder)
    change(folder, familiar=record, kind="baseline", baseline={"name": "pixels", "state": {}})
    assert "no features" in refused(folder)


def test_a_missing_folder_and_a_file_are_named(tmp_path: Path) -> None:
    assert "no such model folder" in refused(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "a file, not a model folder" in refused(tmp_path / "file")


def test_an_unfinished_fit_points_to_resume(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert "--resume" in refused(tmp_path)


def test_an_edited_file_is_named(folder: Path) -> None:
    (folder / manifest.WEIGHTS).write_bytes(b"weighty")
    assert "weights.safetensors was changed" in refused(folder)


def test_a_truncated_file_is_named_with_both_sizes(folder: Path) -> None:
    (folder / manifest.GOLDEN).write_bytes(b"gold")
    text = refused(folder)
    assert "golden.safetensors has 4 bytes" in text and "6 bytes" in text


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / manifest.GOLDEN).unlink()
    assert "golden.safetensors is missing" in refused(folder)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b", "..", ".", "", ".hidden", "a\\b", "a\x00b"])
def test_a_path_instead_of_a_name_is_refused(folder: Path, name: str) -> None:
    files = plain_manifest(folder)["files"]
    change(folder, files={**files, name: {"sha256": "0" * 64, "size": 0}})
    assert "no plain file name" in refused(folder)


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"weights")
    (folder / manifest.WEIGHTS).unlink()
    (folder / manifest.WEIGHTS).symlink_to(outside)
    assert "leads out of the folder" in refused(folder)


def test_a_manifest_linked_from_outside_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / manifest.NAME).rename(tmp_path / "m.json")
    (folder / manifest.NAME).symlink_to(tmp_path / "m.json")
    assert "leads out of the folder" in refused(folder)


def test_weights_must_be_listed(folder: Path) -> None:
    files = plain_manifest(folder)["files"]
    del files[manifest.WEIGHTS]
    change(folder, files=files)
    assert "does not list weights.safetensors" in refused(folder)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"surprise": 1}, "surprise"),
        ({"names": []}, "names"),
        ({"names": ["a", "a"]}, "names must differ"),
        ({"classes": ["a", "b"]}, "classes"),
        ({"target": 1}, "target"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"backbone": None}, "needs 'backbone'"),
        ({"kind": "baseline"}, "needs 'baseline'"),
        ({"kind": "pickle"}, "kind"),
        ({"golden": {"origin": "generated", "count": 8, "tolerance": 1.0}}, "golden.tolerance"),
        ({"preprocessing": Preprocessing(100_000).as_dict()}, "preprocessing.size"),
    ],
)
def test_a_wrong_field_is_named(folder: Path, values: dict[str, Any], told: str) -> None:
    change(folder, **values)
    assert told in refused(folder)


@pytest.mark.parametrize("name", ["local:/etc", "timm/local-dir:/tmp/x", "../x", "timm/hf-hub:me/evil", "timm/a/b"])
def test_an_architecture_that_points_somewhere_is_refused(folder: Path, name: str) -> None:
    backbone = {**plain_manifest(folder)["backbone"], "architecture": name}
    change(folder, backbone=backbone)
    assert "backbone.architecture" in refused(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"temperature": NaN}', "[" * 100_000, "\x00"])
def test_broken_json_is_refused_in_words(folder: Path, text: str) -> None:
    (folder / manifest.NAME).write_text(text)
    assert "manifest" in refused(folder).lower()


def test_a_future_version_names_what_is_needed(folder: Path) -> None:
    change(folder, schema_version=7, headstart="3.2.0")
    text = refused(folder)
    assert "schema version 7" in text and "headstart>=3.2.0" in text


def test_a_hostile_version_is_not_repeated(folder: Path) -> None:
    change(folder, schema_version=7, headstart="1'; rm -rf ~ #")
    assert "rm" not in refused(folder)


@pytest.mark.parametrize("version", [None, "1", 0, True, 1.0])
def test_a_version_that_is_none_is_refused(folder: Path, version: object) -> None:
    change(folder, schema_version=version)
    assert "no schema version" in refused(folder)


def test_migrations_run_forward_in_order() -> None:
    steps = {1: lambda data: {**data, "path": ["1>2"]}, 2: lambda data: {**data, "path": [*data["path"], "2>3"]}}
    found = manifest.migrate({"schema_version": 1}, to=3, migrations=steps)
    assert found == {"schema_version": 3, "path": ["1>2", "2>3"]}
    with pytest.raises(ModelFolderError, match="schema version 2"):
        manifest.migrate({"schema_version": 2}, to=3, migrations={1: steps[1]})


def test_every_older_version_has_its_migration() -> None:
    assert set(manifest.MIGRATIONS) == set(range(1, manifest.SCHEMA_VERSION))


def test_evidence_survives_the_round_trip() -> None:
    row = Evidence("partial@3", "transfer", {"accuracy": Interval(0.9, 0.8, 0.95)}, 3.5, 10, 0.2, "measured", {"k": 1})
    assert manifest.EvidenceRecord.of(row).value() == row


def test_a_score_that_is_no_number_is_left_out() -> None:
    row = Evidence("full", "transfer", {"log_loss": Interval(float("nan"), 0.0, 1.0)}, status="collapsed")
    assert manifest.EvidenceRecord.of(row).scores == {}


def test_plain_makes_json_of_what_runs_carry() -> None:
    data = {1: np.float32(0.5), "a": np.arange(2), "p": Path("x"), "i": Interval(1, 0, 2), "n": float("nan"), "t": (1,)}
    found = manifest.plain(data)
    assert found == {"1": 0.5, "a": [0, 1], "p": "x", "i": {"value": 1, "low": 0, "high": 2}, "n": None, "t": [1]}
    json.dumps(found, allow_nan=False)
