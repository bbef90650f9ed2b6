"""The page on answers does what it says: its file is written, and its commands are run on it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from headstart.data.sources import answers
from headstart.measure.answers import LONGEST

PAGE = (Path(__file__).parents[1] / "docs" / "answers.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)


def ran(*arguments: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_file_and_the_commands_of_the_page(tmp_path: Path) -> None:
    (file,) = blocks("json")
    (tmp_path / "ada.json").write_text(file, encoding="utf-8")
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert commands
    for command in commands:
        said = " ".join(ran("-m", *shlex.split(command), folder=tmp_path).split())
        assert "3 questions on 1 text, 1 without an answer" in said
        assert "does not stand" not in said and "inside a word" not in said
    for block in blocks("python"):
        assert "places 45" in ran("-c", block, folder=tmp_path)


def test_the_numbers_of_the_page() -> None:
    assert f"more than {LONGEST} words" in PAGE and answers.ARTICLES == 10
    for given in json.loads(blocks("json")[0])["data"][0]["paragraphs"][0]["qas"]:
        assert bool(given["answers"]) is not given["is_impossible"]
