"""The facts of a folder: whole, without its run, interrupted, damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from headstart.base.errors import ModelFolderError
from headstart.base.manifest import NAME
from headstart.base.run import Run
from headstart.data.printable import printable
from headstart.ship.report import page
from headstart.ship.report.gather import gather
from tests.ship.report.conftest import HOSTILE

pytestmark = pytest.mark.slow


def test_a_finished_fit_has_everything(fitted: Path) -> None:
    facts, run = gather(fitted), Run(fitted / "run")
    assert facts.missing == ()
    assert facts.sealed in {row.name for row in facts.evidence}
    assert [one.sealed for one in facts.finalists].count(True) == 1
    assert set(facts.task.names) == {printable(name) for name in HOSTILE}
    winner = run.verdict["winner"]
    np.testing.assert_allclose(facts.held["tested"].predictions, run.arrays("predictions")[winner])
    assert facts.command.startswith("headstart ") or facts.command == ""


def test_curves_are_those_of_fits_that_ran_to_their_end(model_folder: Path) -> None:
    epochs = [{"loss": 2.0, "seconds": 1.0}, {"loss": 1.5, "held_out_log_loss": 0.7, "held_out_accuracy": None}]
    rest = {"epoch": 2, "epochs": 2, "scores": {}, "seconds": 2.0}
    names = (
        "partial@4/fold0/partial@4/sweep-0.001",
        "partial@4/fold1/partial@4/final-0.001",
        "partial@4, draw 2/fold1/partial@4/final-0.001",
        "refit/full/full/final-1",
    )
    rows = [{"name": name, "curve": epochs, **rest} for name in names]
    (model_folder / "run" / "journal.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    partial, refit = gather(model_folder).curves
    assert (partial.candidate, partial.fold, refit.candidate, refit.fold) == ("partial@4", "fold 2", "full", "refit")
    assert partial.losses == [2.0, 1.5] and partial.held == {"log_loss": [(2, 0.7)]} and partial.kept == 2
    assert "Learning curves" in page.write(model_folder).read_text(encoding="utf-8")


def test_its_plain_data_are_json_and_have_no_predictions(fitted: Path) -> None:
    found = json.loads(json.dumps(gather(fitted).as_dict(), allow_nan=False))
    assert found["verdict"]["sentence"] and found["evidence"][0]["name"]
    assert found["details"]["confusion"]
    assert "predictions" not in found["held_out"]["tested"]


def test_a_model_without_its_run_says_what_is_missing(model_folder: Path) -> None:
    shutil.rmtree(model_folder / "run")
    facts = gather(model_folder)
    assert "run/" in facts.missing[0]
    assert facts.verdict["sentence"] and facts.evidence
    text = page.write(model_folder).read_text(encoding="utf-8")
    assert "is not beside it" in text


def test_an_interrupted_run_has_a_page_too(model_folder: Path) -> None:
    for name in (NAME, "weights.safetensors"):
        (model_folder / name).unlink()
    for name in ("verdict.json", "evidence.json", "predictions.safetensors"):
        (model_folder / "run" / name).unlink()
    facts = gather(model_folder)
    assert facts.manifest is None and facts.data
    text = page.write(model_folder).read_text(encoding="utf-8")
    assert "has not finished" in text and "--resume" in text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: (run / "evidence.json").write_text("{"),
        lambda run: (run / "journal.jsonl").write_text('{"name": "a/fold0/b/c", "curve": [1, {"loss": "x"}]}\n[]\n3\n'),
        lambda run: (run / "findings.json").write_text('[{"odd": 1}, 3]'),
        lambda run: (run / "predictions.safetensors").write_bytes(b"no"),
        lambda run: save_file({"transfer": np.zeros((2, 9)), "targets": np.zeros(5)}, run / "predictions.safetensors"),
        lambda run: (run / "exhibits.json").write_text('{"pictures": {"tested": {"x": 1, "0": "../../weights"}}}'),
        lambda run: (run / "held_out.json").write_text('{"tested": [1, 2, 3]}'),
        lambda run: (run / "log.txt").write_bytes(b"\xff\xfe\x00"),
        lambda run: (run / "config.json").write_text("[]"),
        lambda run: (run / "data.json").write_text('{"counts": 3, "parts": "x"}'),
    ],
    ids=["evidence", "journal", "findings", "predictions", "shapes", "pictures", "list", "log", "config", "data"],
)
def test_a_damaged_run_costs_its_own_part_and_no_more(model_folder: Path, spoil: object) -> None:
    spoil(model_folder / "run")  # type: ignore[operator]
    facts = gather(model_folder)
    assert [panel.place for _, panel in page.panels_of(facts) if panel.place == 1000] == []
    assert "<main>" in page.render(facts) and facts.verdict["sentence"]


def test_pictures_come_from_the_run_alone(model_folder: Path) -> None:
    secret = model_folder.parent / "secret.png"
    secret.write_bytes(page.PNG + b"secret")
    (model_folder / "run" / "shown").mkdir(exist_ok=True)
    (model_folder / "run" / "shown" / "link.png").symlink_to(secret)
    pictures = page._Pictures(model_folder / "run")
    assert pictures.get("../../secret.png") == "" == pictures.get(str(secret))
    assert pictures.get("shown/link.png") == "" == pictures.get("config.json") == pictures.get("nothing.png")
    (model_folder / "run" / "shown" / "own.png").write_bytes(page.PNG + b"own")
    assert pictures.get("shown/own.png").startswith("data:image/png;base64,")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="no such folder"):
        gather(tmp_path / "none")
    with pytest.raises(ModelFolderError, match="no model and no run"):
        gather(tmp_path)
