"""The page on words does what it says: its file is written, and its commands are run on it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "tokens.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def ran(*arguments: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_file_and_the_commands_of_the_page(tmp_path: Path) -> None:
    (file,) = blocks("conll")
    (tmp_path / "names.conll").write_text(file, encoding="utf-8")
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert commands
    for command in commands:
        said = ran("-m", *shlex.split(command), folder=tmp_path)
        assert "11 words in 2 sentences" in said
        assert "IOB2 tags of LOC, PER" in " ".join(said.split())
    for block in blocks("python"):
        assert "words 11" in ran("-c", block, folder=tmp_path)
