"""The public face: one sorted list, lazily fetched, and light."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import headstart
from tests.house.direction import ROW

ROOT = Path(__file__).parents[2]

PUBLIC = [
    "HeadstartError",
    "Model",
    "TransferClassifier",
    "TransferFeatures",
    "TransferRegressor",
    "__version__",
    "describe_backbone",
    "evaluate",
    "export",
    "findings",
    "fit",
    "inspect",
    "list_backbones",
    "load",
    "pack_backbones",
    "plan_fit",
    "pretrain_backbone",
    "rank_backbones",
    "report",
    "serve",
    "track_run",
]
"""What users may rely on. A change here is a change of the interface: it belongs in CHANGELOG.md."""

HEAVY = ("torch", "torchvision", "timm", "numpy", "pandas", "sklearn", "PIL", "transformers")


def modules_after(code: str) -> set[str]:
    """Top-level modules loaded in a fresh process once the code has run."""
    report = "; import sys; print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True, cwd="/")
    return set(done.stderr.split())


def test_the_public_names_are_the_documented_ones_in_order() -> None:
    assert headstart.__all__ == PUBLIC == sorted(PUBLIC)
    assert dir(headstart) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves(name: str) -> None:
    value = getattr(headstart, name)
    assert value is getattr(headstart, name)
    assert name == "__version__" or value.__name__ == name
    assert name == "__version__" or value.__doc__


def test_no_public_name_is_a_rooms_name() -> None:
    # ``import headstart.data.images`` binds ``headstart.data`` to the module, whatever was there before.
    assert set(PUBLIC) & set(ROW) == set()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="fitt"):
        _ = headstart.fitt  # type: ignore[attr-defined]
    assert not hasattr(headstart, "images")


def test_the_version_is_that_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert headstart.__version__ == project["version"]


def test_importing_headstart_loads_nothing_heavy() -> None:
    assert modules_after("import headstart; headstart.__version__").isdisjoint(HEAVY)


def test_its_errors_can_be_caught_without_loading_anything_heavy() -> None:
    assert modules_after("import headstart; headstart.HeadstartError").isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["vocabulary", "errors", "work", "discovery", "files", "seeds", "progress"])
def test_the_vocabulary_loads_nothing_heavy(module: str) -> None:
    assert modules_after(f"import headstart.base.{module}").isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["fit", "--help"], ["predict", "--help"]])
def test_help_and_version_load_no_torch(arguments: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["headstart", *{arguments!r}]
from headstart.cli import run
try:
    status = run()
except SystemExit as end:
    status = end.code
assert not status, status
"""
    loaded = modules_after(code.strip() + "\nNone")
    assert loaded.isdisjoint({"torch", "torchvision", "timm", "sklearn"})
