"""A copy of the package with files planted in it, and a fresh process that sees that copy and not the original."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def plant(folder: Path, files: Mapping[str, str]) -> Path:
    """Copy the package into ``folder`` and add files, named from the repository's root; returns ``folder``."""
    shutil.copytree(ROOT / "headstart", folder / "headstart", ignore=shutil.ignore_patterns("__pycache__"))
    for name, source in files.items():
        path = folder / name
        if path.exists():
            raise FileExistsError(f"{name} is already a file of headstart; an example has to be new")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return folder


def run_there(folder: Path, code: str, *arguments: str) -> str:
    """Run Python code on the planted copy; returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    guard = f"import headstart, pathlib\nassert pathlib.Path(headstart.__file__).is_relative_to({str(folder)!r})\n"
    command = [sys.executable, "-c", guard + code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def examples(page: Path) -> dict[str, str]:
    """Worked examples of a page: a paragraph that starts with a file's name in backquotes, then its Python source."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^`(headstart/[\w/]+\.py)`.*?```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return dict(found)
