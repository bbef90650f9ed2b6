"""The log that a fit leaves, and how a failed one names it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.base import discovery
from tests.house.planting import plant

WEIGHTY = '''"""A baseline that warns, and then fails as a library would."""

import logging
import warnings


def fit(items, targets, classes, seed, *, modality="images"):
    warnings.warn("this spelling is old", UserWarning, stacklevel=1)
    logging.getLogger("some.library").warning("no fast path")
    raise MemoryError("of a library")


def restore(arrays, meta): ...
'''


def fit(photos: Path, output: Path, package: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = ["--backbone", "embedded/resnet10-procedural", "--strategy", "probe", "--budget", "5s"]
    return subprocess.run(
        [sys.executable, "-m", "headstart", "fit", str(photos), "-o", str(output), *given, *words],
        env={**os.environ, "PYTHONPATH": str(package), **environment},
        cwd=output.parent,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_fit_that_fails_unexpectedly_names_its_log(tmp_path: Path, write_shapes: Callable[..., Path]) -> None:
    photos = write_shapes(tmp_path / "photos", per_class=6)
    package = plant(tmp_path / "package", {"headstart/baselines/aaa_weighty.py": WEIGHTY})
    done = fit(photos, tmp_path / "model", package, HF_TOKEN="verysecretvalue")
    log = tmp_path / "model" / "run" / "log.txt"
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"The full traceback is in {log}" in done.stderr.replace("\n", " ") or str(log) in done.stderr
    assert "this spelling is old" not in done.stderr and "no fast path" not in done.stderr
    text = log.read_text()
    for words in (
        "this spelling is old",
        "no fast path",
        "MemoryError: of a library",
        "Traceback",
        "18 images",
        "--budget",
    ):
        assert words in text
    assert "verysecretvalue" not in text
    shown = fit(photos, tmp_path / "other", package, "--verbose")
    assert "this spelling is old" in shown.stderr and "no fast path" in shown.stderr


@pytest.mark.slow
def test_a_fit_that_is_refused_before_it_began_leaves_no_folder(tmp_path: Path) -> None:
    package = Path(discovery.__file__).parents[2]
    done = fit(tmp_path / "none", tmp_path / "model", package)
    assert done.returncode == 1 and "There is no file or folder" in done.stderr and "Log:" not in done.stderr
    assert not (tmp_path / "model").exists()
