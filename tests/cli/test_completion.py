"""Tab in a real bash: verbs, options and values are completed, quickly, and files are left to the shell."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headstart.base import discovery
from headstart.cli import values
from headstart.engine.journal import Journal
from headstart.measure.scores import NAMES
from headstart.ship import runs

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="no bash here")

ASK = """
eval "$(headstart --show-completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMPREPLY=()
_headstart_completion headstart
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a ``headstart`` on its path, and a cache of its own."""
    command = tmp_path / "bin" / "headstart"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m headstart "$@"\n')
    command.chmod(0o755)
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    package = str(Path(discovery.__file__).parents[2])
    own = {"PATH": path, "HOME": str(home), "HEADSTART_CACHE": str(home / "cache"), "PYTHONPATH": package}
    return {**os.environ, **own}


def tab(home: Path, *words: str) -> list[str]:
    """What bash offers behind these words, of which the last is being typed."""
    done = subprocess.run(
        [str(BASH), "--norc", "-c", ASK, "bash", *words],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_verbs_and_options_are_completed(home: Path) -> None:
    assert set(tab(home, "headstart", "")) == set(discovery.plugins("cli"))
    assert tab(home, "headstart", "fi") == ["fit"]
    assert {"--strategy", "--seed", "--set"} <= set(tab(home, "headstart", "fit", "photos", "--s"))
    assert "--install-completion" in tab(home, "headstart", "--")


def test_values_are_completed(home: Path) -> None:
    fit = ("headstart", "fit", "photos")
    assert set(tab(home, *fit, "--strategy", "")) == {"auto", *discovery.plugins("tune")}
    assert set(tab(home, *fit, "--metric", "")) >= set(NAMES)
    assert tab(home, *fit, "--precision", "b") == ["bf16"]
    assert "embedded/resnet10-procedural" in tab(home, *fit, "--backbone", "emb")
    assert set(tab(home, "headstart", "cache", "")) == {"ls", "prune"}
    assert set(tab(home, "headstart", "pretrain", "")) == set(discovery.plugins("pretrain"))


def test_files_are_left_to_the_shell(home: Path) -> None:
    (home / "photos").mkdir()
    assert tab(home, "headstart", "fit", "ph") == []
    assert tab(home, "headstart", "fit", "photos", "-o", "ph") == []


def test_models_are_those_here_and_those_noted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(home / "cache"))
    for folder in (home / "here", home / "elsewhere" / "deep" / "noted"):
        Journal(folder / "run").begin({"id": "x"})
    runs.remember(home / "elsewhere" / "deep" / "noted", "x")
    assert set(tab(home, "headstart", "predict", "")) == {"here", "elsewhere/deep/noted"}
    assert tab(home, "headstart", "predict", "elsewhere/deep/") == ["elsewhere/deep/noted"]
    assert tab(home, "headstart", "runs", "compare", "he") == ["here"]


@pytest.mark.slow
def test_all_names_of_backbones_are_gathered_behind_and_kept(home: Path) -> None:
    first = tab(home, "headstart", "fit", "x", "--backbone", "torchvision/resnet18")
    ends = time.monotonic() + 60
    while not first and time.monotonic() < ends:
        time.sleep(0.5)
        first = tab(home, "headstart", "fit", "x", "--backbone", "torchvision/resnet18")
    assert any(name.startswith("torchvision/resnet18.") for name in first)


def test_a_cache_that_cannot_be_written_to_still_completes(home: Path) -> None:
    (home / "cache").write_text("")
    assert tab(home, "headstart", "fit", "x", "--backbone", "emb") == ["embedded/resnet10-procedural"]


def test_names_that_cannot_be_gathered_are_not_asked_for_at_every_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    started: list[object] = []
    monkeypatch.setattr(values.subprocess, "Popen", lambda *words, **_: started.append(words))
    for _ in range(5):
        values.backbones("timm/")
    assert len(started) == 1


def test_completing_is_quick_and_loads_no_torch(home: Path) -> None:
    asked = {
        "_HEADSTART_COMPLETE": "complete_bash",
        "COMP_WORDS": "headstart\nfit\nx\n--backbone\nt",
        "COMP_CWORD": "4",
    }
    command = [sys.executable, "-X", "importtime", "-m", "headstart"]
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        plain = subprocess.run(
            command[:1] + command[3:], env={**environment(home), **asked}, capture_output=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        assert plain.stderr == b""
    loaded = subprocess.run(
        command, env={**environment(home), **asked}, capture_output=True, text=True, check=True
    ).stderr
    assert not re.search(r"\b(torch|timm|numpy|pandas|sklearn)$", loaded, re.MULTILINE)
    # The promise is 300 ms on a quiet machine; importing torch alone takes more than this on any.
    assert min(seconds) < 1.0


def test_completion_is_installed_where_bash_finds_it(home: Path) -> None:
    done = subprocess.run(
        ["headstart", "--install-completion", "bash"], env=environment(home), capture_output=True, text=True, check=True
    )
    assert "completion installed" in done.stdout
    assert (home / ".bashrc").read_text().strip().startswith("source ")
    sourced = "source ~/.bashrc; complete -p headstart"
    told = subprocess.run(
        [str(BASH), "--norc", "-c", sourced], env=environment(home), capture_output=True, text=True, check=True
    )
    assert "_headstart_completion" in told.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_other_shells_have_a_script_that_asks_headstart(home: Path, shell: str) -> None:
    told = subprocess.run(
        ["headstart", "--show-completion", shell], env=environment(home), capture_output=True, text=True, check=True
    ).stdout
    assert "_HEADSTART_COMPLETE" in told and f"complete_{shell}" in told


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_answered_with_help(home: Path, shell: str) -> None:
    asked = {"_HEADSTART_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "headstart cach"}
    action = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        ["headstart"], env={**environment(home), **asked, **action}, capture_output=True, text=True, check=True
    )
    assert "cache" in done.stdout and discovery.plugins("cli")["cache"].summary[:30] in done.stdout
