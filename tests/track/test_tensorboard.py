"""TensorBoard's own reader finds in the event files what the run directory says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import headstart as hs
from headstart.base.run import Run
from headstart.track import tensorboard


def read(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


@pytest.mark.slow
def test_the_event_files_of_a_fit_hold_its_curves_scores_and_texts(
    quick: Callable[..., hs.Model], tmp_path: Path
) -> None:
    model = quick(tmp_path / "m", track=f"tensorboard:{tmp_path / 'board'}")
    run = Run(tmp_path / "m" / "run")
    (folder,) = (tmp_path / "board").iterdir()
    assert folder.name == f"m-{run.config['id'][:8]}"
    assert len(run.journal) == 6, "five folds, and the refit"
    for fit in run.journal:
        events = read(folder / "fits" / fit["name"])
        points = [(point.step, pytest.approx(point.value)) for point in events.Scalars("loss")]
        assert points == [(row["epoch"], row["loss"]) for row in fit["curve"]]
    scores = run.evidence[0]["scores"]["accuracy"]
    (point,) = read(folder / "evidence" / "partial@2").Scalars("accuracy_high")
    assert point.value == pytest.approx(scores["high"])
    (point,) = read(folder / "test").Scalars("accuracy")
    assert point.value == pytest.approx(model.verdict["tests"]["winner"]["accuracy"]["value"])
    texts = {
        tag: read(folder).Tensors(tag)[-1].tensor_proto.string_val[0].decode() for tag in read(folder).Tags()["tensors"]
    }
    assert "| strategy | partial |" in texts["parameters/text_summary"]
    assert "test images" in texts["verdict/text_summary"] and "model card/text_summary" in texts
    # Told once: the run again, finished, adds nothing.
    before = sorted(path.name for path in folder.rglob("events*"))
    hs.track_run(tmp_path / "m", f"tensorboard:{tmp_path / 'board'}")
    after = sorted(path.name for path in folder.rglob("events*"))
    assert [(p.step) for p in read(folder / "fits" / fit["name"]).Scalars("loss")] == [r["epoch"] for r in fit["curve"]]
    assert len(after) <= len(before) + 1, "only the tag that says how it ended"


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    board = tensorboard.begin(str(tmp_path / "board"))
    board.start("../../up", "0123456789", {})
    board.measure("fits/../../../out/<b>:x", {"loss": 1.0})
    board.close("finished")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written and all(path.is_relative_to(tmp_path / "board") for path in written)
    assert {path.name for path in (tmp_path / "board").iterdir()} == {"_.._up-01234567"}


def test_a_record_is_gone_on_with(tmp_path: Path) -> None:
    first = tensorboard.begin(str(tmp_path))
    handle = first.start("m", "0123456789", {})
    first.measure("fits/a", {"loss": 1.0}, 1)
    first.close("stopped")
    second = tensorboard.begin(str(tmp_path / "elsewhere"))
    assert second.start("m", "0123456789", handle) == handle
    second.measure("fits/a", {"loss": 0.5}, 2)
    second.close("finished")
    events = read(tmp_path / "m-01234567" / "fits" / "a").Scalars("loss")
    assert [(each.step, each.value) for each in events] == [(1, 1.0), (2, 0.5)]
