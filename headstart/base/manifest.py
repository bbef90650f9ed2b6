"""The manifest of a sealed model: one JSON file that says what every other file of the folder is, and must be.

``read`` trusts nothing: the manifest is parsed strictly against the schema below, file names must be plain names
inside the folder, and the digest of every listed file must match. Nothing in the folder is ever executed.

A change of the schema raises ``SCHEMA_VERSION`` and adds one function to ``MIGRATIONS``, so that every older folder
still opens; a folder from a newer headstart is refused with the version it needs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from headstart.base import hashes, readings
from headstart.base.errors import ModelFolderError
from headstart.base.readings import PreprocessingRecord, ReadingRecord, TokenizationRecord
from headstart.base.vocabulary import BackboneInfo, Evidence, Interval, Kind

SCHEMA_VERSION = 4
"""What this headstart writes, and the newest it reads."""

NAME = "manifest.json"
WEIGHTS = "weights.safetensors"
GOLDEN = "golden.safetensors"
DOUBT = "doubt.safetensors"
"""What tells how far an answer can be believed; only where there is such a thing."""
CARD = "MODEL_CARD.md"
REPORT = "report.html"
"""Written anew whenever somebody asks for it, so it is not among the files that the manifest lists."""


def _with_a_task(data: dict[str, Any]) -> dict[str, Any]:
    """From 1 to 2: until then every model was a classifier, and had classes where now any task has its names."""
    data["names"] = data.pop("classes", None)
    data["target"] = {}
    head = data.get("head")
    if isinstance(head, dict):
        data["head"] = {("outputs" if key == "classes" else key): value for key, value in head.items()}
    return data


def _with_doubt(data: dict[str, Any]) -> dict[str, Any]:
    """From 2 to 3: until then nothing was kept that tells familiar items from others."""
    return {**data, "familiar": None, "unmeasured": "the model was sealed before headstart measured it"}


def _with_texts(data: dict[str, Any]) -> dict[str, Any]:
    """From 3 to 4: until then every model read pictures, and what was said of them is said in the same words."""
    return data


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _with_a_task,
    2: _with_doubt,
    3: _with_texts,
}
"""Schema version n -> a pure function from a manifest of version n to one of version n + 1."""

LARGEST = 64 * 2**20
"""Bytes of manifest beyond which a folder is refused unread."""

_ARCHITECTURE = re.compile(r"[a-z][a-z0-9_]*/[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!-]{0,31}")

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class FileRecord(_Record):
    """One file of the folder.

    Attributes:
        sha256: of its bytes.
        size: bytes.
    """

    sha256: Digest
    size: Count


class ScoreRecord(_Record):
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


class BackboneRecord(_Record):
    """The network below the head.

    Attributes:
        name: the pretrained network it started from.
        architecture: catalogue name that rebuilds the network without weights.
        stages: names of its numbered stages, input first.
        taps: stages (from 1) whose pooled features the head reads.
        depth: stages that stayed frozen.
        licence, source: of the weights it started from.
        digest: of the tensors in this folder.
        config: what the architecture is built from, where its name alone does not say it.
    """

    name: str
    architecture: str
    stages: tuple[str, ...]
    taps: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    depth: Count
    licence: str
    source: str
    digest: Digest
    config: dict[str, JsonValue] | None = None

    @field_validator("architecture")
    @classmethod
    def _names_no_path(cls, value: str) -> str:
        if not _ARCHITECTURE.fullmatch(value):
            raise ValueError("must be a plain provider/architecture name")
        return value


class HeadRecord(_Record):
    """The linear layer on top: features in, the task's outputs out."""

    width: Annotated[int, Field(ge=1)]
    outputs: Annotated[int, Field(ge=1)]


class BaselineRecord(_Record):
    """A model without a network: the baseline's name and the plain part of its state."""

    name: str
    state: dict[str, JsonValue]


class EvidenceRecord(_Record):
    """One row of the evidence table."""

    name: str
    kind: Kind
    scores: dict[str, ScoreRecord]
    seconds: float
    trainable: Count
    serving_ms: float
    status: str
    detail: dict[str, JsonValue]

    @classmethod
    def of(cls, row: Evidence) -> EvidenceRecord:
        """From the vocabulary."""
        scores = {
            name: ScoreRecord(value=float(score.value), low=float(score.low), high=float(score.high))
            for name, score in row.scores.items()
            if math.isfinite(score.value) and math.isfinite(score.low) and math.isfinite(score.high)
        }
        return cls(
            name=row.name,
            kind=row.kind,
            scores=scores,
            seconds=float(row.seconds),
            trainable=int(row.trainable),
            serving_ms=float(row.serving_ms),
            status=row.status,
            detail=plain(row.detail),
        )

    def value(self) -> Evidence:
        """To the vocabulary."""
        scores = {name: Interval(score.value, score.low, score.high) for name, score in self.scores.items()}
        return Evidence(
            self.name, self.kind, scores, self.seconds, self.trainable, self.serving_ms, self.status, self.detail
        )


