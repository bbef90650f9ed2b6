"""Backbones on this machine: folders of headstart or of the libraries, and bare state_dicts with an architecture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headstart.backbones import catalogue, folder, heads, sentences, snapshot, tensors
from headstart.backbones.chain import Backbone, untrained
from headstart.base import manifest, readings
from headstart.base.errors import BadOption, WeightsError
from headstart.base.vocabulary import BackboneInfo

PREFIX = "backbone."
"""What the network's tensors are called in a sealed model."""


def names() -> tuple[str, ...]:
    """None: a path is its own name."""
    return ()


def describe(name: str) -> BackboneInfo:
    """What is known of the backbone at a path.

    Raises:
        WeightsError: when there is none, or only a bare state_dict, which says nothing of itself.
        ModelFolderError: when it is a damaged model folder.
    """
    path = _existing(name)
    if _is_backbone(path):
        return folder.describe_folder(path)
    if path.is_dir():
        return snapshot.describe(found) if (found := _snapshot(path)) is not None else _sealed(path)[0]
    raise WeightsError(
        "A bare state_dict does not say which network it belongs to",
        where=str(path),
        next_move="fit it with --architecture timm/NAME",
    )


def load(name: str, *, weights: bool = True, seed: int = 0, architecture: str | None = None) -> Backbone:
    """Load the backbone at a path.

    Args:
        name: path of a backbone's folder, a headstart model's folder, a folder as timm,
            transformers or sentence-transformers save networks,
            or a state_dict (.safetensors, .pt, .pth, .bin; read with ``weights_only``).
        weights: False for the same network from random initialisation.
        seed: of that initialisation.
        architecture: ``provider/name`` of the network, for a bare state_dict.

    Raises:
        BadOption: when the architecture is missing, or given for a folder that says it itself.
        WeightsError: when the weights cannot be read, or do not fit.
        ModelFolderError: when a model folder is incomplete, edited or unsafe.
        UnknownName: when nothing builds the architecture.
    """
    path = _existing(name)
    if not path.is_dir():
        return _bare(path, architecture, weights, seed)
    if architecture is not None:
        raise BadOption(f"{path} says its architecture itself", where="architecture", expected="none with a folder")
    if _is_backbone(path):
        return folder.read_folder(path, weights=weights, seed=seed)
    if (found := _snapshot(path)) is not None:
        return snapshot.load(found, weights=weights, seed=seed)
    info, file = _sealed(path)
    built = catalogue.build(info.architecture, info.config, seed=seed)
    built.check_reading(info.preprocessing, info.name)
    if not weights:
        return built.known_as(untrained(info))
    state = tensors.read(file)
    own = {key.removeprefix(PREFIX): tensor for key, tensor in state.items() if key.startswith(PREFIX)}
    tensors.fill(built.module, own, str(file))
    return built.known_as(info)


def _existing(name: str) -> Path:
    path = Path(name).expanduser()
    if not name or not path.exists():
        raise WeightsError(
            "There is no such file or folder" if name else "local: needs a path",
            where=f"local:{name}",
            expected="local:PATH of a backbone's folder, a headstart model or a state_dict",
        )
    return path


def _snapshot(path: Path) -> snapshot.Snapshot | None:
    """The folder as its library publishes networks; None where it is no such folder."""
    if sentences.is_one(path):
        return sentences.opened(snapshot.of_folder(path))
    return snapshot.of_folder(path) if snapshot.is_one(path) else None


def _is_backbone(path: Path) -> bool:
    return (path / folder.DESCRIPTION).exists()


def _sealed(path: Path) -> tuple[BackboneInfo, Path]:
    if not manifest.is_model(path):
        raise WeightsError(
            "The folder holds no backbone",
            where=str(path),
            expected=f"{folder.DESCRIPTION} (a backbone), {manifest.NAME} (a headstart model), or {snapshot.CONFIG} "
            f"beside {snapshot.WEIGHTS[0]} (as timm and transformers save networks)",
            next_move="name the weights file itself, with --architecture",
        )
    known = manifest.read(path)
    info = known.info()
    if info is None or known.preprocessing is None:
        raise WeightsError("This model has no network in it: a simple baseline won", where=str(path))
    source = f"{info.source}, then the data of {path.name}"
    reading = readings.restored(known.preprocessing, lambda file: folder.inside(path, file), where=str(path))
    found = replace(info, name=f"local:{path}", source=source, preprocessing=reading, width=0, stages=())
    return found, path / manifest.WEIGHTS


def _bare(path: Path, architecture: str | None, weights: bool, seed: int) -> Backbone:
    if path.suffix.lower() not in tensors.SUFFIXES:
        raise WeightsError(
            f"A {path.suffix or 'nameless kind of'} file is no weights file",
            where=str(path),
            expected=", ".join(tensors.SUFFIXES),
        )
    if not architecture:
        raise BadOption(
            "A bare state_dict needs its architecture",
            where="architecture",
            expected="the network it was saved from, such as timm/resnet50",
            next_move=f"--backbone local:{path} --architecture timm/resnet50",
        )
    built = _build(architecture, seed, path)
    info = replace(built.info, name=f"local:{path}", licence="unknown", local=True)
    if not weights:
        return built.known_as(untrained(info))
    state = tensors.read(path)
    left_out = tensors.fill(built.module, state, str(path))
    built.source_head = heads.of_state(state, None, built.info.width)
    source = f"the file {path.name}" + (f"; its source head was left out ({', '.join(left_out)})" if left_out else "")
    return built.known_as(replace(info, source=source))


def _build(architecture: str, seed: int, path: Path) -> Backbone:
    if architecture.startswith("local:"):
        raise BadOption("An architecture is a name, not a path", where="architecture", expected="such as timm/resnet50")
    try:
        return catalogue.load(architecture, weights=False, seed=seed)
    except WeightsError as error:
        raise WeightsError(f"The network cannot be built: {error.what}", where=str(path)) from error
