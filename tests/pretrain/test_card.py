"""The page that lies beside a source model: complete, and no name in it can pass for anything but a name."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from headstart.backbones import catalogue
from headstart.pretrain import card

MADE = {
    "method": "supervised",
    "seed": 4,
    "options": {"epochs": 3},
    "data": {"train": 10, "classes": ["a", "```\n# b", "<script>"]},
    "validation": {"accuracy": {"value": 0.75, "low": 0.5, "high": 0.9}},
    "findings": ["The source was *hardly* learnt"],
    "curve": [{"epoch": 1}],
    "fingerprint": [0.5],
}


@pytest.fixture
def page() -> str:
    info = catalogue.describe("embedded/resnet10-8-16")
    return card.render(replace(info, source="12 pictures | from [x](y)\n# z", licence="your own"), MADE)


def test_the_front_matter_is_yaml_and_says_whose_weights_these_are(page: str) -> None:
    _, front, _ = page.split("---\n", 2)
    assert yaml.safe_load(front)["license"] == "your own"


def test_what_was_measured_is_told_with_its_interval(page: str) -> None:
    assert "accuracy: 0.750 (95 % interval 0.500 to 0.900)" in page
    assert "hardly" in page


def test_how_it_was_made_can_be_read_back(page: str) -> None:
    block = page.split("```json\n")[1].split("\n```\n", maxsplit=1)[0]
    made = json.loads(block)
    assert made["options"] == {"epochs": 3}
    assert made["data"]["classes"] == MADE["data"]["classes"]
    assert "curve" not in made


def test_no_name_breaks_out_of_its_place(page: str) -> None:
    outside = page.replace(page.split("```json\n")[1].split("\n```\n", maxsplit=1)[0], "")
    assert "<script>" not in outside
    titles = [line for line in page.splitlines() if line.startswith("# ")]
    assert titles == ["# A backbone from 12 pictures \\| from \\[x\\](y) \\# z"]
    assert page.count("\n```") == 2


def test_health_is_told_in_words() -> None:
    info = catalogue.describe("embedded/resnet10-8-16")
    page = card.render(info, {"health": {"effective_rank": 41.27, "recognition": 0.5, "guessing": 0.01}})
    assert "dimensions in use (effective rank): 41.270" in page
    assert "## Found" not in page
