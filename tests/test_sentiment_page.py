"""The page on sentiment does what it says: its commands are run in turn, on the reviews that it names."""

from __future__ import annotations

import csv
import shlex
import shutil
from collections import Counter
from pathlib import Path

import pytest

from headstart.backbones import installed
from tests import pages

ROOT = Path(__file__).parents[1]
PAGE = pages.text("sentiment.md")


def test_the_reviews_are_as_the_page_says() -> None:
    with (ROOT / "examples" / "reviews.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert f"{len(rows)} short reviews" in PAGE and len({row["text"] for row in rows}) == len(rows)
    assert set(Counter(row["sentiment"] for row in rows).values()) == {len(rows) // 2}
    assert {row["stars"] for row in rows if row["sentiment"] == "negative"} == {"1", "2"}
    assert {row["stars"] for row in rows if row["sentiment"] == "positive"} == {"4", "5"}


@pytest.mark.slow
@pytest.mark.skipif(not installed.is_here(), reason="the extra text is not installed")
def test_the_commands_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "reviews.csv", tmp_path / "examples")
    said: dict[str, str] = {}
    for block in pages.blocks(PAGE, "sh"):
        for line in block.splitlines():
            said[line] = pages.ran("-m", *shlex.split(line), folder=tmp_path)
    told = {line: " ".join(text.split()) for line, text in said.items()}
    (fitted,) = (text for line, text in told.items() if line.startswith("headstart fit") and "stars" not in line)
    assert "tfidf_logistic" in fitted and "cross-validated" in fitted and "Transfer" in fitted
    answers = next(text for line, text in said.items() if "I loved every page" in line).splitlines()
    assert "positive" in answers[0] and "negative" in answers[1]
    table = next(text for line, text in said.items() if line.endswith("--csv"))
    assert len(list(csv.DictReader(table.splitlines()))) == 160
    (block,) = pages.blocks(PAGE, "python")
    lines = pages.ran("-c", block, folder=tmp_path).splitlines()
    assert [line.split()[0] for line in lines] == ["positive", "negative"]
