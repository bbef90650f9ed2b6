"""``headstart cache``: what the store holds is listed as it is, and only what was asked for is removed."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest
import torch

from headstart.cli.shell import run
from headstart.features import shelves
from headstart.features.store import Store

Captured = pytest.CaptureFixture[str]
DAY = 86400.0


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three shelves, last used now, 3 and 20 days ago."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    store = Store(tmp_path / "store", origin="photos/")
    made = {
        "inputs": (0.0, store.shelf(what="inputs", size=32)),
        "pooled": (3.0, store.shelf(network_name="a/b", what="pooled", preprocessing={"size": 32})),
        "cut2": (20.0, store.shelf(network_name="a/b", what="cut2", preprocessing={"size": 32})),
    }
    for days, shelf in made.values():
        shelf.put(["a", "b"], {"x": torch.zeros(2, 5000)})
        shelf.put(["b", "c"], {"x": torch.zeros(2, 5000)})
        os.utime(shelf.folder, (time.time() - days * DAY,) * 2)
    return tmp_path


def test_shelves_are_listed_with_what_a_person_calls_them(cache: Path, capsys: Captured) -> None:
    (cache / "hf" / "hub").mkdir(parents=True)
    (cache / "hf" / "hub" / "weights").write_bytes(b"0" * 3_000_000)
    assert run(["cache", "ls"]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert "3 shelves" in lines[0] and all(len(line) <= 79 for line in lines if str(cache) not in line)
    assert "pixels, 32 pixels" in told and "activations after stage 2" in told and "3 days ago" in told
    assert "3.0 MB" in told and str(cache / "hf" / "hub") in told
    assert run(["cache", "ls", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["shelves"]
    assert [row["items"] for row in rows] == [3, 3, 3], "an item that is in two shards counts once"
    assert {row["data"] for row in rows} == {"photos/"}
    own = {str(path.parent): 0 for path in cache.glob("store/*/key.json")}
    assert {row["folder"]: row["bytes"] for row in rows} == {
        folder: sum(path.stat().st_size for path in Path(folder).iterdir()) for folder in own
    }


def test_listing_does_not_count_as_use(cache: Path) -> None:
    before = [one.used for one in shelves.held()]
    assert [one.used for one in shelves.held()] == before
    assert before == sorted(before, reverse=True)


def test_nothing_is_removed_without_yes(cache: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["cache", "prune", "--all"]) == 0
    assert "would be removed; --yes removes them" in capsys.readouterr().out
    assert len(shelves.held()) == 3
    assert run(["cache", "prune", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == 0 and len(shelves.held()) == 3


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--older-than", "7d"], ["pixels", "features"]),
        (["--older-than", "48h"], ["pixels"]),
        (["--older-than", "30d"], ["pixels", "features", "activations"]),
        (["--down-to", "100kB"], ["pixels"]),
        (["--down-to", "200kB"], ["pixels", "features"]),
        (["--down-to", "0B"], []),
        (["--all"], []),
    ],
)
def test_what_was_asked_for_goes_and_the_rest_stays(
    cache: Path, capsys: Captured, words: list[str], left: list[str]
) -> None:
    (cache / "runs").mkdir()
    assert run(["cache", "prune", *words, "--yes"]) == 0
    assert [one.what for one in shelves.held()] == left
    assert (cache / "runs").is_dir()
    assert capsys.readouterr().out.startswith(f"Removed {3 - len(left)} shel")


@pytest.mark.parametrize(
    "words",
    [
        ["prune"],
        ["prune", "--all", "--older-than", "1d"],
        ["prune", "--older-than", "soon"],
        ["prune", "--down-to", "2"],
        ["list"],
        ["ls", "--all"],
    ],
)
def test_an_unclear_wish_is_refused(cache: Path, capsys: Captured, words: list[str]) -> None:
    assert run(["cache", *words]) == 2
    assert len(shelves.held()) == 3
    assert "Expected" in capsys.readouterr().err


def test_a_damaged_shelf_is_listed_and_can_go(cache: Path, capsys: Captured) -> None:
    for path in cache.glob("store/*/*"):
        path.write_bytes(b"\xff" * 10)
    assert run(["cache"]) == 0
    assert [one.items for one in shelves.held()] == [0, 0, 0]
    assert run(["cache", "prune", "--all", "-y"]) == 0
    assert shelves.held() == []
    capsys.readouterr()


def test_an_empty_cache_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "none"))
    assert run(["cache"]) == 0 and run(["cache", "prune", "--all", "--yes"]) == 0
    assert "0 B in 0 shelves" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
