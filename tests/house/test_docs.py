"""What the pages say is what the code does."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from headstart.base import discovery
from headstart.cli import shell
from tests import pages
from tests.house.direction import ROW

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks(README, "sh") for line in block.splitlines() if line.startswith("headstart ")]


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return pages.script("generate")


def test_generated_pages_say_what_the_code_says(generate: ModuleType) -> None:
    assert [path.name for path in generate.stale()] == [], "run make docs"


def test_a_stale_page_is_noticed(generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setattr(generate, "pages", lambda: {page: "new\n"})
    assert list(generate.stale()) == [page]
    page.write_text("old\n")
    assert list(generate.stale()) == [page]
    page.write_text("new\n")
    assert list(generate.stale()) == []


def test_the_readme_prints_the_tree_as_it_is() -> None:
    printed = README.split("<!-- tree:begin -->")[1].split("<!-- tree:end -->")[0]
    shown = dict(re.findall(r"^  ([\w.]+)/?  +(\S.*)$", printed, re.MULTILINE))
    package = ROOT / "headstart"
    real = {path.name for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(shown) == real
    assert set(ROW) <= {name.removesuffix(".py") for name in shown}
    assert all(len(line) > 15 for line in shown.values())


def test_the_changelog_begins_with_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == version


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_a_page_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = re.findall(r"`((?:headstart|tests|benchmarks|docs|examples|base|cli)/[\w/]+\.\w+)`", text)
    if page.name == "CONTRIBUTING.md":
        named = [name for name in named if f"`{name}`" not in re.findall(r"^`.*?`", text, re.MULTILINE)]
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / "headstart" / name).exists()] == []


def test_the_architecture_page_stays_a_map() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_readme_shows_commands() -> None:
    verbs = {shlex.split(command)[1] for command in COMMANDS}
    assert verbs >= {"fit", "predict", "evaluate", "backbones"}


def documented_commands() -> list[str]:
    """Every command that a page or a verb's own help shows."""
    found = list(COMMANDS)
    for plugin in discovery.plugins("cli").values():
        lines = (inspect.getdoc(plugin.load()) or "").splitlines()
        found += [line.strip() for line in lines if line.startswith("    headstart ")]
    return found


@pytest.mark.parametrize("shown", documented_commands())
def test_a_command_that_is_shown_parses(shown: str) -> None:
    words = shlex.split(shown, comments=True)[1:]
    for end in ("|", "<", ">", ">>"):
        words = words[: words.index(end)] if end in words else words
    verb, *rest = words
    parsed = shell.command(discovery.load("cli", verb), verb).make_context(verb, rest)
    assert parsed.params


def test_a_command_that_does_not_parse_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        shell.command(discovery.load("cli", "fit"), "fit").make_context("fit", ["photos/", "--bakcbone", "x"])


@pytest.mark.parametrize("word", ["demo", "test", "check", "docs", "bench"])
def test_the_makefile_knows_its_words(word: str) -> None:
    done = subprocess.run(["make", "-n", word], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"make {word} " in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory, write_shapes: Callable[..., Path]) -> Path:
    """A folder that has what the README's examples name."""
    folder = tmp_path_factory.mktemp("newcomer")
    photos = write_shapes(folder / "photos", per_class=12)
    for number, name in enumerate(("a.jpg", "b.jpg")):
        from PIL import Image

        Image.open(sorted(photos.rglob("*.png"))[number * 20]).save(folder / name)
    return folder


@pytest.mark.slow
def test_the_readmes_python_runs(newcomer: Path) -> None:
    code = "\n".join(blocks(README, "python"))
    assert "hs.fit" in code
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=newcomer, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert "checks" in done.stdout