class GoldenRecord(_Record):
    """The examples that a load replays.

    Attributes:
        origin: "generated", or "own" for the user's own items.
        count: how many.
        tolerance: largest allowed difference of a probability.
    """

    origin: Literal["generated", "own"]
    count: Annotated[int, Field(ge=1)]
    tolerance: Annotated[float, Field(gt=0, le=0.01)]


class FamiliarRecord(_Record):
    """How an item is told to be unlike the training data.

    Attributes:
        stages: stages (from 1) whose pooled features are compared.
        line: distance to the nearest of them above which an item is unfamiliar.
        rate: share of familiar items that is expected above it, with the 95 % interval of what it may be.
        held_out: items that the line was drawn on.
        compared_with: training items whose features are kept.
    """

    stages: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    line: Positive
    rate: ScoreRecord
    held_out: Annotated[int, Field(ge=1)]
    compared_with: Annotated[int, Field(ge=1)]


class Manifest(_Record):
    """Everything a sealed model says about itself.

    Attributes:
        headstart: version that wrote it.
        created: ISO 8601 time, with its zone.
        kind: "network", or "baseline" for a model without one.
        task: plug-in that says what the outputs mean.
        names: of the predictions' columns: classes, labels, or the one target.
        preprocessing: how items become inputs; None where a model without a network reads them as they are.
        target: what the task keeps besides them, such as a scale.
        temperature: outputs are divided by it before the softmax.
        libraries: versions it was made with.
        data: how the source was understood: digest, split, counts, skipped items.
        training: how it was made: strategy, seed, budget, seconds, options.
        metrics: its own test scores, or cross-validated ones.
        familiar: how unfamiliar items are told; None where they are not.
        unmeasured: why they are not; "" if they are.
        files: every other file that belongs to the model.
        seal: digest of the manifest without this field; golden examples cannot see class names that were swapped.
    """

    schema_version: int
    headstart: str
    created: str
    task: str
    kind: Literal["network", "baseline"]
    modality: str
    names: Annotated[tuple[str, ...], Field(min_length=1)]
    target: dict[str, JsonValue]
    preprocessing: ReadingRecord | None
    backbone: BackboneRecord | None
    head: HeadRecord | None
    baseline: BaselineRecord | None
    temperature: Positive
    libraries: dict[str, str]
    data: dict[str, JsonValue]
    training: dict[str, JsonValue]
    evidence: tuple[EvidenceRecord, ...]
    verdict: dict[str, JsonValue]
    metrics: dict[str, ScoreRecord]
    golden: GoldenRecord
    familiar: FamiliarRecord | None
    unmeasured: str
    files: dict[str, FileRecord]
    seal: str = ""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Manifest:
        if len(set(self.names)) != len(self.names):
            raise ValueError("names must differ from each other")
        if self.familiar is not None and self.kind == "baseline":
            raise ValueError("a baseline model has no features for 'familiar' to compare")
        if self.kind == "baseline":
            if self.baseline is None:
                raise ValueError("a baseline model needs 'baseline'")
            return self
        if self.backbone is None or self.head is None or self.preprocessing is None:
            raise ValueError("a network model needs 'backbone', 'head' and 'preprocessing'")
        return self

    def reading(self) -> PreprocessingRecord | TokenizationRecord:
        """How items become inputs.

        Raises:
            ModelFolderError: for a model that reads them as they are.
        """
        if self.preprocessing is None:
            what = self.baseline.name if self.baseline is not None else "the model"
            raise ModelFolderError(f"There are no inputs to be made: {what} reads the {self.modality} themselves")
        return self.preprocessing

    def info(self) -> BackboneInfo | None:
        """The backbone in the vocabulary's words; None for a baseline."""
        if self.backbone is None or self.head is None or self.preprocessing is None:
            return None
        return BackboneInfo(
            name=self.backbone.name,
            architecture=self.backbone.architecture,
            parameters=0,
            stages=self.backbone.stages,
            width=self.head.width,
            preprocessing=self.preprocessing.value(),
            licence=self.backbone.licence,
            source=self.backbone.source,
            local=True,
            modality=self.modality,
            config=self.backbone.config,
        )


def plain(data: Any) -> Any:
    """Plain JSON data out of what runs carry: numpy scalars and arrays, paths, tuples, intervals, not-a-numbers."""
    if hasattr(data, "as_dict"):
        data = data.as_dict()
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple | set | frozenset):
        return [plain(value) for value in data]
    if hasattr(data, "tolist"):
        return plain(data.tolist())
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if data is None or isinstance(data, bool | int | str):
        return data
    return str(data)


def sealed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's plain data with its seal."""
    rest = {key: value for key, value in data.items() if key != "seal"}
    return {**rest, "seal": hashes.of_data(rest)}


def is_model(folder: str | Path) -> bool:
    """True if the folder looks like a sealed model; ``read`` says whether it is a good one."""
    return (Path(folder) / NAME).is_file()


