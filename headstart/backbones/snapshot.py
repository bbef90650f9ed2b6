"""Snapshots: folders and repositories as timm and transformers publish them, told apart by their config.json.

timm's names an ``architecture`` and carries its ``pretrained_cfg``; transformers' names a ``model_type`` and stands
beside a ``preprocessor_config.json``. Weights are read from safetensors, or from a PyTorch file by the reader that
refuses everything but tensors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from headstart.backbones import catalogue, licences, tensors
from headstart.backbones.chain import Backbone, seeded, untrained
from headstart.base.errors import HeadstartError, WeightsError
from headstart.base.vocabulary import BackboneInfo, Preprocessing

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
    """

    name: str
    get: Callable[[str], Path | None]
    has: Callable[[str], bool]


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
        WeightsError: when it is no image network that can be built, or its files are damaged.
    """
    config = _json(snapshot, CONFIG)
    if "model_type" in config:
        info = _of_transformers(snapshot, config)
    elif "architecture" in config:
        info = _of_timm(snapshot, config)
    else:
        raise WeightsError(
            f"{CONFIG} of {snapshot.name} says neither model_type (transformers) nor architecture (timm)",
            where=snapshot.name,
            next_move="name a repository of an image network",
        )
    licence, source = _card(snapshot)
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
            return built.known_as(untrained(info))
        state = _state(snapshot)
        if info.architecture.startswith("timm/"):
            from headstart.backbones import timm

            built = timm.build(name, info.config or {}, seed=seed, state=state)
        else:
            built = _transformed(info, state, seed)
    except WeightsError as error:
        raise WeightsError(
            error.what, where=error.where or snapshot.name, expected=error.expected, next_move=error.next_move
        ) from error
    return built.known_as(replace(info, local=True))


def build(name: str, config: Mapping[str, Any], *, seed: int = 0) -> Backbone:
    """A network of transformers from random initialisation, from what ``vision.recipe`` kept of its configuration."""
    rebuild = partial(_fresh, dict(config), name)
    info = BackboneInfo(
        name=f"hf/{name}",
        architecture=f"hf/{name}",
        parameters=0,
        stages=(),
        width=0,
        preprocessing=Preprocessing(_size(config), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        config=dict(config),
    )
    return Backbone(rebuild(seed), untrained(info), rebuild=rebuild)


def _size(config: Mapping[str, Any]) -> int:
    size = config.get("size")
    if not isinstance(size, int) or not 0 < size <= 4096 or not isinstance(config.get("model"), Mapping):
        raise WeightsError("The configuration of the network is damaged", expected="model and size (up to 4096 pixels)")
    return size


def _fresh(config: Mapping[str, Any], name: str, seed: int) -> torch.nn.Module:
    from headstart.backbones import vision

    return seeded(seed, partial(vision.build, config, name))


def _transformed(info: BackboneInfo, state: Mapping[str, torch.Tensor], seed: int) -> Backbone:
    from headstart.backbones import vision

    config, name = info.config or {}, info.architecture.split("/", 1)[1]
    module = seeded(seed, partial(vision.build, config, name, state))
    return Backbone(module, info, rebuild=partial(_fresh, dict(config), name))


def _of_transformers(snapshot: Snapshot, config: Mapping[str, Any]) -> BackboneInfo:
    from headstart.backbones import vision

    processor = _processor(snapshot)
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


def _processor(snapshot: Snapshot) -> Mapping[str, Any]:
    for file in PROCESSORS:
        if snapshot.get(file) is not None:
            found = _json(snapshot, file)
            inner = found.get("image_processor", found)
            return inner if isinstance(inner, Mapping) else found
    raise WeightsError(
        f"{snapshot.name} does not say how pictures are prepared for it",
        where=snapshot.name,
        expected=" or ".join(PROCESSORS),
        next_move="choose a repository of an image network that has one",
    )


def _of_timm(snapshot: Snapshot, config: Mapping[str, Any]) -> BackboneInfo:
    from headstart.backbones import timm

    try:
        return timm.described(config)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise WeightsError(
            f"{CONFIG} of {snapshot.name} is not as timm writes it: {error!r}", where=snapshot.name
        ) from error


def _json(snapshot: Snapshot, file: str) -> dict[str, Any]:
    path = snapshot.get(file)
    reason = "there is none"
    if path is not None:
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"it has more than {LARGEST >> 20} MB")
            found = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
            reason = "it is no JSON object"
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
    named = _json(snapshot, INDEX).get("weight_map")
    files = sorted({str(value) for value in named.values()}) if isinstance(named, dict) else []
    state: dict[str, torch.Tensor] = {}
    for file in files:
        path = snapshot.get(file) if Path(file).name == file and file.endswith(".safetensors") else None
        if path is None:
            raise WeightsError(f"{INDEX} of {snapshot.name} names {file!r}, which is not there", where=snapshot.name)
        state.update(tensors.read(path))
    return state
