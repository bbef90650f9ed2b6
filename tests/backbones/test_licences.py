"""What a licence's name says, in one sentence where it matters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from timm.models import get_pretrained_cfg, list_pretrained

from headstart.backbones import licences
from tests.backbones.networks import info


def warned(licence: str) -> str:
    return licences.warning(replace(info(), name="timm/net", licence=licence))


@pytest.mark.parametrize("licence", ["Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0", "none"])
def test_free_licences_need_no_word(licence: str) -> None:
    assert warned(licence) == ""


@pytest.mark.parametrize(
    ("licence", "words"),
    [
        ("CC-BY-NC-4.0", "forbid commercial use"),
        ("cc-by-nc-sa-2.0", "forbid commercial use"),
        ("fair-noncommercial-research-license", "forbid commercial use"),
        ("apple-amlr", "research only"),
        ("creativeml-openrail-m", "restrict what they may be used for"),
        ("AGPL-3.0", "the same licence"),
        ("dinov3-license", "terms of their own"),
        ("gemma", "terms of their own"),
        ("unknown", "unknown"),
    ],
)
def test_the_others_are_said_in_words(licence: str, words: str) -> None:
    assert words in warned(licence)
    assert "timm/net" in warned(licence)


def test_names_are_written_one_way() -> None:
    assert licences.named("apache-2.0") == "Apache-2.0"
    assert licences.named("cc-by-nc-4.0") == "CC-BY-NC-4.0"
    assert [licences.named(text) for text in (None, "", " other ", "unknown")] == ["unknown"] * 4
    assert licences.named("dinov3-license") == "dinov3-license"


def test_every_licence_of_the_library_is_free_or_said() -> None:
    found = {licences.named(get_pretrained_cfg(name).license) for name in list_pretrained()}
    assert {licence for licence in found if not warned(licence)} <= {"Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0"}
