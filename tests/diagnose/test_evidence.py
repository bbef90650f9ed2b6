"""What items are said to be, whatever the task: counts, conflicts and rare names of labels and numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart.base.vocabulary import Finding, Table
from headstart.cli.shell import run
from headstart.data import looking
from headstart.data.dataset import build
from headstart.diagnose import conflicting_near_copies
from headstart.diagnose.evidence import inspection
from tests.data.pictures import noise
from tests.data.test_near import scene

Captured = pytest.CaptureFixture[str]


def table(folder: Path, header: str, cells: Sequence[str]) -> Path:
    """A table of noise, of which the last two pictures are copies of the first two."""
    for i in range(len(cells)):
        Image.fromarray(noise(i if i < len(cells) - 2 else i - len(cells) + 2)).save(folder / f"{i}.png")
    lines = [f"{i}.png,{cell}" for i, cell in enumerate(cells)]
    (folder / "tags.csv").write_text("\n".join([f"file,{header}", *lines]))
    return folder / "tags.csv"


def inspected(arguments: Sequence[str], capsys: Captured) -> dict[str, Any]:
    assert run(["inspect", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    found["findings"] = {each["name"]: each for each in found["findings"]}
    return found


def test_label_columns_are_counted_and_compared(tmp_path: Path, capsys: Captured) -> None:
    cells = [f"{i % 2},{int(i % 3 == 0)},{int(i in (4, 7, 11))}" for i in range(60)] + ["0,1,0", "1,1,0"]
    found = inspected([str(table(tmp_path, "snow,rain,hail", cells)), "--label", "snow,rain,hail"], capsys)
    assert found["classes"] == {"hail": 3, "rain": 22, "snow": 31} and found["task"] == "multilabel"
    # The first two are rain alone and snow alone; their copies rain alone, and rain with snow.
    assert found["findings"]["conflicting_labels"]["number"] == 1
    assert "1.png (snow / rain|snow)" in found["findings"]["conflicting_labels"]["sentence"]
    rare = found["findings"]["few_examples"]
    assert rare["evidence"]["counts"] == {"hail": 3} and "1 label has fewer than 20" in rare["sentence"]
    assert "imbalance" not in found["findings"], "that is said of classes, of which an item has one"


def test_labels_between_bars_are_counted_and_compared(tmp_path: Path, capsys: Captured) -> None:
    cells = [("rain|snow", "rain", "|", "snow")[i % 4] for i in range(80)] + ["snow|rain", "|", ""]
    source = table(tmp_path, "label", cells[:-1])
    source.write_text(f"{source.read_text()}\n5.png,")
    found = inspected([str(source)], capsys)
    assert found["classes"] == {"rain": 41, "snow": 41} and found["items"] == 82
    assert "1.png (rain / none)" in found["findings"]["conflicting_labels"]["sentence"]
    assert found["findings"]["conflicting_labels"]["number"] == 1, "the order of labels is no difference"
    assert "a lone | says that none applies" in found["findings"]["unreadable"]["sentence"]
    assert "rain|snow" in found["why"]


def test_numbers_are_compared_and_not_counted(tmp_path: Path, capsys: Captured) -> None:
    found = inspected([str(table(tmp_path, "weight", [f"{i + 0.5}" for i in range(40)] + ["0.5", "7"]))], capsys)
    assert found["task"] == "regression" and found["classes"] == {}
    assert found["about"].startswith("with weight from 0.5 to 39.5")
    assert "1.png (1.5 / 7)" in found["findings"]["conflicting_labels"]["sentence"]
    assert found["findings"]["conflicting_labels"]["number"] == 1


def test_the_task_is_said_with_its_reason(tmp_path: Path, capsys: Captured) -> None:
    source = str(table(tmp_path, "weight", [f"{i + 0.5}" for i in range(42)]))
    assert run(["inspect", source]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Task: regression, because the labels are numbers with decimals (--task chooses another)" in told
    assert "42 images with weight from 0.5" in told
    assert run(["inspect", source, "--task", "regression"]) == 0
    assert "Task: regression, as --task says" in capsys.readouterr().out


def test_label_names_and_a_test_part_without_them_are_found(tmp_path: Path, capsys: Captured) -> None:
    cells = [f"{('rain', 'Rain', 'snow')[i % 3]}|wet,train" for i in range(60)] + ["wet|snow,test"] * 30
    found = inspected([str(table(tmp_path, "label,split", cells))], capsys)["findings"]
    assert "1 group of label names differs only in spelling: Rain / rain" in found["names_alike"]["sentence"]
    assert found["untested"]["sentence"] == "2 labels are not in the given test part: Rain, rain"


def test_nothing_usable_is_evidence_of_nothing() -> None:
    for labels in (["a", "b"], [["a"], ["b", "a"]], [0.5, 1.5]):
        report = hs.inspect(["/nowhere/1.png", "/nowhere/2.png"], labels)
        assert report.items == 0 and report.about == "" and not any(report.classes.values())
        assert {each.name for each in report.findings} >= {"unreadable", "unusable"}


def near(labels: Sequence[Any]) -> Finding | None:
    """Thirty scenes, the last the first made smaller."""
    pictures = [np.asarray(scene(i, 64)) for i in range(29)]
    pictures.append(np.asarray(scene(0, 64).resize((50, 50))))
    looked = looking.look(Table(tuple(pictures), tuple(labels), (None,) * 30, "here", "so"))
    return conflicting_near_copies.examine(inspection(looked, data=build(looked)))


def test_near_copies_with_other_sets_of_labels_are_suspicious() -> None:
    labels = [("rain", "snow") if i % 2 else ("snow",) for i in range(30)]
    found = near(labels)
    assert found is not None and "item 1 (snow) and item 30 (rain|snow)" in found.sentence
    assert near([*labels[:29], ("snow",)]) is None


def test_near_copies_with_far_numbers_are_suspicious() -> None:
    numbers = [i + 0.5 for i in range(30)]
    found = near(numbers)
    assert found is not None and "item 1 (0.5) and item 30 (29.5)" in found.sentence
    assert near([*numbers[:29], 2.5]) is None, "two pictures of one thing may be measured a little differently"
