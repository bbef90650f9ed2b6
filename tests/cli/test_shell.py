"""The command as a person meets it: help, version, misspellings, bad endings; run as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headstart.base import discovery
from headstart.base.errors import BadSource, Interrupted
from headstart.cli import failures, shell

COMMAND = [sys.executable, "-m", "headstart"]


def call(*words: str, **given: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, **given)  # type: ignore[call-overload]


def test_help_lists_every_verb_with_its_summary() -> None:
    done = call("--help")
    assert done.returncode == 0 and done.stderr == ""
    for name, plugin in discovery.plugins("cli").items():
        assert f"{name} " in done.stdout and plugin.summary in done.stdout
    assert {"fit", "predict", "evaluate", "backbones"} <= set(discovery.plugins("cli"))


@pytest.mark.parametrize("words", [[], ["-h"], ["help"]])
def test_asking_for_nothing_is_asking_for_help(words: list[str]) -> None:
    assert call(*words).stdout == call("--help").stdout


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert call("--version").stdout == f"headstart {version('headstart')}\n"


@pytest.mark.parametrize("verb", sorted(discovery.plugins("cli")))
def test_every_verb_has_worked_examples_and_fits_80_columns(verb: str) -> None:
    done = call(verb, "--help")
    assert done.returncode == 0
    assert f"\n      headstart {verb}" in done.stdout, "examples, one a line"
    assert "Examples:" in done.stdout
    assert call("help", verb).stdout == done.stdout


def test_help_is_quick() -> None:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        call("--help")
        seconds.append(time.perf_counter() - began)
    # The promise is 300 ms on a quiet machine; importing torch alone takes more than this on any.
    assert min(seconds) < 1.0, statistics.median(seconds)


def test_a_misspelt_verb_is_answered_with_the_right_one() -> None:
    done = call("fti", "photos/")
    assert done.returncode == 2 and done.stdout == ""
    assert "Unknown verb: fti" in done.stderr and "did you mean fit" in done.stderr


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["fit", "x", "--budgt", "3"], "--budget"), (["predict", "m", "x", "--jsn"], "--json"), (["--hlp"], "--help")],
)
def test_a_misspelt_option_is_answered_with_the_right_one(words: list[str], meant: str) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert "Unknown option" in done.stderr and f"did you mean {meant}" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["fit"],
        ["predict", "model"],
        ["fit", "x", "--seed", "one"],
        ["fit", "x", "--set", "rate"],
        ["fit", "x", "--set", "a=1", "--set", "a=2"],
        ["fit", "x", "--overwrite", "--resume"],
        ["fit", "x", "--depth=-1"],
        ["predict", "m", "x", "--top", "0"],
        ["predict", "m", "x", "--json", "--csv"],
        ["backbones", "timm/resnet18", "--local"],
    ],
)
def test_a_wrong_call_is_told_in_words_and_exits_with_2(words: list[str]) -> None:
    done = call(*words)
    assert done.returncode == 2, done.stderr
    told = done.stderr or done.stdout
    assert "Traceback" not in told
    if "--json" not in words:
        assert done.stderr.startswith("Error: ") and done.stdout == ""


def test_an_error_is_one_json_object_with_json() -> None:
    done = call("predict", "nowhere", "x", "--json", "--jsn")
    assert done.returncode == 2 and done.stderr == ""
    assert json.loads(done.stdout)["error"] == "UnknownName"


def test_a_reader_that_leaves_early_causes_no_complaint() -> None:
    # ``head`` that reads nothing: the pipe is closed before anything is written.
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode == 1 and done.stderr == ""


def plant(tmp_path: Path, body: str) -> tuple[dict[str, str], Path]:
    """A copy of the package with one more verb, and the environment that runs it."""
    package = Path(discovery.__file__).parents[1]
    shutil.copytree(package, tmp_path / "headstart", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    text = f'"""Planted."""\nimport time\n\n\ndef main(*, verbose: bool = False) -> int:\n{body}'
    (tmp_path / "headstart" / "cli" / "planted.py").write_text(text)
    return {**os.environ, "PYTHONPATH": str(tmp_path), "HEADSTART_CACHE": str(tmp_path / "cache")}, tmp_path


def test_an_unforeseen_error_leaves_a_log_instead_of_a_traceback(tmp_path: Path) -> None:
    environment, folder = plant(tmp_path, "    raise ValueError('first line\\nsecond')\n")
    done = call("planted", env=environment, cwd=folder)
    assert done.returncode == 1 and done.stdout == ""
    assert "failed unexpectedly: ValueError: first line" in done.stderr and "Traceback" not in done.stderr
    (log,) = (folder / "cache").glob("crash-*.log")
    assert str(log) in done.stderr
    assert log.read_text().startswith("headstart planted\n") and "Traceback" in log.read_text()
    assert "Traceback" in call("planted", "--verbose", env=environment, cwd=folder).stderr


def test_an_unforeseen_error_is_one_json_object_with_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    assert failures.told(ValueError("odd"), ["predict", "m", "x", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "ValueError" and Path(told["log"]).parent == tmp_path


def test_a_log_that_cannot_be_kept_does_not_hide_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(failures.tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    assert failures.told(ValueError("odd"), ["predict"]) == 1
    assert "ValueError: odd" in capsys.readouterr().err


def test_ctrl_c_stops_in_words(tmp_path: Path) -> None:
    environment, folder = plant(tmp_path, "    print('ready', flush=True)\n    time.sleep(60)\n    return 0\n")
    process = subprocess.Popen(
        [*COMMAND, "planted"],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert told == "Error: Stopped\n"


def test_ctrl_c_in_a_fit_names_the_command_that_continues_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.told(KeyboardInterrupt(), ["fit", "my photos/", "-o", "flowers"]) == 1
    assert "headstart fit 'my photos/' -o flowers --resume" in capsys.readouterr().err
    assert failures.told(KeyboardInterrupt(), ["fit", "x", "--resume"]) == 1
    assert capsys.readouterr().err.count("--resume") == 1


def test_a_foreseen_error_is_told_with_its_next_move(capsys: pytest.CaptureFixture[str]) -> None:
    error = BadSource("There is no folder photo", expected="did you mean photos?", next_move="headstart fit photos")
    assert failures.told(error, ["fit", "photo"]) == 1
    told = capsys.readouterr().err
    assert told == "Error: There is no folder photo\nExpected: did you mean photos?\nNext: headstart fit photos\n"
    assert failures.told(Interrupted("Stopped"), ["fit", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "Interrupted"


def test_an_errors_control_characters_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failures.told(BadSource("There is no \x1b[2J\rfile"), ["fit"])
    told = capsys.readouterr().err
    assert "\x1b" not in told and "\r" not in told


def test_a_dropped_verb_is_found_with_its_help(tmp_path: Path) -> None:
    environment, folder = plant(tmp_path, "    print('hello')\n    return 3\n")
    assert "planted" in call("--help", env=environment, cwd=folder).stdout
    done = call("planted", env=environment, cwd=folder)
    assert done.stdout == "hello\n" and done.returncode == 3


def test_run_takes_words_and_returns_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(["--version"]) == 0
    assert shell.run(["fit"]) == 2
    assert "Missing argument" in capsys.readouterr().err
