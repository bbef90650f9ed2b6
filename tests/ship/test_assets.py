"""The charting library that reports bring along: which one, and that nobody changed it."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from headstart.base import hashes

ASSETS = resources.files("headstart.ship").joinpath("assets")
LISTED = json.loads(ASSETS.joinpath("assets.json").read_text(encoding="utf-8"))


def test_every_file_is_listed() -> None:
    there = {each.name for each in ASSETS.iterdir()} - {"assets.json"}
    assert there == {name for entry in LISTED for name in (entry["file"], entry["licence_file"])}


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_a_library_is_the_published_one(entry: dict[str, str]) -> None:
    body = ASSETS.joinpath(entry["file"]).read_bytes()
    assert hashes.of_bytes(body) == entry["sha256"]
    assert f"v{entry['version']} ".encode() in body[:200]
    assert "\r" not in body.decode() and "</script" not in body.decode().lower()
    assert "Permission to use" in ASSETS.joinpath(entry["licence_file"]).read_text(encoding="utf-8")
