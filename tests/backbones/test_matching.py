"""A tokenizer that was not made for its network is refused before it reads anything, wherever the folder is from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.backbones import catalogue, folder, matching, tokenizer
from headstart.base import hashes
from headstart.base.errors import HeadstartError, ModelFolderError, Undecodable, WeightsError
from headstart.ship.sealed import load
from tests import small, topics
from tests.backbones import textual
from tests.ship import sealed_texts
from tests.ship.conftest import resealed

Change = Callable[[dict[str, Any]], None]


def vocabulary(made: dict[str, Any]) -> None:
    made["model"]["vocab"]["oven"] = 5000


def beyond_32_bits(made: dict[str, Any]) -> None:
    made["model"]["vocab"]["oven"] = 2**32 - 1


def frame(made: dict[str, Any]) -> None:
    made["post_processor"]["special_tokens"]["[CLS]"]["ids"] = [7000]


def frame_of_another_kind(made: dict[str, Any]) -> None:
    also = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 7000]}
    made["post_processor"] = {"type": "Sequence", "processors": [made["post_processor"], also]}


def hidden_by_the_normaliser(made: dict[str, Any]) -> None:
    """Nothing that a probing text says reaches the vocabulary, but one word does."""
    made["normalizer"] = {"type": "Replace", "pattern": {"Regex": "^(?!oven).*"}, "content": ""}
    made["model"]["vocab"]["oven"] = 5000


def second_of_a_pair(made: dict[str, Any]) -> None:
    made["post_processor"]["pair"][3]["Sequence"]["type_id"] = 9


def long_frame(made: dict[str, Any]) -> None:
    made["post_processor"]["single"][:0] = [made["post_processor"]["single"][0]] * 60


def broken(made: dict[str, Any]) -> None:
    """The library panics over it."""
    made["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}


HOSTILE: dict[str, tuple[Change, str]] = {
    "vocabulary": (vocabulary, r"does not match the network: it has tokens up to number 5,000"),
    "beyond 32 bits": (beyond_32_bits, r"up to number 4,294,967,295"),
    "frame": (frame, r"up to number 7,000"),
    "frame of another kind": (frame_of_another_kind, r"up to number 7,000"),
    "hidden": (hidden_by_the_normaliser, r"up to number 5,000"),
    "second of a pair": (second_of_a_pair, r"numbers the texts of a pair up to 9"),
    "long frame": (long_frame, r"no room for a text"),
    "broken": (broken, r"tokenizer\.json cannot be read"),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed model, its backbone as transformers saves it, and as headstart does."""
    where = tmp_path_factory.mktemp("originals")
    sealed_texts.sealed(where / "model", where / "net")
    folder.write_folder(catalogue.load(f"local:{where / 'net'}"), where / "own", {})
    return where


def forged(place: Path, change: Change) -> None:
    file = place / tokenizer.FILE
    made = json.loads(file.read_text())
    change(made)
    file.write_text(json.dumps(made))
    if (place / "backbone.json").exists():
        told = json.loads((place / "backbone.json").read_text())
        told["preprocessing"]["digest"] = hashes.of_file(file)
        (place / "backbone.json").write_text(json.dumps(told))
    if (place / "manifest.json").exists():
        resealed(place, lambda told: told["preprocessing"].update(digest=hashes.of_file(file)))


@pytest.mark.parametrize("kind", ["model", "net", "own"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_tokenizer_with_numbers_that_the_network_has_no_place_for(
    kind: str, case: str, originals: Path, tmp_path: Path
) -> None:
    change, told = HOSTILE[case]
    place = shutil.copytree(originals / kind, tmp_path / kind)
    forged(place, change)
    with pytest.raises(WeightsError, match=told):
        catalogue.load(f"local:{place}")
    if kind == "model":
        with pytest.raises(ModelFolderError, match=told):
            load(place)


@pytest.mark.parametrize("length, told", [(4, "no room for a text"), (60_000, "no positions for 60,000 tokens")])
def test_a_window_that_the_network_cannot_read(length: int, told: str, originals: Path, tmp_path: Path) -> None:
    place = shutil.copytree(originals / "model", tmp_path / "model")
    resealed(place, lambda told: told["preprocessing"].update(length=length))
    with pytest.raises(ModelFolderError, match=told):
        load(place)


@pytest.mark.parametrize("reader", ["words", "characters"])
def test_another_kind_of_reader_than_the_networks_own(reader: str, originals: Path, tmp_path: Path) -> None:
    place = shutil.copytree(originals / "model", tmp_path / "model")
    (place / "words.txt").write_text("a\nb")
    (place / "characters.json").write_text("{}")
    name = {"words": "words.txt", "characters": "characters.json"}[reader]

    def change(told: dict[str, Any]) -> None:
        told["preprocessing"].update(reader=reader, digest=hashes.of_file(place / name))
        told["files"][name] = {"sha256": hashes.of_file(place / name), "size": (place / name).stat().st_size}

    resealed(place, change)
    with pytest.raises(ModelFolderError, match="reads pieces of words"):
        load(place)


def test_what_is_asked_of_a_network_of_pictures() -> None:
    with pytest.raises(WeightsError, match="takes pictures"):
        small.backbone().check_reading(topics.backbone().info.preprocessing, "here")


def test_a_vocabulary_longer_than_its_table_of_vectors(tmp_path: Path) -> None:
    file = tmp_path / "some.vec"
    file.write_text("3 2\nthe 1 0\nsea 0 1\noven 1 1\n")
    folder.write_folder(catalogue.load(f"vectors/{file}"), tmp_path / "own", {})
    (tmp_path / "own" / "words.txt").write_text("the\nsea\noven\nmany\nmore")
    told = json.loads((tmp_path / "own" / "backbone.json").read_text())
    told["preprocessing"]["digest"] = hashes.of_file(tmp_path / "own" / "words.txt")
    (tmp_path / "own" / "backbone.json").write_text(json.dumps(told))
    with pytest.raises(WeightsError, match="it has 5 words"):
        catalogue.load(f"local:{tmp_path / 'own'}")


@pytest.mark.parametrize("family", textual.FAMILIES)
def test_tokenizers_that_belong_to_their_networks_are_taken(family: str, tmp_path: Path) -> None:
    backbone = catalogue.load(f"local:{textual.save(tmp_path / family, family)}")
    found = matching.reach(backbone.info.preprocessing, family)
    assert 0 < found.token < backbone.module.table().weight.shape[0]


def test_a_text_that_a_tokenizer_has_no_token_for_is_one_unreadable_item(originals: Path, tmp_path: Path) -> None:
    place = shutil.copytree(originals / "model", tmp_path / "model")
    forged(place, lambda made: made["model"].update(unk_token="[NONE]"))
    model = load(place)
    assert len(model.predict(["the oven", "zebra"], on_error="skip")) == 1
    with pytest.raises(Undecodable, match="tokenizer cannot read it") as caught:
        model.predict(["zebra"])
    assert isinstance(caught.value, HeadstartError)
