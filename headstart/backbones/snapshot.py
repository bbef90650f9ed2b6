"""Snapshots: folders and repositories as timm and transformers publish them, told apart by their config.json.

timm's names an ``architecture`` and carries its ``pretrained_cfg``; transformers' names a ``model_type`` and stands
beside a ``preprocessor_config.json`` where it reads pictures, beside a tokenizer where it reads texts. Weights are read
from safetensors, or from a PyTorch file by the reader that refuses everything but tensors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from headstart.backbones import catalogue, language, licences, tensors, tokenizer, vision
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.base.errors import HeadstartError, WeightsError
from headstart.base.vocabulary import BackboneInfo, Preprocessing, Reading, Tokenization

CONFIG = "config.json"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
CARD = "README.md"
INDEX = "model.safetensors.index.json"
WEIGHTS = ("model.safetensors", INDEX, "pytorch_model.bin")
"""Names of weights files, the safest first."""
LARGEST = 16 * 2**20
"""Bytes of a description beyond which it is refused unread."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published network.

    Attributes:
        name: full name of the backbone, for messages and for its info.
        get: file name -> where it lies on this machine; None if there is no such file. May download it.
        has: file name -> is it on this machine already.
        pooling: what stands for a text, where a sentence encoder says it.
        longest: tokens that it was made to read at most, where it says so.
        lower: it reads texts in lower case, and its tokenizer does not see to that.
        notes: what to know of it besides.
        said: licence and source where it has no card of its own.
    """

    name: str
    get: Callable[[str], Path | None]
    has: Callable[[str], bool]
    pooling: str = "mean"
    longest: int | None = None
    lower: bool = False
    notes: tuple[str, ...] = ()
    said: tuple[str, str] = ("", "")


def of_folder(path: Path) -> Snapshot:
    """The snapshot in a folder."""
    return Snapshot(
        name=f"local:{path}",
        get=lambda file: path / file if (path / file).is_file() else None,
        has=lambda file: (path / file).is_file(),
    )


def is_one(path: Path) -> bool:
    """Does the folder look like a snapshot?"""
    return (path / CONFIG).is_file() and any((path / file).is_file() for file in WEIGHTS)


def describe(snapshot: Snapshot) -> BackboneInfo:
    """What a snapshot says of itself; its weights are not touched.

    Raises:
        WeightsError: when it is no network that can be built, or its files are damaged.
    """
    config = read(snapshot, CONFIG)
    if "model_type" in config:
        info = _of_transformers(snapshot, config)
    elif "architecture" in config:
        info = _of_timm(snapshot, config)
    else:
        raise WeightsError(
            f"{CONFIG} of {snapshot.name} says neither model_type (transformers) nor architecture (timm)",
            where=snapshot.name,
            next_move="name a repository of a network for pictures or texts",
        )
    licence, source = (card or said for card, said in zip(_card(snapshot), snapshot.said, strict=True))
    return replace(
        info,
        name=snapshot.name,
        licence=licence or info.licence,
        source=source or info.source,
        local=any(snapshot.has(file) for file in WEIGHTS),
    )


def load(snapshot: Snapshot, *, weights: bool = True, seed: int = 0) -> Backbone:
    """Build a snapshot's network, with its weights or from random initialisation.

    Raises:
        WeightsError: when its files are missing or damaged, or do not fit each other.
        MissingExtra: for one of transformers, without that library.
    """
    info = describe(snapshot)
    name = info.architecture.split("/", 1)[1]
    try:
        if not weights:
            built = catalogue.build(info.architecture, info.config, seed=seed)
            return built.known_as(untrained(_with_tokenizer(snapshot, info, built)))
        state = _state(snapshot)
        if info.architecture.startswith("timm/"):
            from headstart.backbones import timm

            built = timm.build(name, info.config or {}, seed=seed, state=state)
        else:
            built = _transformed(info, state, seed)
            info = _with_tokenizer(snapshot, info, built)
    except WeightsError as error:
        raise WeightsError(
            error.what, where=error.where or snapshot.name, expected=error.expected, next_move=error.next_move
        ) from error
    return built.known_as(replace(info, local=True))


def build(name: str, config: Mapping[str, Any], *, seed: int = 0) -> Backbone:
    """A network of transformers from random initialisation, from what ``vision`` or ``language`` kept of it."""
    rebuild = partial(_fresh, dict(config), name)
    texts = language.is_one(config)
    reading: Reading = (
        tokenizer.reading(b"", language.length(config["text"]))
        if texts
        else Preprocessing(_size(config), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    )
    info = BackboneInfo(
        name=f"hf/{name}",
        architecture=f"hf/{name}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=reading,
        modality="texts" if texts else "images",
        config=dict(config),
    )
    return Backbone(rebuild(seed), untrained(info), rebuild=rebuild)


def _size(config: Mapping[str, Any]) -> int:
    size = config.get("size")
    if not isinstance(size, int) or not 0 < size <= 4096 or not isinstance(config.get("model"), Mapping):
        raise WeightsError("The configuration of the network is damaged", expected="model and size (up to 4096 pixels)")
    return size


def _fresh(config: Mapping[str, Any], name: str, seed: int) -> torch.nn.Module:
    return seeded(seed, partial(_builder(config), config, name))


def _builder(config: Mapping[str, Any]) -> Callable[..., torch.nn.Module]:
    return language.build if language.is_one(config) else vision.build


def _transformed(info: BackboneInfo, state: Mapping[str, torch.Tensor], seed: int) -> Backbone:
    config, name = info.config or {}, info.architecture.split("/", 1)[1]
    module = seeded(seed, partial(_builder(config), config, name, state))
    return Backbone(module, info, rebuild=partial(_fresh, dict(config), name))


def _of_transformers(snapshot: Snapshot, config: Mapping[str, Any]) -> BackboneInfo:
    processor = _processor(snapshot)
    if processor is None:
        return _of_texts(snapshot, config)
    prepared = vision.preprocessing(processor, snapshot.name)
    return BackboneInfo(
        name=snapshot.name,
        architecture=f"hf/{config['model_type']}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=prepared,
        config=vision.recipe(config, processor, prepared.size),
    )


def _processor(snapshot: Snapshot) -> Mapping[str, Any] | None:
    for file in PROCESSORS:
        if snapshot.get(file) is not None:
            found = read(snapshot, file)
            inner = found.get("image_processor", found)
            return inner if isinstance(inner, Mapping) else found
    return None


def _of_texts(snapshot: Snapshot, config: Mapping[str, Any]) -> BackboneInfo:
    if not tokenizer.is_there(snapshot):
        raise WeightsError(
            f"{snapshot.name} does not say how pictures are prepared for it, and has no tokenizer for texts",
            where=snapshot.name,
            expected=f"{' or '.join(PROCESSORS)}; or {tokenizer.FILE}",
            next_move="choose a repository that has one",
        )
    # The encoder's own limit is what it was trained with; a tokenizer may allow more.
    limits = (tokenizer.settings(snapshot).get("model_max_length"), snapshot.longest)
    return BackboneInfo(
        name=snapshot.name,
        architecture=f"hf/{config['model_type']}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=tokenizer.reading(tokenizer.here(snapshot), language.length(config, *limits)),
        modality="texts",
        config=language.recipe(config, snapshot.pooling),
        notes=snapshot.notes,
    )


def _with_tokenizer(snapshot: Snapshot, info: BackboneInfo, built: Backbone) -> BackboneInfo:
    """The facts with the tokenizer of a network of texts, once it is known to fit."""
    reading = info.preprocessing
    if not isinstance(reading, Tokenization):
        return info
    if not reading.content:
        reading = tokenizer.reading(tokenizer.content(snapshot, (info.config or {}).get("text", {})), reading.length)
    built.check_reading(reading, snapshot.name)
    return replace(info, preprocessing=reading)


def _of_timm(snapshot: Snapshot, config: Mapping[str, Any]) -> BackboneInfo:
    from headstart.backbones import timm

    try:
        return timm.described(config)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise WeightsError(
            f"{CONFIG} of {snapshot.name} is not as timm writes it: {error!r}", where=snapshot.name
        ) from error


def read(snapshot: Snapshot, file: str, kind: type = dict) -> Any:
    """An object of JSON among its files, or with ``kind`` a list.

    Raises:
        WeightsError: when it cannot be read.
    """
    path = snapshot.get(file)
    reason = "there is none"
    if path is not None:
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"it has more than {LARGEST >> 20} MB")
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, kind):
                return found
            reason = "it is no JSON object" if kind is dict else "it is no JSON list"
        except (OSError, ValueError, RecursionError) as error:
            reason = str(error)
    raise WeightsError(f"{file} of {snapshot.name} cannot be read: {reason}", where=snapshot.name)


def _card(snapshot: Snapshot) -> tuple[str, str]:
    """Licence and data that the model card's header names; "" for what it does not name."""
    try:
        path = snapshot.get(CARD)
    except HeadstartError:
        # Without its card the network is what it is; only its licence stays unknown.
        path = None
    if path is None:
        return "", ""
    from huggingface_hub import metadata_load

    try:
        header = metadata_load(path) or {}
    except Exception:  # whatever a card's author wrote: what cannot be read says nothing
        header = {}
    licence, data = header.get("license"), header.get("datasets") or []
    if licence == "other":
        licence = header.get("license_name") or licence
    words = [data] if isinstance(data, str) else [str(each) for each in data] if isinstance(data, list) else []
    return licences.named(licence) if isinstance(licence, str) else "", ", ".join(words)


def _state(snapshot: Snapshot) -> dict[str, torch.Tensor]:
    for file in sorted(WEIGHTS, key=lambda file: not snapshot.has(file)):
        path = snapshot.get(file)
        if path is not None:
            return _shards(snapshot) if file == INDEX else tensors.read(path)
    raise WeightsError(
        f"{snapshot.name} has no weights in a format that is safe to read",
        where=snapshot.name,
        expected=", ".join(WEIGHTS),
        next_move="ask its author for safetensors, or choose another backbone",
    )


def _shards(snapshot: Snapshot) -> dict[str, torch.Tensor]:
    named = read(snapshot, INDEX).get("weight_map")
    files = sorted({str(value) for value in named.values()}) if isinstance(named, dict) else []
    state: dict[str, torch.Tensor] = {}
    for file in files:
        path = snapshot.get(file) if Path(file).name == file and file.endswith(".safetensors") else None
        if path is None:
            raise WeightsError(f"{INDEX} of {snapshot.name} names {file!r}, which is not there", where=snapshot.name)
        state.update(tensors.read(path))
    return state
