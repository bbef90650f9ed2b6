"""``headstart pretrain``: what is parsed reaches the workflow, and the folder it leaves is a backbone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headstart import api
from headstart.backbones import catalogue
from headstart.base.errors import BadOption
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
    words = "pretrain procedural -o out --preset cpu-5 --seed 3 --precision float32 --set x=1 --resume --quiet --json"
    assert run(words.split()) == 0
    ((method, output), given) = calls[0]
    given.pop("report")
    assert (method, output) == ("procedural", Path("out"))
    assert given == {
        "seed": 3,
        "settings": {"x": "1", "preset": "cpu-5"},
        "overwrite": False,
        "resume": True,
        "precision": "float32",
    }


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
    assert description["weights"]["bytes"] == (to / "weights.safetensors").stat().st_size
    assert run(words) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run([*words, "--overwrite"]) == 0
