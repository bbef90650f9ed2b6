"""The page on texts does what it says: its commands are run, on texts that the example writes."""

from __future__ import annotations

import csv
import json
import re
import runpy
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def blocks(kind: str) -> list[str]:
    page = (ROOT / "docs" / "text.md").read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)


def maker() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples" / "docstrings.py"))


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "docstrings.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_the_example_and_the_commands_of_the_page(tmp_path: Path) -> None:
    made = maker()
    made["write"](tmp_path / "demo")
    rows = table(tmp_path / "demo")
    labels = Counter(row["label"] for row in rows)
    assert len(labels) >= 6
    assert len(rows) >= 2000
    assert len({row["text"] for row in rows}) == len(rows)
    assert not any(made["NAMES"].search(row["text"]) for row in rows)
    assert len({row["file"] for row in rows}) > 100
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("headstart inspect")]
    assert commands
    for command in commands:
        arguments = shlex.split(command)[1:]
        done = subprocess.run(
            [sys.executable, "-m", "headstart", *arguments, "--json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["items"] >= 2000
        assert "column 'text' is the text, column 'label' the label, column 'file' the group" in found["understood"]
    for block in blocks("python"):
        done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "texts" in done.stdout


def test_the_draw_is_the_same_every_time_and_masks_the_names(tmp_path: Path) -> None:
    made = maker()
    first = made["drawn"]("networkx", 12)
    assert first == made["drawn"]("networkx", 12)
    assert len(first) == 12
    file = tmp_path / "a.py"
    file.write_text(
        'def f():\n    """Make a numpy array from torch tensors, as np.asarray would do it for all the values here.\n\n'
        '    Args:\n        x: secret\n    """\n'
    )
    assert list(made["descriptions"](file)) == [
        "Make a LIBRARY array from LIBRARY tensors, as LIBRARY.asarray would do it for all the values here."
    ]
