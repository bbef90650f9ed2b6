"""The built wheel, installed elsewhere, works from any folder and brings its own backbones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # From a copy: a build folder left in the tree would leak files that were since deleted into the wheel.
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "headstart", source / "headstart", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", built, cwd=source)
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment that has the wheel, and this environment's libraries but not its source."""
    folder = tmp_path_factory.mktemp("elsewhere") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=wheel.parent)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=wheel.parent)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=wheel.parent).strip())
    # A path line adds the folder but does not read the .pth files in it, so an editable install stays out.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if not name.split("/")[0].endswith(".dist-info")}
    files = {path for path in (ROOT / "headstart").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert inside == {path.relative_to(ROOT).as_posix() for path in files}


def test_the_wheel_carries_its_licence_and_its_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = {name.split("/", 1)[1]: name for name in archive.namelist() if ".dist-info/" in name}
    assert "Apache License" in archive.read(names["licenses/LICENSE"]).decode()
    assert "headstart = headstart.cli:run" in archive.read(names["entry_points.txt"]).decode()


def test_embedded_weights_are_in_the_wheel_and_small(wheel: Path) -> None:
    weights = [each for each in zipfile.ZipFile(wheel).infolist() if each.filename.endswith(".safetensors")]
    assert weights
    assert all(each.file_size > 100_000 for each in weights)
    assert wheel.stat().st_size < 60 * 2**20


def test_the_command_runs_from_another_folder(elsewhere: Path, tmp_path: Path) -> None:
    where = run(elsewhere / "python", "-c", "import headstart; print(headstart.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(elsewhere.parent)
    version = run(elsewhere / "python", "-c", "import headstart; print(headstart.__version__)", cwd=tmp_path).strip()
    assert version in run(elsewhere / "headstart", "--version", cwd=tmp_path)
    assert version in run(elsewhere / "python", "-m", "headstart", "--version", cwd=tmp_path)


def test_the_installed_command_lists_its_embedded_backbones(elsewhere: Path, tmp_path: Path) -> None:
    listed = json.loads(run(elsewhere / "headstart", "backbones", "--search", "embedded", "--json", cwd=tmp_path))
    text = json.dumps(listed)
    assert "embedded/" in text


def test_the_installed_package_loads_an_embedded_backbone(elsewhere: Path, tmp_path: Path) -> None:
    code = """
import torch
from headstart.backbones import catalogue, embedded
name = "embedded/" + embedded.names()[0]
backbone = catalogue.load(name)
size = backbone.info.preprocessing.size
with torch.inference_mode():
    print(backbone(torch.zeros(2, 3, size, size, dtype=torch.uint8)).shape[0])
"""
    assert run(elsewhere / "python", "-c", code, cwd=tmp_path).strip() == "2"
