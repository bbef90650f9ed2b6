"""``headstart doctor`` on machines with real faults: no network, a cache that is a file, a library that breaks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from headstart.diagnose import health


def doctor(**environment: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "headstart", "doctor", "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    data = json.loads(done.stdout)
    assert data["ok"] == (done.returncode == 0)
    return done.returncode, {check["name"]: check for check in data["checks"]}


@pytest.mark.slow
def test_a_machine_with_a_broken_cache_and_no_hub_is_told_what_mends_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        code, checks = doctor(HEADSTART_CACHE=str(tmp_path / "file"), HF_ENDPOINT=nobody, HF_HUB_OFFLINE="0")
    assert code == 1
    assert checks["cache"]["state"] == "broken" and "HEADSTART_CACHE" in checks["cache"]["next_move"]
    assert checks["hub"]["state"] == "warning" and "cannot be reached" in checks["hub"]["said"]
    assert checks["libraries"]["state"] == checks["embedded backbones"]["state"] == "good"
    assert "torch" in checks["libraries"]["said"] and "bf16" in checks["processor"]["said"]


@pytest.mark.slow
def test_a_torch_that_does_not_import_is_reported_and_not_met(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise OSError('libtorch_cpu.so: cannot open shared object file')")
    code, checks = doctor(PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}:{':'.join(sys.path)}")
    assert code == 1
    assert "torch does not import (OSError: libtorch_cpu.so" in checks["libraries"]["said"]
    assert "--force-reinstall torch" in checks["libraries"]["next_move"]
    assert checks["disk"]["state"] != "broken" and len(checks) == 11


def test_offline_by_wish_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = health._hub()
    assert found.state == "good" and "HF_HUB_OFFLINE" in found.said


def test_a_hub_that_never_answers_is_given_up_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    from headstart.base import reach

    monkeypatch.setattr(reach, "PATIENCE", 0.5)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: time.sleep(30) or socket.socket())
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    began = time.monotonic()
    assert "did not answer" in health._hub().said
    assert time.monotonic() - began < 5


def installed(folder: Path, name: str, version: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.mark.parametrize(("version", "state"), [("2.11.0", "broken"), (None, "good")])
def test_torchaudio_of_another_version_is_a_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, state: str
) -> None:
    own = health._version("torch")
    installed(tmp_path, "torchaudio", version or own)
    monkeypatch.syspath_prepend(tmp_path)
    found = health._torchaudio()
    assert found.state == state
    assert ("pip uninstall torchaudio" in found.next_move) == (state == "broken")


def test_a_version_below_its_bound_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "timm", "0.9.1")
    monkeypatch.syspath_prepend(tmp_path)
    found = health._libraries()
    assert found.state == "broken" and "timm 0.9.1" in found.said and "pip install 'timm>=" in found.next_move


def test_memory_is_what_the_machine_has() -> None:
    free, total = health.memory()
    assert 0 < free <= total
    assert total <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_full_disk_is_broken_and_a_tight_one_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    for free, state in ((1e8, "broken"), (1e9, "warning"), (1e10, "good")):
        usage = shutil._ntuple_diskusage(2e10, 2e10 - free, free)  # type: ignore[attr-defined]
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert health._disk().state == state


def test_a_check_that_fails_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> health.Check:
        raise RuntimeError("odd\nvery odd")

    fails.__name__ = "_memory"
    monkeypatch.setattr(health, "_memory", fails)
    found = {check.name: check for check in health.checks()}
    assert found["memory"].state == "broken" and found["memory"].said == "could not be checked: RuntimeError: odd"
    assert "embedded backbones" in found
