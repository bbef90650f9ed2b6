"""The page's own files: vendored libraries are what they are said to be, and nothing is fetched from elsewhere."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from headstart.studio.routes import page

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "headstart" / "studio" / "page"
VENDOR = FOLDER / "vendor"
STATED = json.loads((VENDOR / "versions.json").read_text())
OWN = [
    path for path in FOLDER.rglob("*") if path.suffix in (".js", ".css", ".html", ".svg") and VENDOR not in path.parents
]


def test_every_vendored_file_is_stated_and_unchanged():
    assert set(STATED) == {path.name for path in VENDOR.glob("*.mjs")} == set(page.LIBRARIES.values())
    for name, about in STATED.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == about["sha256"]
        assert (VENDOR / f"{about['package']}.LICENSE").read_text().strip()


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere_or_put_in_as_html(path):
    text = path.read_text()
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
    assert addresses == set()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML", "document.write", "eval("):
        assert word not in text


def test_modules_import_only_what_is_there():
    for path in FOLDER.rglob("*.js"):
        for name in re.findall(r'from "([^"]+)"', path.read_text()):
            assert name in page.LIBRARIES or (path.parent / name).is_file(), f"{path.name} imports {name}"


def test_the_page_is_in_the_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["headstart"]
    assert "studio/page/**/*" in declared


def test_files_stay_small():
    assert {
        path.name: len(path.read_text().splitlines()) for path in OWN if len(path.read_text().splitlines()) > 400
    } == {}


def test_the_command_says_what_is_wrong_with_its_port_and_folder(tmp_path):
    for words, told in ((["--port", "99999"], "cannot be listened to"), (["nowhere"], "no folder")):
        done = subprocess.run(
            [sys.executable, "-m", "headstart", "studio", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2 - (told == "no folder") and told in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("library", ["uvicorn", "fastapi"])
def test_a_missing_library_is_named_with_the_extra_that_brings_it(library):
    code = f"import sys; sys.modules[{library!r}] = None; from headstart.cli import run; sys.exit(run(['studio']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "pip install 'headstart[serve]'" in done.stderr
