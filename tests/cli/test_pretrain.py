"""``headstart pretrain``: what is parsed reaches the workflow, and the folder it leaves is a backbone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.api import backbones as api
from headstart.backbones import catalogue
from headstart.base.errors import BadOption, WeightsError
from headstart.cli.shell import run

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def pretrain_backbone(*words: Any, **given: Any) -> Any:
        found.append((words, given))
        return catalogue.describe("torchvision/resnet18")

    monkeypatch.setattr(api, "pretrain_backbone", pretrain_backbone)
    return found


def test_every_option_reaches_the_workflow(calls: list[Any]) -> None:
    words = "pretrain procedural -o out --preset cpu-5 --seed 3 --precision float32 --set x=1 --resume"
    words += " --checkpoint-every 5s --quiet --json"
    assert run(words.split()) == 0
    ((method, output, source), given) = calls[0]
    given.pop("report")
    assert (method, output, source) == ("procedural", Path("out"), None)
    assert given == {
        "seed": 3,
        "settings": {"x": "1", "preset": "cpu-5"},
        "overwrite": False,
        "resume": True,
        "precision": "float32",
        "checkpoint_every": "5s",
    }


def test_a_source_and_its_columns_reach_the_workflow(calls: list[Any]) -> None:
    assert (
        run(
            [
                "pretrain",
                "supervised",
                "table.csv",
                "-o",
                "out",
                "--label",
                "kind",
                "--path",
                "file",
                "--set",
                "size=32",
            ]
        )
        == 0
    )
    ((method, _, source), given) = calls[0]
    assert (method, source) == ("supervised", "table.csv")
    assert given["settings"] == {"label": "kind", "path": "file", "size": "32"}
    flags = ["--group", "person", "--drop-rare", "--no-near-duplicates"]
    assert run(["pretrain", "supervised", "table.csv", "-o", "out", *flags]) == 0
    assert calls[1][1]["settings"] == {"group": "person", "drop_rare": True, "near_duplicates": False}


def test_the_next_command_is_told(calls: list[Any], capsys: Captured) -> None:
    assert run(["pretrain", "procedural", "-o", "my patterns", "--quiet"]) == 0
    assert "headstart fit PICTURES --backbone local:'my patterns'" in capsys.readouterr().out


def test_overwrite_and_resume_exclude_each_other(capsys: Captured) -> None:
    words = "pretrain procedural -o out --overwrite --resume"
    assert run(words.split()) == BadOption.exit_code
    assert "exclude each other" in capsys.readouterr().err


@pytest.mark.parametrize("word", [["procedurall"], ["procedural", "--preset", "cpu-16"]])
def test_a_misspelt_word_starts_nothing(word: list[str], tmp_path: Path, capsys: Captured) -> None:
    assert run(["pretrain", *word, "-o", str(tmp_path / "out")]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("supervised", "needs a SOURCE"),
        ("selfsup", "needs a SOURCE"),
        ("procedural photos", "takes no source"),
        ("procedural --set seed=1", "--seed"),
        ("procedural --label kind", "unknown"),
        ("supervised nowhere", "no file or folder"),
    ],
)
def test_a_call_that_cannot_be_meant_starts_nothing(words: str, said: str, tmp_path: Path, capsys: Captured) -> None:
    assert run(["pretrain", *words.split(), "-o", str(tmp_path / "out")]) != 0
    assert said.lower() in capsys.readouterr().err.lower()
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_folder_it_leaves_is_a_backbone_and_is_not_overwritten_unasked(tmp_path: Path, capsys: Captured) -> None:
    to = tmp_path / "made"
    words = ["pretrain", "procedural", "--preset", "smoke", "-o", str(to), "--quiet"]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == "generated patterns, no photographs"
    backbone = catalogue.load(f"local:{to}")
    assert backbone.info.preprocessing.size == 32
    description = json.loads((to / "backbone.json").read_text())
    assert description["card"]["command"] == "headstart pretrain procedural --preset smoke --seed 0"
    card = (to / "MODEL_CARD.md").read_text("utf-8")
    assert "generated patterns, no photographs" in card
    assert description["card"]["command"] in card
    assert description["weights"]["bytes"] == (to / "weights.safetensors").stat().st_size
    assert run(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    made = (to / "backbone.json").read_bytes()
    assert run([*words[:-1], "--resume"]) == 0
    assert "finished already" in capsys.readouterr().err
    assert (to / "backbone.json").read_bytes() == made
    assert run([*words, "--overwrite"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["supervised", "selfsup"])
def test_killed_and_resumed_is_the_same_backbone(
    method: str, tmp_path: Path, write_shapes: Callable[..., Path]
) -> None:
    source, to = write_shapes(tmp_path / "shapes", per_class=16, size=20), tmp_path / "killed"
    options = ["epochs=12", "batch_size=8", "size=16", "architecture=embedded/resnet10-8-8-8"]
    words = ["pretrain", method, str(source), *(word for each in options for word in ("--set", each)), "--quiet"]
    assert run([*words, "-o", str(tmp_path / "whole")]) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "headstart", *words, "-o", str(to), "--checkpoint-every", "0.001s"]
    )
    checkpoint, deadline = to / "run" / "checkpoint.safetensors", time.monotonic() + 120
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert checkpoint.exists()
    assert not (to / "backbone.json").exists()

    assert run([*words, "-o", str(to), "--resume"]) == 0
    once, again = (json.loads((folder / "backbone.json").read_text()) for folder in (tmp_path / "whole", to))
    assert again["weights"] == once["weights"]
    assert [bare(row) for row in again["card"]["curve"]] == [bare(row) for row in once["card"]["curve"]]
    assert not checkpoint.exists()


def bare(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a curve without what the clock says."""
    return {name: value for name, value in row.items() if name != "seconds"}


@pytest.mark.slow
def test_an_overwritten_folder_is_no_backbone_until_the_new_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "made"
    words = ["pretrain", "procedural", "--preset", "smoke", "-o", str(to), "--quiet"]
    assert run(words) == 0
    made = (to / "weights.safetensors").read_bytes()

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(api, "drive", stopped)
        assert run([*words, "--overwrite"]) != 0
    with pytest.raises(WeightsError, match="holds no backbone"):
        catalogue.load(f"local:{to}")
    assert run([*words, "--resume"]) == 0
    assert (to / "weights.safetensors").read_bytes() == made
