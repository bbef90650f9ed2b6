"""Sentence encoders by name: the installed one is checked file by file, none of its code runs."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.backbones import catalogue, installed, st
from headstart.base.errors import BadOption, UnknownName, WeightsError
from headstart.data import texts

transformers = pytest.importorskip("transformers")
NAME = "st/sentence-transformers/all-MiniLM-L6-v2"
SENTENCES = (
    "A cat sat on the mat.",
    "Sentence encoders turn texts into vectors, which a linear head can tell apart with few labels.",
    "naïve café — 東京 🙂",
    "word " * 180,
)
needs_encoder = pytest.mark.skipif(not installed.is_here(), reason="the extra text is not installed")


@needs_encoder
def test_the_installed_encoder_gives_the_masked_mean_of_its_library() -> None:
    backbone = catalogue.load(NAME)
    assert installed.PACKAGE.replace("-", "_") not in sys.modules, "its code is not imported"
    info = backbone.info
    assert (info.name, info.licence, info.preprocessing.length, info.width) == (NAME, "Apache-2.0", 256, 384)
    assert (info.modality, info.local, info.architecture) == ("texts", True, "hf/bert")
    folder = installed.folder()
    model = transformers.AutoModel.from_pretrained(folder).eval()
    reader = transformers.AutoTokenizer.from_pretrained(folder)
    told = reader(list(SENTENCES), padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**told).last_hidden_state
        mask = told["attention_mask"][..., None]
        wanted = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
        found = [backbone(torch.from_numpy(texts.load(each, info.preprocessing))[None]).numpy() for each in SENTENCES]
    assert np.abs(np.concatenate(found) - wanted).max() < 1e-5


@needs_encoder
def test_it_is_found_by_its_name_alone_listed_and_described() -> None:
    assert catalogue.describe("st/all-MiniLM-L6-v2").name == NAME
    assert NAME in catalogue.all_names(["st"])
    (info,) = [each for each in catalogue.search("minilm") if each.name == NAME]
    assert info.local
    assert "not by the network's authors" in info.notes[0]
    random = catalogue.load(NAME, weights=False, seed=1)
    assert random.info.source == "random initialisation"
    assert random.info.preprocessing.length == 256


@needs_encoder
@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "1_Pooling/config.json"])
def test_a_changed_file_is_refused_loudly(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "model"
    shutil.copytree(installed.folder(), copy, copy_function=lambda a, b: Path(b).symlink_to(a))  # type: ignore[arg-type]
    data = bytearray((copy / file).read_bytes())
    data[-2] ^= 1
    (copy / file).unlink()
    (copy / file).write_bytes(data)
    monkeypatch.setattr(installed, "folder", lambda: copy)
    with pytest.raises(
        WeightsError, match=f"{file} of the installed package {installed.PACKAGE} is not what"
    ) as caught:
        catalogue.load(NAME)
    assert installed.DIGESTS[file][:16] in caught.value.expected
    assert f"pip uninstall {installed.PACKAGE}" in caught.value.next_move


def test_without_the_package_it_is_one_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert not installed.is_here()
    assert installed.NAME not in st.names()
    with pytest.raises(WeightsError) as caught:
        catalogue.load(NAME)
    assert "headstart[text]" in caught.value.next_move


def test_names_that_are_no_repositories_and_an_architecture_are_refused() -> None:
    for name in ("../../etc/passwd", "a/b/c", "a/../b", "/etc", "a b/c", ""):
        with pytest.raises(UnknownName):
            st.load(name)
    with pytest.raises(BadOption, match="says its architecture itself"):
        st.load("acme/tiny", architecture="hf/bert")
