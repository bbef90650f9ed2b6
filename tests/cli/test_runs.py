"""``headstart runs``: every run is found where it lies, and two are compared only if they can be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.base.errors import RunError
from headstart.cli.shell import run
from headstart.engine.journal import Journal
from headstart.measure import intervals
from headstart.measure.scores import METRICS
from headstart.ship import runs
from tests.ship.conftest import resealed

Captured = pytest.CaptureFixture[str]


def answers(seed: int, wrong: int, items: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 3) that are right but for the first ``wrong`` of a shuffled order, and the targets."""
    targets = np.arange(items) % 3
    given = targets.copy()
    rows = np.random.default_rng(seed).permutation(items)[:wrong]
    given[rows] = (given[rows] + 1) % 3
    return np.full((items, 3), 0.1) + 0.7 * np.eye(3)[given], targets


def with_run(folder: Path, seed: int, wrong: int, digest: str = "d") -> Path:
    """A sealed model gets the run that it would have come from."""
    journal = Journal(folder / "run")
    journal.begin({"id": str(seed), "data": digest, "backbone": "auto"})
    probabilities, targets = answers(seed, wrong)
    journal.write("verdict", {"winner": "transfer"})
    journal.keep("predictions", {"transfer": probabilities.astype(np.float32), "targets": targets})
    return folder


@pytest.fixture
def two(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    other = shutil.copytree(model_folder, tmp_path / "better")
    return with_run(model_folder, 0, 40), with_run(other, 1, 10)


def test_runs_on_the_same_data_are_compared_item_by_item(two: tuple[Path, Path], capsys: Captured) -> None:
    assert run(["runs", "compare", str(two[0]), str(two[1])]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "better is better: +15.0 points of accuracy from shapes" in told
    assert run(["runs", "compare", str(two[0]), str(two[1]), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    (a, targets), (b, _) = answers(0, 40), answers(1, 10)
    expected = intervals.gain("accuracy", b, a, targets)
    assert data["same_data"] and data["gaps"][0]["value"] == pytest.approx(0.15)
    assert (data["gaps"][0]["low"], data["gaps"][0]["high"]) == pytest.approx((expected.low, expected.high))


def test_other_data_are_not_compared(two: tuple[Path, Path], capsys: Captured) -> None:
    def change(manifest: dict[str, dict[str, str]]) -> None:
        manifest["data"]["digest"] = "e"

    resealed(two[1], change)
    assert run(["runs", "compare", str(two[0]), str(two[1])]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "cannot be compared: the data, the classes or the split are not the same" in told and "points" not in told


def test_without_predictions_nothing_is_paired(two: tuple[Path, Path], capsys: Captured) -> None:
    (two[1] / "run" / "predictions.safetensors").unlink()
    assert run(["runs", "compare", str(two[0]), str(two[1])]) == 0
    assert "their predictions were not kept" in " ".join(capsys.readouterr().out.split())


def test_damaged_predictions_are_an_error_in_words(two: tuple[Path, Path], capsys: Captured) -> None:
    (two[1] / "run" / "predictions.safetensors").write_bytes(b"nothing")
    assert run(["runs", "compare", str(two[0]), str(two[1])]) == 1
    assert "predictions.safetensors cannot be read" in capsys.readouterr().err


def test_runs_are_found_below_a_folder_with_the_unfinished_ones(
    two: tuple[Path, Path], tmp_path: Path, capsys: Captured
) -> None:
    begun = Journal(tmp_path / "later" / "begun" / "run")
    begun.begin({"id": "x", "data": "d", "backbone": "auto"})
    assert run(["runs", "ls", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert {Path(one["path"]).name: one["state"] for one in found} == {
        "shapes": "finished",
        "better": "finished",
        "begun": "unfinished",
    }
    assert run(["runs", "ls", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "unfinished" in told and "90.0 % [80.0, 97.0]" in told and "helped" in told
    assert all(len(line) <= 79 for line in told.splitlines())


def test_a_damaged_model_does_not_hide_the_others(two: tuple[Path, Path], tmp_path: Path, capsys: Captured) -> None:
    (two[1] / "manifest.json").write_text("{")
    assert run(["runs", "ls", str(tmp_path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "shapes" in told and "The manifest cannot be read" in told


def test_what_is_noted_is_found_until_it_is_gone(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    assert run(["runs"]) == 0
    assert "No run of this machine is left" in capsys.readouterr().out
    for number, folder in enumerate(two):
        runs.remember(folder, str(number))
    assert set(runs.found()) == set(two)
    shutil.rmtree(two[0])
    assert runs.found() == [two[1]]


def test_a_cache_that_cannot_be_written_to_costs_only_the_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file"))
    runs.remember(tmp_path, "1")
    assert runs.found() == []


@pytest.mark.parametrize("words", [["compare"], ["compare", "a"], ["lst"]])
def test_an_unclear_wish_is_refused(words: list[str], capsys: Captured) -> None:
    assert run(["runs", *words]) == 2
    assert "Expected" in capsys.readouterr().err


def test_a_folder_without_a_run_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no run in"):
        runs.found([tmp_path])


@pytest.mark.slow
def test_a_real_fit_is_listed_and_compared_with_itself(
    tmp_path: Path, write_shapes: Callable[..., Path], capsys: Captured
) -> None:
    photos = write_shapes(tmp_path / "photos", per_class=15)
    given = {"backbone": "embedded/resnet10-procedural", "strategy": "probe", "budget": "10s"}
    model = hs.fit(photos, output=tmp_path / "model", **given)  # type: ignore[arg-type]
    assert model.path in runs.found()
    assert runs.gaps([model.path, model.path], METRICS["accuracy"])[0].value == 0  # type: ignore[union-attr]
    assert run(["runs"]) == 0
    assert "model" in capsys.readouterr().out
    own = runs.summary(model.path)
    assert own.data.endswith("photos/") and own.items == 45 and own.candidate
