"""How items become inputs, as it is stored: plain data for a record, and files that lie beside the weights.

A tokenizer is a file of its own (``tokenizer.json``), so that other tools read it too; the record has its digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from headstart.base import hashes
from headstart.base.errors import WeightsError
from headstart.base.vocabulary import Preprocessing, Reading, Tokenization

FILES: Mapping[str, str] = {"pieces": "tokenizer.json", "words": "words.txt", "characters": "characters.json"}
"""Reader of a ``Tokenization`` -> the name of the file that its content is."""
LARGEST = 256 * 2**20
"""Bytes of such a file beyond which it is refused."""


_PICTURE, _TEXT = "(picture)", "(text)"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PreprocessingRecord(_Record):
    """``Preprocessing`` as it is stored; bounds keep a hostile folder from asking for absurd inputs."""

    size: Annotated[int, Field(ge=1, le=4096)]
    mean: tuple[float, float, float]
    std: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    interpolation: Literal["nearest", "bilinear", "bicubic"]
    crop: Annotated[float, Field(gt=0, le=1)]

    @classmethod
    def of(cls, value: Preprocessing) -> PreprocessingRecord:
        """From the vocabulary."""
        return cls.model_validate_json(json.dumps(value.as_dict()))

    def value(self) -> Preprocessing:
        """To the vocabulary."""
        return Preprocessing.from_dict(self.model_dump())


class TokenizationRecord(_Record):
    """``Tokenization`` as it is stored, its content in a file beside it."""

    length: Annotated[int, Field(ge=1, le=65536)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reader: Literal["pieces", "words", "characters"]
    overlap: Annotated[int, Field(ge=0, le=65536)]
    windows: Annotated[int, Field(ge=1, le=4096)]

    @classmethod
    def of(cls, value: Tokenization) -> TokenizationRecord:
        """From the vocabulary."""
        return cls.model_validate_json(json.dumps(value.as_dict()))

    def value(self) -> Tokenization:
        """To the vocabulary, without the content: ``restored`` gives it with the content."""
        return Tokenization.from_dict(self.model_dump())


def _kind(data: Any) -> str:
    reader = data.get("reader") if isinstance(data, Mapping) else getattr(data, "reader", None)
    return _TEXT if reader is not None else _PICTURE


ReadingRecord = Annotated[
    Annotated[PreprocessingRecord, Tag(_PICTURE)] | Annotated[TokenizationRecord, Tag(_TEXT)], Discriminator(_kind)
]
"""A field of a stored record that says how items become inputs."""


def place(path: Sequence[int | str]) -> str:
    """Where in a record an error is, as its author would name it."""
    return ".".join(str(step) for step in path if step not in (_PICTURE, _TEXT))


def recorded(reading: Reading) -> PreprocessingRecord | TokenizationRecord:
    """What a record says of a reading; its files are ``beside``."""
    if isinstance(reading, Tokenization):
        return TokenizationRecord.of(reading)
    return PreprocessingRecord.of(reading)


def beside(reading: Reading) -> dict[str, bytes]:
    """The files that belong beside the weights: name -> content; none for pictures.

    Raises:
        WeightsError: when the content is not at hand, or not what its digest says.
    """
    if not isinstance(reading, Tokenization):
        return {}
    name = FILES[reading.reader]
    if hashes.of_bytes(reading.content) != reading.digest:
        raise WeightsError(
            f"{name} is not the one that the network was trained with" if reading.content else f"{name} is missing",
            expected=f"SHA-256 {reading.digest[:16]}…" if reading.digest else "",
            next_move="load the backbone with its weights, which brings it",
        )
    return {name: reading.content}


def restored(
    record: PreprocessingRecord | TokenizationRecord, read: Callable[[str], bytes], *, where: str = ""
) -> Reading:
    """Inverse of ``recorded`` and ``beside``.

    Args:
        record: what was stored.
        read: name of a file beside it -> its bytes.
        where: the folder, for messages.

    Raises:
        WeightsError: when the file is not the described one; whatever ``read`` raises.
    """
    value = record.value()
    if not isinstance(value, Tokenization):
        return value
    name = FILES[value.reader]
    content = read(name)
    if len(content) > LARGEST or hashes.of_bytes(content) != value.digest:
        raise WeightsError(
            f"{name} is not the one that the description was written for",
            where=where,
            expected=f"SHA-256 {value.digest[:16]}…, found {hashes.of_bytes(content)[:16]}…",
            next_move="copy or make the folder again",
        )
    return Tokenization.from_dict(value.as_dict(), content)
