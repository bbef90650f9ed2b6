"""Progress: plain lines that are few and clean, and a bar that a terminal can draw."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from headstart.base.errors import BadOption
from headstart.base.progress import Silent
from headstart.cli.reporting import PAUSE, Bar, Lines, duration, watching


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (-3, "0 s")],
)
def test_durations_read_like_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_plain_lines_are_few_and_say_what_is_left() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock=clock)
    lines.expect(120)
    lines.begin("decode", 1000)
    for _ in range(1000):
        clock.now += 0.02
        lines.advance()
    lines.end()
    told = stream.getvalue().splitlines()
    assert told[0] == "About 2 min in all"
    assert len(told) <= 1 + 20 / PAUSE + 1
    assert told[1].startswith("decode: 25") and "about 15 s left; the whole job about 1 min 55 s" in told[1]
    assert told[-1] == "decode: done in 20 s"
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_short_task_is_not_mentioned() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock=clock)
    lines.begin("decode", 10)
    clock.now += 1
    lines.advance(10)
    lines.end()
    assert stream.getvalue() == ""


def test_a_task_of_unknown_length_counts() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock=clock)
    lines.begin("look")
    clock.now += PAUSE
    lines.advance(1234)
    assert stream.getvalue() == "look: 1,234\n"


def test_details_are_for_those_who_asked_and_escapes_for_nobody() -> None:
    for verbose in (False, True):
        stream = io.StringIO()
        lines = Lines(stream, verbose=verbose)
        lines.say("read \x1b[31mclass\x1b[0m")
        lines.detail("more")
        assert "\x1b" not in stream.getvalue()
        assert ("more" in stream.getvalue()) is verbose


def test_the_reporter_suits_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    with watching(quiet=True) as report:
        assert isinstance(report, Silent)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with watching() as report:
        assert isinstance(report, Lines)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with watching() as report:
        assert isinstance(report, Bar)
        report.say("a [bold]folder[/] of pictures")
        report.expect(90)
        report.begin("decode", 3)
        report.advance(3)
        report.begin("features", None)
        report.advance()
        report.end()
        report.detail("hidden")
    assert "a [bold]folder[/] of pictures" in terminal.getvalue()
    assert "hidden" not in terminal.getvalue()


def test_progress_is_also_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    with watching(quiet=True, progress=path) as report:
        report.begin("train", 3)
        report.say("done")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["begin", "say"]


def test_progress_into_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="Progress cannot be written"), watching(progress=tmp_path / "no" / "p"):
        pass
