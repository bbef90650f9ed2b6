"""The import direction holds, and the test of it has been seen to fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.house.direction import ROW, violations

PACKAGE = Path(__file__).parents[2] / "headstart"

# A file to plant (path, source) and a piece of the sentence that has to come back.
SEEDED = {
    "upward": ("data/planted.py", "from headstart.engine.loop import train\n", "upward: data may not know engine"),
    "upward to the top": (
        "measure/planted.py",
        "import headstart.cli.fit as fit\n",
        "upward: measure may not know cli",
    ),
    "sideways": ("tune/planted.py", "from headstart.rank.logme import score\n", "sideways: tune may not know rank"),
    "sideways, upper row": ("ship/planted.py", "from headstart.diagnose import leakage\n", "sideways"),
    "inside a function": (
        "features/planted.py",
        "def late():\n    from headstart.tune.full import plan\n    return plan\n",
        "upward: features may not know tune",
    ),
    "inside a method": (
        "base/planted.py",
        "class A:\n    def late(self):\n        import headstart.data.images as images\n        return images\n",
        "upward: base may not know data",
    ),
    "for type checking only": (
        "tasks/planted.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from headstart.backbones.chain import Backbone\n",
        "upward: tasks may not know backbones",
    ),
    "relative": ("rank/planted.py", "from ..engine.loop import train\n", "upward: rank may not know engine"),
    "relative, from a sub-room": (
        "data/sources/planted.py",
        "from ...features.store import Store\n",
        "upward: data may not know features",
    ),
    "into a sub-room": (
        "backbones/planted.py",
        "from headstart.data.sources.folder import open\n",
        "sideways: backbones may not know data",
    ),
    "from a nested sub-room": (
        "adapt/domain/planted.py",
        "from headstart.tune.full import plan\n",
        "sideways: adapt may not know tune",
    ),
    "a room reaching api": (
        "choose/planted.py",
        "from headstart.api.fitting import fit\n",
        "upward: choose may not know api",
    ),
    "api reaching cli": ("api/planted.py", "from headstart.cli import run\n", "upward: api may not know cli"),
    "front door, from": ("engine/planted.py", "from headstart import fit\n", "front door"),
    "front door, a room": ("engine/planted.py", "from headstart import base\n", "front door"),
    "front door, plain": ("cli/planted.py", "import headstart\n", "front door"),
    "front door, dotted": ("choose/planted.py", "import headstart.base.errors\n", "front door"),
    "front door, relative": ("features/planted.py", "from .. import data\n", "front door"),
    "import_module": (
        "measure/planted.py",
        'import importlib\nimportlib.import_module("headstart.tasks.classification")\n',
        "upward: measure may not know tasks",
    ),
    "through discovery": (
        "tune/planted.py",
        'from headstart.base import discovery\ndiscovery.load("ship", "onnx")\n',
        "upward: tune may not know ship",
    ),
    "through discovery's function": (
        "features/planted.py",
        'from headstart.base.discovery import plugins\nplugins("baselines")\n',
        "upward: features may not know baselines",
    ),
    "a room for odds and ends": ("utils/planted.py", "VALUE = 1\n", "utils is no room"),
    "a file beside the rooms": ("helpers.py", "VALUE = 1\n", "helpers is no room"),
    "importing an unknown room": ("cli/planted.py", "from headstart.common.text import wrap\n", "in no room"),
    "an eager front door": ("__init__.py", "from headstart.api.fitting import fit\n", "the front door is lazy"),
    "an eager front door, relative": ("__init__.py", "from .api import fit\n", "the front door is lazy"),
    "__main__ past the command line": (
        "__main__.py",
        "from headstart.api.fitting import fit\n",
        "only start the command",
    ),
}

# What is allowed, so that the test does not forbid the house itself.
ALLOWED = {
    "downward": ("engine/planted.py", "from headstart.tune.full import plan\n"),
    "far downward": ("cli/planted.py", "from headstart.base.errors import HeadstartError\n"),
    "within a room": ("tune/planted.py", "from headstart.tune.full import plan\nfrom .full import plan as same\n"),
    "within a room, from a sub-room": ("data/sources/planted.py", "from ..images import decode\n"),
    "the file of a room, by its name": ("cli/planted.py", "import headstart.base.errors as errors\n"),
    "a lazy front door": (
        "__init__.py",
        "def __getattr__(name):\n    from headstart.api.fitting import fit\n    return fit\n",
    ),
    "somebody else's package": ("base/planted.py", "import headstarter\nfrom engine import fit\n"),
    "discovery downward": ("choose/planted.py", 'from headstart.base.discovery import load\nload("tune", "full")\n'),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("tree") / "headstart"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    return target


def judged(copy: Path, name: str, source: str) -> list[str]:
    """The violations that planting this file adds, and no others; the tree is put back."""
    before = set(violations(copy))
    path = copy / name
    old = path.read_text(encoding="utf-8") if path.exists() else None
    new_folders = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    try:
        return [fault for fault in violations(copy) if fault not in before]
    finally:
        path.unlink() if old is None else path.write_text(old, encoding="utf-8")
        for folder in new_folders:
            folder.rmdir()


def test_every_import_goes_down() -> None:
    assert violations(PACKAGE) == []


def test_every_room_has_a_row_and_every_row_a_room() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(ROW)


@pytest.mark.parametrize("case", SEEDED)
def test_a_seeded_violation_is_flagged(copy: Path, case: str) -> None:
    name, source, sentence = SEEDED[case]
    faults = judged(copy, name, source)
    assert len(faults) == 1
    assert faults[0].startswith(name)
    assert sentence in faults[0]


@pytest.mark.parametrize("case", ALLOWED)
def test_what_the_house_allows_is_not_flagged(copy: Path, case: str) -> None:
    assert judged(copy, *ALLOWED[case]) == []
