"""``headstart predict``: one line a picture in the format asked for; what cannot be read is listed, not fatal."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.cli.shell import run
from headstart.ship.sealed import load
from tests.ship.conftest import CLASSES, ODD

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def new(tmp_path: Path, pictures: Path) -> Path:
    """Three pictures, and one file that only looks like one."""
    folder = tmp_path / "new"
    folder.mkdir()
    for number, path in enumerate(sorted(pictures.rglob("*.png"))[::5]):
        (folder / f"p{number}.png").write_bytes(path.read_bytes())
    (folder / "broken.png").write_bytes(b"\x89PNG broken")
    return folder


def test_a_line_a_picture(model_folder: Path, new: Path, capsys: Captured) -> None:
    assert run(["predict", str(model_folder), str(new)]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    wanted = {Path(each.item).name: each for each in load(model_folder).predict(new, on_error="skip")}
    assert len(lines) == 3
    for line in lines:
        file, label, share, percent = line.split()
        assert (label, percent) == (wanted[Path(file).name].label, "%")
        assert float(share) == pytest.approx(100 * wanted[Path(file).name].confidence, abs=0.06)
    assert "broken.png" in told.err and "1 of 4 could not be read" in told.err


def test_json_is_one_object_a_line(model_folder: Path, new: Path, capsys: Captured) -> None:
    assert run(["predict", str(model_folder), str(new), "--json", "--top", "2"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["broken.png", "p0.png", "p1.png", "p2.png"]
    assert set(rows[0]) == {"file", "error"}
    for row in rows[1:]:
        assert row["label"] in CLASSES and 0 < row["confidence"] <= 1
        assert row["top"][0] == {"label": row["label"], "confidence": row["confidence"]} and len(row["top"]) == 2


def test_csv_has_a_header_and_a_row_for_each(model_folder: Path, new: Path, capsys: Captured) -> None:
    assert run(["predict", str(model_folder), str(new), "--csv", "--top", "99"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4 and list(rows[0])[-1] == "error"
    assert rows[0]["error"] and not rows[0]["label"]
    assert {rows[1]["label"], rows[1]["label_2"], rows[1]["label_3"]} == set(CLASSES)


def test_a_list_on_standard_input(
    model_folder: Path, new: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = io.TextIOWrapper(io.BytesIO(f"{new / 'p0.png'}\n{new / 'missing.png'}\n".encode()))
    monkeypatch.setattr(sys, "stdin", given)
    assert run(["predict", str(model_folder), "-", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "label" in rows[0] and "error" in rows[1]


def test_nothing_readable_fails(model_folder: Path, new: Path, capsys: Captured) -> None:
    assert run(["predict", str(model_folder), str(new / "broken.png")]) == 1
    told = capsys.readouterr()
    assert told.out == "" and "1 of 1 could not be read" in told.err


@pytest.mark.parametrize("inputs", [["nowhere.png"], ["empty"]])
def test_predict_on_nothing_is_told_in_words(
    model_folder: Path, inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(["predict", str(model_folder), *inputs]) == 1
    assert capsys.readouterr().err.startswith("Error: There ")


def test_no_model_is_told_in_words(tmp_path: Path, new: Path, capsys: Captured) -> None:
    assert run(["predict", str(tmp_path / "flower"), str(new), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "ModelFolderError"


def test_quiet_and_json_leave_standard_output_to_the_result(model_folder: Path, new: Path, capsys: Captured) -> None:
    (new / "broken.png").unlink()
    assert run(["predict", str(model_folder), str(new), "--quiet", "--json"]) == 0
    told = capsys.readouterr()
    assert told.err == "" and len(told.out.splitlines()) == 3


@pytest.fixture
def odd_and_even(tmp_path: Path) -> Path:
    """A picture that the watched model has not seen the like of, with a hostile name, and one that it has."""
    folder = tmp_path / "both"
    folder.mkdir()
    Image.fromarray(ODD).save(folder / "<img onerror=alert(1)>.png")
    Image.fromarray(np.full((40, 40, 3), 100, np.uint8)).save(folder / "even.png")
    return folder


def test_unfamiliar_pictures_are_marked_and_named_at_the_end(
    watched: Path, odd_and_even: Path, capsys: Captured
) -> None:
    assert run(["predict", str(watched), str(odd_and_even)]) == 0
    told = capsys.readouterr()
    first, second = told.out.splitlines()
    assert first.endswith("%  unfamiliar") and second.endswith("%")
    assert "1 of 2 looks unlike anything in the training data" in told.err and "onerror" in told.err
    assert run(["predict", str(watched), str(odd_and_even), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["unfamiliar"] for row in rows] == [True, False] and rows[0]["strangeness"] > 1
    assert "unsure" not in rows[0]
    assert run(["predict", str(watched), str(odd_and_even), "--csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["unfamiliar"] for row in table] == ["true", "false"] and list(table[0])[-1] == "error"


def test_a_least_confidence_marks_answers_and_says_what_it_costs(
    watched: Path, odd_and_even: Path, capsys: Captured
) -> None:
    assert run(["predict", str(watched), str(odd_and_even), "--min-confidence", "0.75"]) == 0
    told = capsys.readouterr()
    assert "51 % were answered at least so surely" in told.err and "0.0 % were wrong" in told.err
    assert "2 of 2 are unsure" in told.err and told.out.count("unsure, perhaps") == 2
    assert run(["predict", str(watched), str(odd_and_even), "--min-confidence", "0.75", "--csv", "--quiet"]) == 0
    told = capsys.readouterr()
    assert [row["unsure"] for row in csv.DictReader(io.StringIO(told.out))] == ["true", "true"] and told.err == ""
    assert run(["predict", str(watched), str(odd_and_even), "--min-confidence", "7"]) == 2
    assert "above 0, at most 1" in capsys.readouterr().err


def test_a_model_that_does_not_measure_it_says_why(model_folder: Path, new: Path, capsys: Captured) -> None:
    assert run(["predict", str(model_folder), str(new), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out.splitlines()[1])["unfamiliar"] is None
    assert "Whether images are unfamiliar is not said" in told.err
