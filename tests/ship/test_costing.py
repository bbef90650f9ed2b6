"""What a smaller export costs is measured on the items that fit held out, and what is missing of them is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from headstart.base import hashes
from headstart.base.errors import ExportError
from headstart.ship import costing
from headstart.ship.sealed import Model, load
from tests.ship.conftest import CLASSES


class Answers:
    """An export whose predictions are the model's own, some of them turned round."""

    def __init__(self, model: Model, wrong: int = 0, bad: float = 0.0) -> None:
        self.model, self.wrong, self.bad = model, wrong, bad

    def replay(self, arrays: np.ndarray) -> np.ndarray:
        return self.model.scorer.replay(arrays)

    def score(self, items: Any) -> np.ndarray:
        found = self.model.scorer.score(items, precision="float32", failed={}) + self.bad
        found[: self.wrong] = 1 - found[: self.wrong]
        return found / found.sum(1, keepdims=True)


@pytest.fixture
def model(model_folder: Path, pictures: Path) -> Model:
    """The sealed model beside a run that held some items out."""
    rows = [{"where": path.name, "path": str(path), "digest": hashes.of_file(path)} for path in pictures.rglob("*.png")]
    run = model_folder / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    (run / "held_out.json").write_text(json.dumps({"tested": [], "validation": rows}))
    targets = np.array([CLASSES.index(Path(row["path"]).parent.name) for row in rows])
    save_file({"winner": np.zeros((len(rows), 3), np.float32), "targets": targets}, run / "validation.safetensors")
    return load(model_folder)


def rewrite(model: Model, change: Any) -> None:
    path = model.path / "run" / "held_out.json"
    rows = json.loads(path.read_text())
    change(rows["validation"])
    path.write_text(json.dumps(rows))


def test_the_runs_validation_items_are_found(model: Model) -> None:
    held = costing.held_out(model)
    assert held is not None and len(held.items) == 15
    assert [Path(item).parent.name for item in held.items] == [CLASSES[t] for t in held.targets]
    assert held.notes[0] == "Those are 15 of the 15 validation items of the fit"


def test_what_moved_or_changed_is_left_out_and_counted(model: Model, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(b"another picture")

    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["path"], rows[1]["path"] = str(tmp_path / "gone.png"), str(other)
        rows[2]["path"] = None

    rewrite(model, change)
    held = costing.held_out(model)
    assert held is not None and len(held.items) == 12
    assert "12 of the 15" in held.notes[0]
    for words in ("1 are no files", "1 are no longer where they were", "1 changed"):
        assert words in held.notes[0]
    rewrite(model, lambda rows: [row.update(path=None) for row in rows])
    assert costing.held_out(model) is None


def test_without_a_run_nothing_is_at_hand(model_folder: Path) -> None:
    assert costing.held_out(load(model_folder)) is None


def test_a_source_goes_before_the_run(model: Model, pictures: Path) -> None:
    held = costing.held_out(model, str(pictures / ".."))
    assert held is not None and "validation items of the fit" not in " ".join(held.notes)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    for name, size in (("exact", 4_000_000), ("small", 1_000_000)):
        (tmp_path / name).write_bytes(b"0" * size)
    return tmp_path / "exact", tmp_path / "small"


def measured(model: Model, now: Answers, paths: tuple[Path, Path], held: Any) -> costing.Cost:
    timed = [np.zeros((20, 20, 3), np.uint8)]
    return costing.cost(model, Answers(model), now, held=held, paths=paths, timed=timed)


def test_scores_are_paired_and_a_loss_is_said(model: Model, paths: tuple[Path, Path]) -> None:
    held = costing.held_out(model)
    same = measured(model, Answers(model), paths, held)
    gain = same.scores["accuracy"]["gain"]
    assert gain["value"] == 0 and gain["low"] < 0 < gain["high"], "no difference on 15 items proves little"
    assert "4.0 MB" in " ".join(same.notes) and "more than a point" not in " ".join(same.notes)
    worse = measured(model, Answers(model, wrong=15), paths, held)
    found = worse.scores["accuracy"]
    assert found["now"] - found["exact"] == pytest.approx(found["gain"]["value"])
    assert (found["gain"]["value"] < -0.01) == ("more than a point" in " ".join(worse.notes))
    json.dumps(worse.as_dict(), allow_nan=False)


def test_what_was_not_measured_is_said(model: Model, paths: tuple[Path, Path]) -> None:
    found = measured(model, Answers(model), paths, None)
    assert found.scores == {} and found.n == 0
    assert "was not measured" in " ".join(found.notes) and "--validate" in " ".join(found.notes)


def test_predictions_that_are_no_numbers_are_refused(model: Model, paths: tuple[Path, Path]) -> None:
    with pytest.raises(ExportError, match="no numbers"):
        measured(model, Answers(model, bad=float("nan")), paths, costing.held_out(model))
