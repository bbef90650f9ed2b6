"""A backbone as a folder: ``weights.safetensors`` and ``backbone.json``, which says what they are.

One that reads texts has its tokenizer beside them (``tokenizer.json``); what its features look like over its own source
may be there too (``statistics.safetensors``). The same files, under the backbone's own name, are how the embedded
backbones ship. Nothing in a folder is executed; every file must have the digest that the description gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from headstart.backbones import catalogue, statistics, tensors
from headstart.backbones.chain import Backbone, untrained
from headstart.backbones.statistics import StatisticsRecord
from headstart.base import files, hashes, readings
from headstart.base.errors import HeadstartError, WeightsError
from headstart.base.manifest import plain
from headstart.base.readings import ReadingRecord
from headstart.base.vocabulary import BackboneInfo

DESCRIPTION = "backbone.json"
WEIGHTS = "weights.safetensors"
_ARCHITECTURE = re.compile(r"[a-z][a-z0-9_]*/[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_AGAIN = "copy or make the folder again"


class WeightsRecord(BaseModel):
    """The file of tensors.

    Attributes:
        sha256: of its bytes.
        bytes: its size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=1)]


class Record(BaseModel):
    """What ``backbone.json`` says.

    Attributes:
        architecture: catalogue name that builds the network without weights.
        config: what the architecture is built from, where its name alone does not say it.
        card: how it was made; plain data for people.
        statistics: the file of source statistics, if there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    architecture: str
    preprocessing: ReadingRecord
    stages: tuple[str, ...]
    width: Annotated[int, Field(ge=1)]
    parameters: Annotated[int, Field(ge=0)]
    licence: str
    source: str
    modality: str
    prior: float | None = None
    weights: WeightsRecord
    config: dict[str, JsonValue] | None = None
    card: dict[str, JsonValue] = {}
    statistics: StatisticsRecord | None = None

    @field_validator("architecture")
    @classmethod
    def _names_no_path(cls, value: str) -> str:
        if not _ARCHITECTURE.fullmatch(value):
            raise ValueError("must be a plain provider/architecture name")
        return value

    def info(self, name: str) -> BackboneInfo:
        """In the vocabulary's words."""
        return BackboneInfo(
            name=name,
            architecture=self.architecture,
            parameters=self.parameters,
            stages=self.stages,
            width=self.width,
            preprocessing=self.preprocessing.value(),
            licence=self.licence,
            source=self.source,
            local=True,
            prior=self.prior,
            modality=self.modality,
            config=self.config,
        )

    def backbone(
        self,
        name: str,
        data: bytes | None,
        *,
        seed: int = 0,
        known: bytes | None = None,
        read: Callable[[str], bytes] | None = None,
    ) -> Backbone:
        """Build the network, and fill it with the tensors in ``data``, the bytes of the weights file; None: with none.

        ``known`` are the bytes of the statistics file; ``read`` gives those of a tokenizer.

        Raises:
            WeightsError: when the bytes are not the described ones, or do not fit.
            UnknownName: when nothing builds the architecture.
        """
        built = catalogue.build(self.architecture, self.config, seed=seed)
        info = self.info(name)
        if read is not None:
            info = replace(info, preprocessing=readings.restored(self.preprocessing, read, where=name))
            built.check_reading(info.preprocessing, name)
        if data is None:
            return built.known_as(untrained(info))
        if hashes.of_bytes(data) != self.weights.sha256:
            raise WeightsError(
                "The weights are not those that the description was written for",
                where=name,
                expected=f"{self.weights.bytes:,} bytes with SHA-256 {self.weights.sha256[:16]}…, found {len(data):,}",
                next_move=_AGAIN,
            )
        tensors.fill(built.module, tensors.from_bytes(data, name), name)
        if self.statistics is not None and known is not None:
            if hashes.of_bytes(known) != self.statistics.sha256:
                raise WeightsError(
                    "The statistics of the source are not those that the description was written for",
                    where=name,
                    expected=f"{self.statistics.bytes:,} bytes, found {len(known):,}",
                    next_move=_AGAIN,
                )
            built.statistics = statistics.from_bytes(known, self.statistics, self.width, name)
        return built.known_as(info)


def parse(text: bytes, where: str) -> Record:
    """Read a description.

    Raises:
        WeightsError: saying what is wrong with it.
    """
    try:
        return Record.model_validate_json(text)
    except (ValidationError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "nested too deep"}
        place = readings.place(first["loc"])
        raise WeightsError(
            f"The description of the backbone is not as it should be: {place}: {first['msg']}",
            where=where,
            expected="schema version 1",
            next_move=_AGAIN,
        ) from error


