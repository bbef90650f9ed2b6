"""How items become inputs comes back from its record and its files as it was, or is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from headstart.base import hashes, readings
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Preprocessing, Tokenization

PICTURES = Preprocessing(32, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "nearest", 0.9)
CONTENT = b'{"version": "1.0"}'
TEXTS = Tokenization(256, hashes.of_bytes(CONTENT), overlap=8, windows=4, content=CONTENT)


class Record(BaseModel):
    preprocessing: readings.ReadingRecord


@pytest.mark.parametrize("reading", [PICTURES, TEXTS], ids=["pictures", "texts"])
def test_it_comes_back_as_it_was(reading: Preprocessing | Tokenization, tmp_path: Path) -> None:
    for name, content in readings.beside(reading).items():
        (tmp_path / name).write_bytes(content)
    text = Record(preprocessing=readings.recorded(reading)).model_dump_json()
    record = Record.model_validate_json(text).preprocessing
    found = readings.restored(record, lambda name: (tmp_path / name).read_bytes())
    assert found == reading
    assert getattr(found, "content", b"") == getattr(reading, "content", b"")
    assert [path.name for path in tmp_path.iterdir()] == (["tokenizer.json"] if reading is TEXTS else [])


def test_another_tokenizer_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"tokenizer\.json is not the one"):
        readings.restored(readings.recorded(TEXTS), lambda name: CONTENT + b" ")


def test_a_tokenizer_that_is_not_at_hand_is_not_written() -> None:
    with pytest.raises(WeightsError, match=r"tokenizer\.json is missing"):
        readings.beside(Tokenization(256, ""))
    with pytest.raises(WeightsError, match="not the one"):
        readings.beside(Tokenization(256, "0" * 64, content=CONTENT))


@pytest.mark.parametrize(
    ("reading", "changes", "place"),
    [
        (PICTURES, {"size": 10**9}, "size"),
        (PICTURES, {"std": [0, 1, 1]}, "std"),
        (TEXTS, {"length": 10**9}, "length"),
        (TEXTS, {"windows": 0}, "windows"),
        (TEXTS, {"digest": "../../etc/passwd"}, "digest"),
        (TEXTS, {"reader": "program"}, "reader"),
        (TEXTS, {"size": 32}, "size"),
    ],
)
def test_absurd_records_are_refused(reading: Preprocessing | Tokenization, changes: dict, place: str) -> None:
    data = {**readings.recorded(reading).model_dump(), **changes}
    with pytest.raises(ValidationError) as caught:
        Record.model_validate_json(json.dumps({"preprocessing": data}))
    assert place in caught.value.errors()[0]["loc"]


def test_it_is_said_in_words() -> None:
    assert PICTURES.words == "32 x 32 pixels, nearest resizing, centre crop 0.9"
    assert TEXTS.words == "windows of up to 256 tokens, up to 4 of a text"
    assert PICTURES.resized(64).size == 64
    assert TEXTS.resized(64).size == 64
