"""``headstart evaluate``: scores with intervals, the confusion matrix, and what was left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.cli import evaluate
from headstart.cli.shell import run
from tests.ship.conftest import ODD

Captured = pytest.CaptureFixture[str]


def test_the_table_has_every_score_and_the_confusion(model_folder: Path, pictures: Path, capsys: Captured) -> None:
    assert run(["evaluate", str(model_folder), str(pictures)]) == 0
    told = capsys.readouterr().out
    for title in ("Accuracy", "Balanced accuracy", "Macro F1", "Log loss", "Calibration error", "On 15 images"):
        assert title in told
    assert all(len(line) <= 80 for line in told.splitlines())
    rows = [line.split() for line in told.splitlines() if line.startswith(("checks", "disc", "stripes"))]
    assert [sum(map(int, row[1:])) for row in rows] == [5, 5, 5]


def test_json_is_one_object(model_folder: Path, pictures: Path, capsys: Captured) -> None:
    assert run(["evaluate", str(model_folder), str(pictures), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 15 and found["accuracy"]["low"] <= found["accuracy"]["value"]


def test_a_class_it_does_not_know_is_told(model_folder: Path, pictures: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "t" / "tulip").mkdir(parents=True)
    (tmp_path / "t" / "disc").mkdir()
    picture = next(pictures.rglob("*.png")).read_bytes()
    for name in ("tulip", "disc"):
        (tmp_path / "t" / name / "a.png").write_bytes(picture)
    assert run(["evaluate", str(model_folder), str(tmp_path / "t")]) == 1
    assert "does not know the class tulip" in capsys.readouterr().err


def test_many_classes_show_the_worst_confusions(capsys: Captured) -> None:
    classes = [f"class {i}" for i in range(30)]
    counts = np.diag(np.full(30, 9))
    counts[3, 4], counts[7, 2] = 5, 8
    evaluate._confusion(classes, counts.tolist())
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ["class", "7", "class", "2", "8"]
    assert lines[-1].split() == ["class", "3", "class", "4", "5"]


def test_no_mistakes_are_said(capsys: Captured) -> None:
    evaluate._confusion([str(i) for i in range(30)], np.eye(30, dtype=int).tolist())
    assert "No mistakes." in capsys.readouterr().out


def test_unfamiliar_pictures_are_counted_and_the_others_scored(
    watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, picture in (("checks", ODD), ("disc", np.full((40, 40, 3), 100, np.uint8)), ("stripes", ODD[::-1])):
        (tmp_path / "test" / name).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "test" / name / "one.png")
    assert run(["evaluate", str(watched), str(tmp_path / "test")]) == 0
    told = capsys.readouterr().out
    assert "2 of 3 look unlike anything in the training data" in told and "Accuracy without them" in told
    assert told.count("strangeness ") == 2
    assert run(["evaluate", str(watched), str(tmp_path / "test"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["unfamiliar"]
    assert found["count"] == 2 and found["without"]["accuracy"]["value"] in (0.0, 1.0)
    assert found["items"][0]["strangeness"] >= found["items"][1]["strangeness"] > 1
