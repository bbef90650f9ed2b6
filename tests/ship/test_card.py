"""The card says what a person must know, and whatever a label or a file is called stays text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headstart.base.manifest import Manifest
from headstart.ship import card
from headstart.tasks import classification

TASK = classification.learn(["daisy", "rose"])


def manifest(**values: Any) -> Manifest:
    fields: dict[str, Any] = {
        "schema_version": 3,
        "familiar": None,
        "unmeasured": "nobody did",
        "headstart": "0.1.0",
        "created": "2026-01-01T00:00:00+00:00",
        "task": "classification",
        "kind": "network",
        "modality": "images",
        "names": ["daisy", "rose"],
        "target": {},
        "preprocessing": {
            "size": 224,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "crop": 0.95,
        },
        "backbone": {
            "name": "timm/resnet18.a1_in1k",
            "architecture": "timm/resnet18",
            "stages": ["stem", "layer1", "layer2"],
            "taps": [3],
            "depth": 2,
            "licence": "apache-2.0",
            "source": "ImageNet-1k",
            "digest": "0" * 64,
        },
        "head": {"width": 512, "outputs": 2},
        "baseline": None,
        "temperature": 1.25,
        "libraries": {"torch": "2.11"},
        "data": {
            "understood": "A folder of 2 class subfolders",
            "parts": {"train": 64, "val": 16, "test": 20},
            "counts": {"daisy": {"train": 30, "val": 10, "test": 10}, "rose": 50},
            "skipped": [{"where": "a.jpg", "why": "it is empty"}],
            "notes": ["2 copies were dropped"],
        },
        "training": {
            "strategy": "partial",
            "seed": 1,
            "flips": False,
            "options": {"depth": 3},
            "notes": ["Flips are off"],
        },
        "evidence": [
            {
                "name": "majority",
                "kind": "baseline",
                "scores": {"accuracy": {"value": 0.5, "low": 0.3, "high": 0.7}},
                "seconds": 0.1,
                "trainable": 0,
                "serving_ms": 0.0,
                "status": "measured",
                "detail": {},
            }
        ],
        "verdict": {"sentence": "Transfer helped: 92.0 % against 60.0 %."},
        "metrics": {"accuracy": {"value": 0.92, "low": 0.85, "high": 0.97}},
        "golden": {"origin": "generated", "count": 8, "tolerance": 0.001},
        "files": {},
    }
    return Manifest.model_validate_json(json.dumps({**fields, **values}))


def test_it_has_everything_a_reader_needs() -> None:
    text = card.render(manifest(), TASK, name="flowers")
    for needed in (
        "# flowers",
        "daisy, rose",
        "apache-2.0",
        "ImageNet-1k",
        "Transfer helped: 92.0 % against 60.0 %.",
        "train 64, val 16, test 20",
        "daisy 50, rose 50",
        "a.jpg: it is empty",
        "2 copies were dropped",
        "frozen: the first 2",
        "Strategy: partial",
        "Flips: no",
        "Options: depth 3",
        "- Flips are off",
        "92.0 % (85.0 to 97.0)",
        "| majority | baseline |",
        "## Limits",
        "headstart predict flowers new/",
    ):
        assert needed in text, needed


def test_the_front_matter_is_yaml_that_the_hub_reads() -> None:
    text = card.render(manifest(), TASK, name="flowers")
    _, front, _ = text.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.splitlines())
    assert json.loads(fields["license"]) == "apache-2.0"
    assert json.loads(fields["pipeline_tag"]) == "image-classification"
    assert "headstart" in json.loads(fields["tags"])


def test_nothing_skipped_is_said() -> None:
    assert "Nothing was skipped." in card.render(manifest(data={}), TASK, name="m")


def test_long_lists_are_cut_and_counted() -> None:
    skipped = [{"where": f"{i}.jpg", "why": "broken"} for i in range(30)]
    text = card.render(manifest(data={"skipped": skipped}), TASK, name="m")
    assert "Skipped, 30 in all" in text and "and 10 more" in text and "25.jpg" not in text


def test_cross_validated_scores_are_called_that() -> None:
    text = card.render(manifest(verdict={"tested": False}, data={"cross_validated": True}), TASK, name="m")
    assert "With 95 % intervals, cross-validated." in text and "test part" not in text.split("## Scores")[1]


def test_a_baseline_is_called_one() -> None:
    values = {"kind": "baseline", "backbone": None, "head": None, "baseline": {"name": "pixels", "state": {}}}
    text = card.render(manifest(**values), TASK, name="m")
    assert "without a network, `pixels`" in text and "license" not in text


@pytest.mark.parametrize(
    "hostile", ["<script>x</script>", "a|b", "![x](http://e)", "a\n# b", "`rm`", "---\nlicense: x"]
)
def test_hostile_names_stay_text(hostile: str) -> None:
    described = manifest(names=[hostile, "b"], data={"skipped": [{"where": hostile, "why": "x"}]})
    text = card.render(described, TASK, name="m")
    assert "<script" not in text and "](http" not in text.replace("\\]", "")
    assert "\n# b" not in text and "\nlicense: x" not in text
    assert text.count("\n---\n") == 1


@pytest.mark.parametrize(("tested", "part"), [(50, "validation"), (0, "test")])
def test_it_says_which_part_cross_validation_stands_in_for(tested: int, part: str) -> None:
    data = {"cross_validated": True, "parts": {"train": 60, "val": 0, "test": tested}}
    assert f"Too few items for a {part} part" in card.render(manifest(data=data), TASK, name="model")


def test_what_was_found_in_the_data_is_said() -> None:
    found = "Serious: The width alone tells the class in 100% of the cases"
    text = card.render(
        manifest(data={"understood": "A folder", "skipped": [], "findings": [found]}), TASK, name="flowers"
    )
    assert f"- {found}" in text.split("## How it was made")[0]
