"""headstart report: where the page goes, and what is said when it cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from headstart.cli import run
from tests.ship.conftest import sealed_to, small_network


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("sealed") / "shapes"
    sealed_to(to, small_network())
    return to


def test_it_says_where_the_page_is(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "page.html"
    assert run(["report", str(model), "-o", str(to)]) == 0
    assert str(to) in capsys.readouterr().out
    assert to.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run(["report", str(model)]) == 0
    assert (model / "report.html").is_file()


def test_json_is_the_facts_and_writes_nothing(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(model, tmp_path / "m", ignore=shutil.ignore_patterns("report.html"))
    assert run(["report", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"]["sentence"] == "Transfer helped."
    assert not (folder / "report.html").exists()


def test_open_shows_it(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: bool(asked.append(url)))
    assert run(["report", str(model), "--open"]) == 0
    assert asked == [(model / "report.html").as_uri()]
    assert "no web browser" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none"], 1, "no such folder"),
        (["{model}", "-o", "page.png"], 2, ".html"),
        (["{model}", "--json", "--open"], 2, "--json writes no page"),
        (["{model}", "-o", "/proc/none/page.html"], 1, "Cannot write"),
    ],
)
def test_what_cannot_be_is_said(
    model: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", *(word.format(model=model) for word in words)]) == code
    shown = capsys.readouterr()
    assert said in shown.err + shown.out
