"""``headstart export``: what was written, how it was checked, and how to use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headstart.cli.shell import run

Captured = pytest.CaptureFixture[str]


@pytest.mark.slow
def test_what_is_said_of_an_onnx_file(model_folder: Path, tmp_path: Path, capsys: Captured) -> None:
    to = tmp_path / "flowers.onnx"
    assert run(["export", str(model_folder), "--to", "onnx", "-o", str(to), "-q"]) == 0
    told = capsys.readouterr().out
    assert to.is_file() and all(len(line) <= 80 or "/" in line for line in told.splitlines())
    for words in (
        "Written:",
        "8 golden examples and 6 generated inputs of other shapes",
        "largest difference",
        "onnxruntime.InferenceSession",
    ):
        assert words in " ".join(told.split())
    assert run(["export", str(model_folder), "--to", "onnx", "-o", str(to)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run(["export", str(model_folder), "--to", "onnx", "-o", str(to), "--overwrite", "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["path"] == str(to) and found["to"] == "onnx" and 0 <= found["difference"] <= 1e-4


def test_a_wrong_call_is_told(model_folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["export", str(model_folder), "--to", "onx", "-o", str(tmp_path / "m.onnx")]) == 2
    assert "did you mean onnx" in capsys.readouterr().err
    assert run(["export", str(tmp_path / "nothing"), "--to", "onnx", "-o", str(tmp_path / "m.onnx")]) == 1
    assert "no such model folder" in capsys.readouterr().err
    assert run(["export", str(model_folder), "--to", "onnx"]) == 2
    assert "-o" in capsys.readouterr().err
