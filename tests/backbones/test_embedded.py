"""What ships in the package is described, complete, and not mistaken for anything else."""

from __future__ import annotations

import time

import pytest
import torch

from headstart.backbones import embedded
from headstart.base.errors import BadOption, UnknownName, WeightsError
from tests.backbones.networks import noise


@pytest.fixture
def shipped(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    """A package with one embedded backbone of our own making."""
    from headstart.backbones.folder import DESCRIPTION, WEIGHTS, write_folder

    made = embedded.load("resnet10-4-8", weights=False, seed=3)
    write_folder(made, tmp_path / "made", {"command": "none"})
    weights = tmp_path / "weights"
    weights.mkdir()
    (tmp_path / "made" / DESCRIPTION).rename(weights / "tiny.json")
    (tmp_path / "made" / WEIGHTS).rename(weights / "tiny.safetensors")
    (weights / "README.md").write_text("not a backbone")
    monkeypatch.setattr(embedded, "_shipped", lambda: weights)
    embedded.names.cache_clear()
    yield weights, made
    embedded.names.cache_clear()


def test_a_pair_of_files_is_a_backbone(shipped) -> None:  # type: ignore[no-untyped-def]
    _, made = shipped
    assert embedded.names() == ("tiny",)
    info = embedded.describe("tiny")
    assert (info.name, info.architecture, info.width, info.local) == ("embedded/tiny", "embedded/resnet10-4-8", 8, True)
    backbone = embedded.load("tiny")
    assert backbone.digest() == made.digest()
    assert backbone.info.name == "embedded/tiny"
    assert embedded.load("tiny", weights=False, seed=3).info.source == "random initialisation"


def test_damage_is_noticed(shipped) -> None:  # type: ignore[no-untyped-def]
    weights, _ = shipped
    path = weights / "tiny.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="not those"):
        embedded.load("tiny")
    (weights / "tiny.json").write_text("{")
    with pytest.raises(WeightsError, match="description"):
        embedded.describe("tiny")


def test_a_package_without_weights_has_no_names(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(embedded, "_shipped", lambda: tmp_path / "nothing")
    embedded.names.cache_clear()
    assert embedded.names() == ()
    embedded.names.cache_clear()


@pytest.mark.parametrize("name", embedded.names())
def test_what_ships_works_and_says_what_it_was_trained_on(name: str) -> None:
    begun = time.monotonic()
    backbone = embedded.load(name)
    assert time.monotonic() - begun < 5
    assert "generated patterns" in backbone.info.source
    assert "no photographs" in backbone.info.source
    with torch.no_grad():
        trained = backbone.pooled(noise(backbone.info.preprocessing.size))
        fresh = backbone.fresh(0).pooled(noise(backbone.info.preprocessing.size))
    assert all(torch.isfinite(features).all() for features in trained)
    assert not torch.allclose(trained[0], fresh[0])


def test_a_bare_architecture_never_passes_for_trained() -> None:
    with pytest.raises(UnknownName):
        embedded.load("resnet10")
    backbone = embedded.load("resnet10", weights=False)
    assert backbone.info.source == "random initialisation"
    assert backbone.info.width == 384
    assert embedded.architecture((48, 96, 192, 384)) == "embedded/resnet10"
    assert embedded.load("resnet10-4-8", weights=False).info.architecture == embedded.architecture((4, 8))


@pytest.mark.parametrize("name", ["resnet11", "resnet10-", "resnet10-0", "resnet10-99999", "../resnet10", ""])
def test_other_names_are_unknown(name: str) -> None:
    with pytest.raises(UnknownName):
        embedded.load(name, weights=False)


def test_a_name_says_its_architecture_itself() -> None:
    with pytest.raises(BadOption):
        embedded.load("resnet10", weights=False, architecture="timm/resnet18")


def test_building_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (embedded.load("resnet10-4-8", weights=False, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.digest() == same.digest() == other.fresh(1).digest() != other.digest()


def test_group_norm_is_part_of_the_name() -> None:
    assert embedded.architecture((8, 16), 4) == "embedded/resnet10g4-8-16"
    grouped = embedded.load("resnet10g4-8-16", weights=False, seed=1)
    kinds = {type(module).__name__ for module in grouped.module.modules()}
    assert "GroupNorm" in kinds
    assert "BatchNorm2d" not in kinds
    assert grouped.info.width == 16
    assert embedded.describe("resnet10g4-8-16").name == "embedded/resnet10g4-8-16"
    for wrong in ("resnet10g3-8-16", "resnet10g0-8-16"):
        with pytest.raises(UnknownName):
            embedded.load(wrong, weights=False)
