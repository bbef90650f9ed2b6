"""A tokenizer is a file: tokenizer.json as it is, older files made into one, programs refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones import catalogue, matching, snapshot
from headstart.base.errors import WeightsError
from headstart.data import texts
from tests.backbones import textual

pytest.importorskip("transformers")


def read(folder: Path, text: str) -> list[int]:
    reading = catalogue.load(f"local:{folder}").info.preprocessing
    return (texts.load(text, reading)[0, :, 0] - 1).tolist()


@pytest.mark.parametrize("family", ["bert", "gpt2", "roberta"])
def test_older_files_become_the_same_tokenizer(family: str, tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net", family)
    expected = read(folder, "the cat sat on the mat")
    textual.without_tokenizer_json(folder)
    assert read(folder, "the cat sat on the mat") == expected
    assert not (folder / "tokenizer.json").exists(), "the folder is left as it was"


def test_a_published_limit_of_the_tokenizer_file_does_not_cut_texts(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    assert '"max_length": 8' in (folder / "tokenizer.json").read_text()
    assert len(read(folder, "the cat sat on the mat and a dog ran over the hill")) == 15


def test_foreign_scripts_are_read_by_a_unigram_model(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net", "xlm-roberta")
    reading = catalogue.load(f"local:{folder}").info.preprocessing
    found = [texts.load(text, reading) for text in ("die katze saß", "猫が座った", "القط على الحصيرة", "кот сидел")]
    unknown = 3 + 1
    assert all(np.mean(each[..., 0] == unknown) < 0.3 for each in found)
    assert len({each.tobytes() for each in found}) == 4


def test_none_at_all_is_said(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net", tokenizer=False)
    with pytest.raises(WeightsError, match="has no tokenizer") as caught:
        catalogue.load(f"local:{folder}")
    assert "tokenizer.json" in caught.value.expected


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"version": "1.0", "model": {"type": "Program"}}'])
def test_a_damaged_one_is_said(content: str, tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net")
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(WeightsError, match=r"tokenizer\.json cannot be read"):
        catalogue.load(f"local:{folder}")


def test_a_program_is_never_run(tmp_path: Path) -> None:
    folder = textual.without_tokenizer_json(textual.save(tmp_path / "net"))
    (folder / "evil.py").write_text("raise SystemExit('executed')\n")
    said = {"auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}, "tokenizer_class": "EvilTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    assert len(read(folder, "the cat sat")) == 5
    (folder / "vocab.txt").unlink()
    (folder / "spiece.model").write_bytes(b"\x80\x04cposix\nsystem\n")
    with pytest.raises(WeightsError, match=r"cannot be made into tokenizer\.json"):
        read(folder, "the cat sat")


def test_lower_case_is_seen_to_where_the_encoder_asks_for_it(tmp_path: Path) -> None:
    folder = textual.save(tmp_path / "net", "gpt2")
    plain = snapshot.of_folder(folder)
    lowered = snapshot.Snapshot(plain.name, plain.get, plain.has, lower=True)
    first, second = (snapshot.load(one).info.preprocessing for one in (plain, lowered))
    assert not np.array_equal(texts.load("THE CAT", first), texts.load("the cat", first))
    assert np.array_equal(texts.load("THE CAT", second), texts.load("the cat", first))
    assert matching.reach(second, "") == matching.reach(first, "")
