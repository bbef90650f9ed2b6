"""The pages in docs/: what they say, the commands and code that they show, and the scripts that make some of them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[1] / "docs"


def text(name: str) -> str:
    """A page as it is written."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    """What a page shows in one language."""
    return re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)


def ran(*arguments: str, folder: Path) -> str:
    """What Python prints with these arguments; it has to end well."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script(name: str) -> ModuleType:
    """A script of that folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
