"""The page on answers does what it says: its file is written, and its commands are run on it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from headstart.data.sources import answers
from headstart.measure.answers import LONGEST
from tests import pages

PAGE = pages.text("answers.md")


def test_the_file_and_the_commands_of_the_page(tmp_path: Path) -> None:
    (file,) = pages.blocks(PAGE, "json")
    (tmp_path / "ada.json").write_text(file, encoding="utf-8")
    commands = [line for block in pages.blocks(PAGE, "sh") for line in block.splitlines()]
    assert commands
    for command in commands:
        said = " ".join(pages.ran("-m", *shlex.split(command), folder=tmp_path).split())
        assert "3 questions on 1 text, 1 without an answer" in said
        assert "does not stand" not in said and "inside a word" not in said
    for block in pages.blocks(PAGE, "python"):
        assert "places 45" in pages.ran("-c", block, folder=tmp_path)


def test_the_numbers_of_the_page() -> None:
    assert f"more than {LONGEST} words" in PAGE and answers.ARTICLES == 10
    for given in json.loads(pages.blocks(PAGE, "json")[0])["data"][0]["paragraphs"][0]["qas"]:
        assert bool(given["answers"]) is not given["is_impossible"]
