"""The tutorial is what it shows: its cells run from top to bottom, and nothing in it was typed in by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.base.test_display import is_harmless

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"


def read() -> Any:
    return nbformat.read(TUTORIAL, as_version=4)


def test_it_is_kept_without_outputs() -> None:
    notebook = read()
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) >= 8
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_every_code_cell_is_introduced() -> None:
    kinds = [cell.cell_type for cell in read().cells]
    assert kinds[0] == kinds[-1] == "markdown"
    assert all(kinds[index - 2 : index + 1].count("markdown") for index, kind in enumerate(kinds) if kind == "code")


@pytest.mark.slow
def test_it_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = read()
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    printed = {name: "".join(each.get("text", "") for each in found) for name, found in outputs.items()}
    pages = {
        name: each["data"]["text/html"]
        for name, found in outputs.items()
        for each in found
        if "text/html" in each.get("data", {})
    }
    assert set(pages) >= {"inspect", "fit", "evidence", "verdict", "predict", "predict-one"}
    for page in pages.values():
        is_harmless(page)
    assert printed["pictures"] == "200 to learn from, 1597 kept for later\n"
    found = float(re.findall(r"found on new pictures: ([\d.]+)", printed["evaluate"])[0])
    assert found > 0.8, "chance is 0.1; the verdict's own interval may miss it in one of twenty"
    assert (tmp_path / "digits-model" / "report.html").stat().st_size > 10_000
    label, confidence = printed["predict-one"].split()
    exported = printed["onnx"].split()
    assert exported[0] == label and float(exported[1]) == pytest.approx(float(confidence), abs=1e-3)
