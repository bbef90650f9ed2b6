"""The page on words does what it says: its file is written, and its commands are run on it."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests import pages

PAGE = pages.text("tokens.md")


def test_the_file_and_the_commands_of_the_page(tmp_path: Path) -> None:
    (file,) = pages.blocks(PAGE, "conll")
    (tmp_path / "names.conll").write_text(file, encoding="utf-8")
    commands = [line for block in pages.blocks(PAGE, "sh") for line in block.splitlines()]
    assert commands
    for command in commands:
        said = pages.ran("-m", *shlex.split(command), folder=tmp_path)
        assert "11 words in 2 sentences" in said
        assert "IOB2 tags of LOC, PER" in " ".join(said.split())
    for block in pages.blocks(PAGE, "python"):
        assert "words 11" in pages.ran("-c", block, folder=tmp_path)
