"""``headstart inspect`` as a person meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from headstart.cli.shell import run
from tests.data.pictures import noise

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Two classes, told apart by their size; one file is damaged, one picture is there twice."""
    for name, side in (("ash", 40), ("oak", 60)):
        (tmp_path / name).mkdir()
        for i in range(25):
            Image.fromarray(noise(side * 1000 + i, side, side)).save(tmp_path / name / f"{i}.png")
    (tmp_path / "ash" / "copy.png").write_bytes((tmp_path / "ash" / "3.png").read_bytes())
    (tmp_path / "oak" / "bad\nname.png").write_bytes(b"nothing")
    return tmp_path


def test_findings_are_read_in_plain_words(faulty: Path, capsys: Captured) -> None:
    assert run(["inspect", str(faulty)]) == 0
    told = capsys.readouterr().out
    assert "4 findings, the most serious first:" in told
    assert told.index("SERIOUS  giveaway") < told.index("WARNING  unreadable") < told.index("INFO  duplicates")
    assert "alone tells the class in 100% of the cases" in " ".join(told.split())
    assert "Next: " in told and "copy.png" in told
    assert "\x1b" not in told and "bad\nname" not in told and all(len(line) <= 79 for line in told.splitlines())


def test_json_is_one_object_and_nothing_else(faulty: Path, capsys: Captured) -> None:
    assert run(["inspect", str(faulty), "--backbone", "embedded/resnet10-procedural", "--json"]) == 0
    caught = capsys.readouterr()
    data = json.loads(caught.out)
    assert caught.err == "" and data["items"] == 51 and data["backbone"] == "embedded/resnet10-procedural"
    assert data["findings"][0] | {"evidence": 0} == {
        "name": "giveaway",
        "severity": "serious",
        "sentence": data["findings"][0]["sentence"],
        "number": 1.0,
        "threshold": 0.5,
        "next_move": data["findings"][0]["next_move"],
        "evidence": 0,
    }


def test_only_strict_makes_a_serious_finding_a_failure(
    faulty: Path, write_shapes: Callable[..., Path], tmp_path: Path, capsys: Captured
) -> None:
    assert run(["inspect", str(faulty), "--strict"]) == 1
    assert run(["inspect", str(write_shapes(tmp_path / "shapes")), "--strict"]) == 0
    capsys.readouterr()


def test_an_unknown_backbone_is_answered_before_anything_is_read(faulty: Path, capsys: Captured) -> None:
    assert run(["inspect", str(faulty), "--backbone", "embedded/resnet10-procedurl"]) == 2
    assert "did you mean embedded/resnet10-procedural" in capsys.readouterr().err


def test_nothing_is_written(faulty: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before, home = sorted(faulty.rglob("*")), tmp_path_factory.mktemp("home")
    environment = {"HEADSTART_CACHE": str(home / "cache"), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "headstart", "inspect", str(faulty)],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(faulty.rglob("*")) == before and list(home.iterdir()) == []
