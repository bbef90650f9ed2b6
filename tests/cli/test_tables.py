"""Tables fit 80 columns, numbers read like numbers, and nothing from the data can draw on the terminal."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from headstart.base.vocabulary import Interval
from headstart.cli import tables
from headstart.measure.scores import METRICS


def test_scores_are_percent_where_they_are_shares() -> None:
    assert tables.score(METRICS["accuracy"], Interval(0.921, 0.88, 0.953)) == "92.1 % [88.0, 95.3]"
    assert tables.score(METRICS["log_loss"], {"value": 0.4123, "low": 0.3, "high": 0.5}) == "0.412 [0.300, 0.500]"
    assert tables.score(METRICS["log_loss"], Interval(0.4123, 0.3, 0.5), interval=False) == "0.412"
    assert tables.score(METRICS["accuracy"], None) == "-"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1500, "1.5k"), (11_200_000, "11.2M"), (2_000_000_000, "2.0G")]
)
def test_counts_are_short(number: int, text: str) -> None:
    assert tables.count(number) == text


CELLS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=60)


@given(st.lists(st.tuples(CELLS, CELLS, st.integers(0, 10**9).map(str)), min_size=1, max_size=5))
def test_a_plain_table_fits_its_width_and_keeps_its_columns(rows: list[tuple[str, str, str]]) -> None:
    text = tables.plain(("Name", "Note", "Count"), rows, right=(2,), width=60)
    assert all(cell_len(line) <= 60 for line in text.splitlines())
    for row in rows:
        assert row[2] in text


def test_long_words_of_wide_letters_are_folded() -> None:
    text = tables.plain(("Name", "Note"), [("猫" * 50, "a note of several words " * 3)], width=40)
    assert max(map(cell_len, text.splitlines())) <= 40
    assert text.count("猫") == 50


def test_names_are_broken_behind_their_marks() -> None:
    text = tables.plain(("Name",), [("torchvision/mobilenet_v3_small.IMAGENET1K_V1",)], width=20)
    assert [line.strip() for line in text.splitlines()[2:]] == ["torchvision/", "mobilenet_v3_small.", "IMAGENET1K_V1"]


def test_columns_are_folded_in_the_order_asked_for() -> None:
    text = tables.plain(("A", "B"), [("a" * 20, "b c d e f g h i j k")], fold=(1, 0), width=31)
    assert "a" * 20 in text
    assert "a" * 20 not in tables.plain(("A", "B"), [("a" * 20, "b c d e f g h i j k")], fold=(0, 1), width=31)


def test_wide_letters_keep_the_columns_straight() -> None:
    lines = tables.plain(("Name", "N"), [("猫猫", "1"), ("cat", "2")], right=(1,)).splitlines()
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}


def test_a_table_off_the_terminal_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(("Name", "N"), [("evil\x1b[2J\nname", "1")], right=(1,))
    told = capsys.readouterr().out
    assert "\x1b" not in told and "\\x1b" in told
    assert len(told.splitlines()) == 3


def test_a_table_on_a_terminal_shows_the_same_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    tables.show(("Name", "N"), [("[red]probe[/]", "12")], right=(1,))
    assert "[red]probe[/]" in terminal.getvalue() and "12" in terminal.getvalue()
