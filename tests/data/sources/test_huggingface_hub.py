"""hf:owner/name, against a hub in a process of its own; the library reads where the hub is when it is imported."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backbones.published import client
from tests.data.sources.test_huggingface import trees

pytest.importorskip("datasets")

CODE = """
import json
from headstart.base.errors import HeadstartError
from headstart.data.opening import open_source
from headstart.data.pixels import to_rgb
try:
    table = open_source(NAME)
    size = to_rgb(table.items[-1]).size
    print(json.dumps({"said": table.understood, "labels": table.labels, "parts": table.parts, "size": size}))
except HeadstartError as error:
    print(json.dumps(error.as_dict()))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub with a data set of Parquet files, a gated one, and one that only a program could read."""
    root = tmp_path_factory.mktemp("hub")
    for name in ("trees", "gated-trees", "scripted"):
        (root / "someone" / name / "data").mkdir(parents=True)
        (root / "someone" / name / "README.md").write_text("---\nlicense: mit\n---\n# Trees\n")
    for name in ("trees", "gated-trees"):
        trees().to_parquet(root / "someone" / name / "data" / "train-00000-of-00001.parquet")
        trees(9, 100).to_parquet(root / "someone" / name / "data" / "test-00000-of-00001.parquet")
    (root / "someone/scripted/scripted.py").write_text("raise SystemExit('a program of a data set ran')\n")
    script = Path(__file__).with_name("hubserver.py")
    process = subprocess.Popen([sys.executable, str(script), str(root)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def opened(name: str, home: Path, url: str, **environment: str) -> dict:
    done = client(CODE.replace("NAME", repr(name)), home, url, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_data_set_of_the_hub_and_again_without_it(hub: str, tmp_path: Path) -> None:
    found = opened("hf:someone/trees", tmp_path, hub)
    assert found["labels"][:3] == ["oak", "ash", "elm"]
    assert (found["parts"].count("test"), found["size"]) == (9, [8, 6])
    assert "hf:someone/trees: Hugging Face data set with 39 rows (train 30, test 9)" in found["said"]
    for environment in ({"HF_HUB_OFFLINE": "1"}, {}):  # told so, or found out in seconds
        assert opened("hf:someone/trees", tmp_path, "http://127.0.0.1:9", **environment) == found


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_is_said_in_seconds(tmp_path: Path) -> None:
    start = time.monotonic()
    found = opened("hf:someone/trees", tmp_path, "http://127.0.0.1:9")
    assert "someone/trees cannot be fetched: 127.0.0.1 cannot be reached" in found["what"]
    assert "save_to_disk" in found["next"]
    assert time.monotonic() - start < 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "move"),
    [
        ("hf:someone/tree", "has no data set someone/tree", ""),
        ("hf:someone/gated-trees", "gated", "hf auth login"),
        ("hf:someone/scripted", "cannot be read", ""),
        ("hf:someone/trees:winter", "cannot be read", ""),
    ],
)
def test_what_the_hub_does_not_give(name: str, words: str, move: str, hub: str, tmp_path: Path) -> None:
    found = opened(name, tmp_path, hub)
    assert found["error"] == "BadSource"
    assert words in found["what"]
    assert move in found["next"]
    assert "a program of a data set ran" not in str(found)
