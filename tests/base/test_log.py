"""The log of a job: what a bug report needs, nothing secret, and no warning on the way lost or doubled."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from pathlib import Path

import pytest

from headstart.base import log
from headstart.base.progress import Silent


def job(path: Path | None, *said: str) -> None:
    with log.recording(Silent()) as report:
        for text in said:
            report.say(text)
        if path is not None:
            log.keep_in(path)
        report.detail("later")


def test_what_was_said_before_there_was_a_file_is_in_it(tmp_path: Path) -> None:
    job(tmp_path / "log.txt", "first", "two\nlines")
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00 ", line) for line in lines)
    words = [line[26:] for line in lines]
    assert words[0].startswith("headstart ") and words[1].startswith("Python ") and "torch" in words[2]
    assert words[-5:] == ["first", "two", "lines", "later", "Done"]


def test_a_continued_job_adds_to_its_log(tmp_path: Path) -> None:
    job(tmp_path / "log.txt", "first run")
    job(tmp_path / "log.txt", "second run")
    text = (tmp_path / "log.txt").read_text()
    assert text.index("first run") < text.index("second run") and text.count("Python ") == 2


def test_secrets_are_masked_wherever_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "verysecretvalue")
    monkeypatch.setenv("MY_API_KEY", "anothersecret")
    monkeypatch.setenv("HF_ENDPOINT", "https://user:hunter2@mirror.example")
    monkeypatch.setattr(sys, "argv", ["headstart", "fit", "--token", "hf_AbCdEfGhIjKlMnOp"])
    with pytest.raises(ValueError), log.recording(Silent()):
        log.keep_in(tmp_path / "log.txt")
        raise ValueError("401 for verysecretvalue and anothersecret")
    text = (tmp_path / "log.txt").read_text()
    for secret in ("verysecretvalue", "anothersecret", "hunter2", "hf_AbCd"):
        assert secret not in text
    assert "HF_TOKEN=***" in text and "https://***@mirror.example" in text


def test_an_error_leaves_its_traceback_and_names_its_log(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught, log.recording(Silent()):
        log.keep_in(tmp_path / "log.txt")
        _ = 1 / 0
    text = (tmp_path / "log.txt").read_text()
    assert "Traceback" in text and "ZeroDivisionError" in text and "Done" not in text
    recorder = log.left_by(caught.value)
    assert recorder is not None and recorder.path == tmp_path / "log.txt"
    assert log.left_by(ValueError()) is None


def test_ctrl_c_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), log.recording(Silent()):
        log.keep_in(tmp_path / "log.txt")
        raise KeyboardInterrupt
    text = (tmp_path / "log.txt").read_text()
    assert "Stopped by the user" in text and "Traceback" not in text


def test_warnings_are_recorded_and_still_reach_who_listens(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with log.recording(Silent()):
            log.keep_in(tmp_path / "log.txt")
            warnings.warn("old spelling", DeprecationWarning, stacklevel=1)
            logging.getLogger("some.library").warning("slow %s", "path")
    text = (tmp_path / "log.txt").read_text()
    assert "[DeprecationWarning at " in text and "old spelling" in text
    assert "[warning of some.library] slow path" in text
    assert [str(each.message) for each in heard] == ["old spelling"]


def test_libraries_are_hushed_on_the_terminal_and_only_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for hush in (True, False):
            path = tmp_path / f"{hush}.txt"
            with log.hushed() if hush else log.recording(Silent()), log.recording(Silent()):
                log.keep_in(path)
                logging.getLogger("some.library").warning("mind the gap")
            assert path.read_text().count("mind the gap") == 1
            assert ("mind the gap" in capsys.readouterr().err) == (not hush)


def test_everything_is_put_back(tmp_path: Path) -> None:
    before = warnings.showwarning, logging.lastResort, list(logging.getLogger().handlers)
    with log.hushed(), pytest.raises(KeyError), log.recording(Silent()):
        raise KeyError
    job(tmp_path / "log.txt")
    assert (warnings.showwarning, logging.lastResort, list(logging.getLogger().handlers)) == before


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    job(tmp_path / "file" / "log.txt", "said")


def test_without_a_recording_there_is_nothing_to_keep(tmp_path: Path) -> None:
    log.keep_in(tmp_path / "log.txt")
    assert list(tmp_path.iterdir()) == []