def read(folder: str | Path) -> Manifest:
    """Read and check a model folder: schema, file names, sizes and digests.

    Raises:
        ModelFolderError: naming the file and what is wrong with it.
    """
    folder = Path(folder)
    manifest = _parse(folder)
    needed = [name for name in (WEIGHTS, GOLDEN) if name not in manifest.files]
    if needed:
        raise ModelFolderError(
            f"The manifest does not list {needed[0]}", where=str(folder / NAME), next_move=_COPY_AGAIN
        )
    for name, record in manifest.files.items():
        _check(_inside(folder, name), record)
    data = json.loads((folder / NAME).read_text(encoding="utf-8"))
    if sealed(data)["seal"] != data.get("seal"):
        raise ModelFolderError("The manifest was edited", where=str(folder / NAME), next_move=_COPY_AGAIN)
    return manifest


def migrate(
    data: dict[str, Any],
    *,
    to: int = SCHEMA_VERSION,
    migrations: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MIGRATIONS,
) -> dict[str, Any]:
    """Bring a manifest forward to schema version ``to``, one version at a time.

    Raises:
        ModelFolderError: for a version that is newer, or that nothing leads on from.
    """
    version = data.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ModelFolderError(
            "The manifest has no schema version", where=NAME, expected=f"schema_version from 1 to {to}"
        )
    if version > to:
        writer = data.get("headstart")
        known = isinstance(writer, str) and _VERSION.fullmatch(writer)
        raise ModelFolderError(
            f"This model has schema version {version}" + (f", written by headstart {writer}" if known else ""),
            where=NAME,
            expected=f"schema version {to} or older, which is what this headstart reads",
            next_move=f"pip install 'headstart>={writer}'" if known else "install a newer headstart",
        )
    while version < to:
        if version not in migrations:
            raise ModelFolderError(f"Nothing reads schema version {version} any more", where=NAME)
        data = migrations[version](dict(data))
        version += 1
        data["schema_version"] = version
    return data


_COPY_AGAIN = "copy the whole folder again, or fit again with --overwrite"


def _parse(folder: Path) -> Manifest:
    path = folder / NAME
    if not folder.is_dir():
        raise ModelFolderError(
            "This is a file, not a model folder" if folder.exists() else "There is no such model folder",
            where=str(folder),
            expected="the folder that headstart fit wrote (-o)",
        )
    if not path.is_file():
        raise ModelFolderError(
            f"This folder has no {NAME}, so it is not a finished model",
            where=str(folder),
            expected="the folder that headstart fit wrote (-o)",
            next_move="finish an interrupted fit with --resume" if (folder / "run").is_dir() else "",
        )
    try:
        if path.stat().st_size > LARGEST:
            raise ModelFolderError(f"The manifest is larger than {LARGEST >> 20} MB", where=str(path))
        data = json.loads(_inside(folder, NAME).read_bytes(), parse_constant=_no_constant)
        if not isinstance(data, dict):
            raise ModelFolderError("The manifest is not a JSON object", where=str(path), next_move=_COPY_AGAIN)
        return Manifest.model_validate_json(json.dumps(migrate(data)))
    except ValidationError as error:
        raise ModelFolderError(_told(error), where=str(path), next_move=_COPY_AGAIN) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFolderError(
            f"The manifest cannot be read: {error}", where=str(path), next_move=_COPY_AGAIN
        ) from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _told(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    texts = []
    for entry in found[:3]:
        place = readings.place(entry["loc"])
        texts.append((f"{place}: " if place else "") + entry["msg"].removeprefix("Value error, "))
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return "The manifest is not as it should be: " + "; ".join(texts) + more


def _inside(folder: Path, name: str) -> Path:
    if not name or name != Path(name).name or "\\" in name or "\x00" in name or name.startswith("."):
        raise ModelFolderError(
            f"The manifest names {name!r}, which is no plain file name", where=str(folder), expected="names without /"
        )
    path = folder / name
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise ModelFolderError(f"{name} is a link that leads out of the folder", where=str(folder))
    return path


def _check(path: Path, record: FileRecord) -> None:
    if not path.is_file():
        raise ModelFolderError(f"{path.name} is missing", where=str(path.parent), next_move=_COPY_AGAIN)
    try:
        size = path.stat().st_size
        digest = hashes.of_file(path) if size == record.size else ""
    except OSError as error:
        raise ModelFolderError(f"{path.name} cannot be read: {error.strerror or error}", where=str(path)) from error
    if size != record.size:
        raise ModelFolderError(
            f"{path.name} has {size:,} bytes", where=str(path), expected=f"{record.size:,} bytes", next_move=_COPY_AGAIN
        )
    if digest != record.sha256:
        raise ModelFolderError(
            f"{path.name} was changed after it was sealed",
            where=str(path),
            expected=f"SHA-256 {record.sha256[:16]}…, found {digest[:16]}…",
            next_move=_COPY_AGAIN,
        )
