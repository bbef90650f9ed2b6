"""One name for every backbone: found, described, loaded; and a misspelt one answered."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from headstart.backbones import catalogue
from headstart.base import discovery
from headstart.base.errors import UnknownName


def test_every_provider_is_found_by_its_file() -> None:
    assert set(discovery.plugins("backbones")) >= {"embedded", "local", "timm", "torchvision"}


def test_search_finds_every_word_in_any_order() -> None:
    found = [info.name for info in catalogue.search("A1 resnet18")]
    assert found == ["timm/resnet18.a1_in1k"]
    assert all(info.name.startswith("torchvision/resnet") for info in catalogue.search("torchvision/resnet"))
    assert catalogue.search("no such thing anywhere") == []


def test_everything_is_listed_with_the_embedded_first() -> None:
    catalogue.search()
    begun = time.monotonic()
    found = catalogue.search()
    assert time.monotonic() - begun < 3
    assert len(found) > 1000
    names = [info.name for info in found]
    assert len(set(names)) == len(names)
    assert names == catalogue.all_names()
    providers = [name.split("/")[0] for name in names]
    others = sorted(set(providers) - set(catalogue.FIRST))
    assert providers == sorted(providers, key=[*catalogue.FIRST, *others].index)


def test_a_search_within_a_provider_imports_no_other() -> None:
    code = (
        "import sys\nfrom headstart.backbones import catalogue\n"
        "catalogue.search('embedded/')\nprint('timm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["timm/resnet18.a1_in1k", "torchvision/resnet18.IMAGENET1K_V1"])
def test_a_described_name_builds_the_same_network(name: str) -> None:
    info = catalogue.describe(name)
    assert info.name == name
    backbone = catalogue.load(info.architecture, weights=False)
    assert backbone.info.preprocessing == info.preprocessing
    assert backbone.info.architecture == info.architecture


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("resnet18", "resnet18."),
        ("timm/resnet18.a1_in2k", "timm/resnet18.a1_in1k"),
        ("torchvision/resnet18.IMAGENET1K", "torchvision/resnet18.IMAGENET1K_V1"),
        ("tim/resnet18.a1_in1k", "timm/resnet18.a1_in1k"),
    ],
)
def test_a_misspelt_name_is_answered_with_a_close_one(name: str, close: str) -> None:
    for function in (catalogue.load, catalogue.describe):
        with pytest.raises(UnknownName) as caught:
            function(name)
        assert any(close in known for known in caught.value.close), caught.value


@pytest.mark.parametrize("name", ["", "/", "timm/", "local/x", "catalogue/x", "chain/x"])
def test_no_name_at_all(name: str) -> None:
    with pytest.raises(UnknownName):
        catalogue.load(name)
