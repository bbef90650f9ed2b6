"""Files stay short, functions shorter, and nothing swallows errors, prints or unpickles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.shape import LONGEST_BODY, LONGEST_FILE, body_lines, forbidden, functions, too_long, undocumented

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "headstart").rglob("*.py"))
EVERYTHING = [
    *PACKAGE,
    *(path for part in ("tests", "examples", "benchmarks", "docs") for path in (ROOT / part).rglob("*.py")),
]


def test_no_file_is_long() -> None:
    assert [fault for path in EVERYTHING for fault in too_long(path)] == []


def test_most_files_are_under_400_lines() -> None:
    sizes = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE)
    assert sizes[int(0.9 * len(sizes))] < 400


def test_19_of_20_functions_have_a_body_under_35_lines() -> None:
    bodies = [(body_lines(function), f"{path}: {function.name}") for path in PACKAGE for function in functions(path)]
    long = sorted(body for body in bodies if body[0] >= LONGEST_BODY)
    assert len(long) <= 0.05 * len(bodies), long


def test_nothing_forbidden_is_in_the_package() -> None:
    faults = [fault for path in PACKAGE for fault in forbidden(path, prints="cli" in path.parts)]
    assert faults == []


def test_everything_public_is_typed_and_documented() -> None:
    assert [fault for path in PACKAGE for fault in undocumented(path)] == []


def test_no_file_has_an_unfinished_mark() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "raise Not" + "Implemented")
    assert [
        (str(path), mark) for path in EVERYTHING for mark in marks if mark in path.read_text(encoding="utf-8")
    ] == []


BAD = {
    "star": "from os.path import *\n",
    "print": "print(1)\n",
    "assert": "assert 1\n",
    "pickle": "import pickle\npickle.loads(b'')\n",
    "pickle, by another name": "import pickle as data\n",
    "pickle, in a function": "def f():\n    from pickle import load\n    return load\n",
    "joblib": "import joblib\njoblib.load('a')\n",
    "torch.load": "import torch\ntorch.load('a')\n",
    "torch.load, told not to be safe": "import torch\ntorch.load('a', weights_only=False)\n",
    "torch.save": "import torch\ntorch.save({}, 'a')\n",
    "read_pickle": "import pandas as pd\npd.read_pickle('a')\n",
    "np.load": "import numpy as np\nnp.load('a', allow_pickle=True)\n",
    "eval": "eval('1')\n",
    "swallowed": "try:\n    f()\nexcept ValueError:\n    pass\n",
    "swallowed with dots": "try:\n    f()\nexcept ValueError:\n    ...\n",
}


@pytest.mark.parametrize("case", BAD)
def test_a_forbidden_construct_is_found(tmp_path: Path, case: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(BAD[case])
    assert len(forbidden(path)) == 1


def test_safe_loading_and_printing_where_allowed_are_not_flagged(tmp_path: Path) -> None:
    path = tmp_path / "good.py"
    source = "import pickle\nimport torch\ntry:\n    print(torch.load('a', weights_only=True))\n"
    path.write_text(source + "except pickle.UnpicklingError:\n    print(1)\n")
    assert forbidden(path, prints=True) == []


def test_lengths_are_counted_without_the_docstring(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text('def f():\n    """One.\n\n    Two.\n    """\n' + "    a = 1\n" * 40 + "\n" * LONGEST_FILE)
    assert [body_lines(function) for function in functions(path)] == [40]
    assert len(too_long(path)) == 1


def test_missing_words_and_types_are_found(tmp_path: Path) -> None:
    path = tmp_path / "bare.py"
    path.write_text("def f(a, *b, c: int) -> int:\n    return a\n\n\nclass A:\n    def g(self):\n        return 1\n")
    faults = " ".join(undocumented(path))
    for expected in ("module without", "f without a docstring", "type of a, b", "A without", "g without", "its result"):
        assert expected in faults


def test_what_is_private_needs_types_but_no_docstring(tmp_path: Path) -> None:
    path = tmp_path / "private.py"
    path.write_text('"""One."""\n\n\ndef _f(a: int) -> int:\n    return a\n\n\ndef _g(a):\n    return a\n')
    assert undocumented(path) == [f"{path}:8: _g without the type of a, its result"]
