"""The page on texts does what it says: its commands are run, on texts that the example writes."""

from __future__ import annotations

import csv
import json
import runpy
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests import pages

ROOT = Path(__file__).parents[1]
PAGE = pages.text("text.md")


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
    commands = [
        line
        for block in pages.blocks(PAGE, "sh")
        for line in block.splitlines()
        if line.startswith("headstart inspect")
    ]
    assert commands
    for command in commands:
        arguments = shlex.split(command)[1:]
        found = json.loads(pages.ran("-m", "headstart", *arguments, "--json", folder=tmp_path))
        assert found["items"] >= 2000
        assert "column 'text' is the text, column 'label' the label, column 'file' the group" in found["understood"]
    for block in pages.blocks(PAGE, "python"):
        assert "texts" in pages.ran("-c", block, folder=tmp_path)


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