def remove(path: str | Path) -> None:
    """Take a backbone's own files out of a folder, so that a half-made one is not mistaken for it."""
    for name in (DESCRIPTION, WEIGHTS, statistics.FILE, *readings.FILES.values()):
        (Path(path) / name).unlink(missing_ok=True)


def write_folder(
    backbone: Backbone, to: str | Path, card: Mapping[str, Any], *, dtype: torch.dtype | None = None
) -> None:
    """Write a backbone, and what is known of its source, as a folder that ``--backbone local:DIR`` reads.

    Args:
        backbone: its ``info`` is the description.
        to: the folder; made if need be, other files in it are left alone.
        card: how the weights were made; plain data.
        dtype: what the weights of convolutions and linear layers are stored in (``torch.float16`` halves the file);
            vectors (norms, their statistics, biases) stay as they are. None: everything stays.

    Raises:
        HeadstartError: when the folder cannot be written.
    """
    to = Path(to)
    tokenizer = readings.beside(backbone.info.preprocessing)
    state = {name: _stored(tensor, dtype) for name, tensor in backbone.module.state_dict().items()}
    data = safetensors.torch.save(state)
    info = backbone.info
    record = Record(
        schema_version=1,
        architecture=info.architecture,
        preprocessing=readings.recorded(info.preprocessing),
        stages=info.stages,
        width=info.width,
        parameters=info.parameters,
        licence=info.licence,
        source=info.source,
        modality=info.modality,
        prior=info.prior,
        config=None if info.config is None else plain(info.config),
        weights=WeightsRecord(sha256=hashes.of_bytes(data), bytes=len(data)),
        card=plain(card),
        statistics=None,
    )
    files.write_with(to / WEIGHTS, lambda path: path.write_bytes(data))
    for file, content in tokenizer.items():
        files.write_with(to / file, partial(_put, content))
    if backbone.statistics is None:
        (to / statistics.FILE).unlink(missing_ok=True)
    else:
        known = statistics.to_bytes(backbone.statistics)
        record = record.model_copy(update={"statistics": described(backbone.statistics, known)})
        files.write_with(to / statistics.FILE, lambda path: path.write_bytes(known))
    files.write_json(to / DESCRIPTION, json.loads(record.model_dump_json()))


def described(found: statistics.Statistics, data: bytes) -> StatisticsRecord:
    """What a description says of statistics and their file."""
    return StatisticsRecord(
        sha256=hashes.of_bytes(data),
        bytes=len(data),
        items=found.items,
        kept=len(found.sample),
        precision="bf16" if found.precision == "bf16" else "float32",
    )


def _put(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _stored(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    if dtype and tensor.is_floating_point() and tensor.dim() > 1:
        tensor = tensor.to(dtype)
    tensor = tensor.detach().cpu()
    # Tied tensors and views would be refused by the format: each gets its own bytes.
    return tensor.clone(memory_format=torch.contiguous_format)


def read_folder(path: str | Path, *, weights: bool = True, seed: int = 0) -> Backbone:
    """Load a backbone from its folder.

    Raises:
        WeightsError: when a file is missing, edited, truncated, leads out of the folder, or does not fit.
    """
    path = Path(path)
    record = parse(inside(path, DESCRIPTION), str(path / DESCRIPTION))
    data = inside(path, WEIGHTS) if weights else None
    known = inside(path, statistics.FILE) if weights and record.statistics is not None else None
    name = f"local:{path}"
    try:
        return record.backbone(name, data, seed=seed, known=known, read=lambda file: inside(path, file))
    except WeightsError:
        raise
    except HeadstartError as error:
        raise WeightsError(f"The network cannot be built: {error.what}", where=name, expected=error.expected) from error


def describe_folder(path: str | Path) -> BackboneInfo:
    """What a backbone's folder says it is.

    Raises:
        WeightsError: when its description or its tokenizer is missing or damaged.
    """
    path = Path(path)
    record = parse(inside(path, DESCRIPTION), str(path / DESCRIPTION))
    reading = readings.restored(record.preprocessing, lambda file: inside(path, file), where=str(path))
    return replace(record.info(f"local:{path}"), preprocessing=reading, local=(path / WEIGHTS).is_file())


def inside(path: Path, name: str) -> bytes:
    """The bytes of a file of a folder.

    Raises:
        WeightsError: when it cannot be read, or is a link that leads elsewhere.
    """
    file = path / name
    if file.is_symlink() and not file.resolve().is_relative_to(path.resolve()):
        raise WeightsError(f"{name} is a link that leads out of the folder", where=str(path), next_move=_AGAIN)
    try:
        return file.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{name} cannot be read: {error.strerror or error}", where=str(path), next_move=_AGAIN
        ) from error
